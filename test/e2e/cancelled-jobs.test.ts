/**
 * A failover that is cancelled after its fence has ended the old side's jobs: nothing brings them back, and nothing
 * forgets them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, readControlStore, readEast, readWest } from './judge.ts';
import { waitFor } from './processes.ts';
import type { Workspace } from './workspaces.ts';

/** What the report of a command's output says that people must do with jobs: by the job's name, under its owner. */
function tasksIn(output: string): Map<string, { owner: string; what: string }> {
  const tasks = new Map<string, { owner: string; what: string }>();
  const block = output.slice(output.indexOf('FOR PEOPLE TO DO')).split('\n\n')[0] ?? '';
  const groups = block.split(/\n {2}(\S.*):(?=\n)/).slice(1);
  for (let index = 0; index < groups.length; index += 2) {
    for (const item of (groups[index + 1] ?? '').split(/\n {4}(?=\S)/)) {
      const [, name, what] =
        /^. [a-z ]+: job "([^"]+)"(?: \(submitted as "[^"]+"\))?: (.*)$/.exec(item.trim().replaceAll(/\s+/g, ' ')) ??
        [];
      if (name !== undefined && what !== undefined) tasks.set(name, { owner: groups[index] ?? '', what });
    }
  }
  return tasks;
}

describe('a failover from a region that answers, cancelled after its fence', () => {
  let scene: Scene;
  let before: Workspace;
  /** Names of the jobs that the fence found unfinished. */
  let ended: string[];
  let output: string;
  let runId: string;

  beforeAll(async () => {
    scene = await Scene.open();
    before = await readEast(scene.azure);
    // Slow enough for a person to be faster.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 1000 });
    const failover = scene.command([
      'failover',
      '--to',
      'westus3',
      '--yes',
      '--even-if-healthy',
      '--reason',
      'by mistake',
    ]);
    await waitFor(
      'the jobs to be ended',
      async () => {
        const [journal] = journals(await readControlStore(scene), 'failover');
        return journal?.steps.get('fence/platform/jobs')?.state === 'completed';
      },
      120,
      200,
    );
    const cancel = await scene.run(['cancel']);
    expect(cancel.code, cancel.output).toBe(0);
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: null });
    expect(await failover.ended, failover.output).toBe(3);
    output = failover.output;
    runId = journals(await readControlStore(scene), 'failover')[0]?.run.runId ?? '';
    const east = await readEast(scene.azure);
    ended = [...before.jobs.values()]
      .filter(({ properties }) => ['Queued', 'Running'].includes(String(properties.status)))
      .map(({ name }) => name)
      .filter((name) => east.jobs.get(name)?.properties.status === 'Canceled')
      .toSorted();
  });
  afterAll(() => scene?.close());

  it('says first which jobs it has ended, whose they are, and what to do', () => {
    expect(ended.length).toBeGreaterThan(5);
    const tasks = tasksIn(output);
    for (const name of ended)
      expect(tasks.get(name)).toEqual({
        owner: expect.not.stringContaining('Those who run'),
        what: 'the fence cancelled it, and it runs nowhere → Submit it again in eastus.',
      });
    const said = output.slice(output.indexOf('FOR PEOPLE TO DO')).replaceAll(/\s+/g, ' ');
    // What only looked has nothing that could stay.
    expect(said).not.toMatch(/stays: (List|Send|Probe)/);
  });

  it('leaves them in later recovery points, which say so', async () => {
    const { code, output: replicated } = await scene.run(['replicate']);
    expect(code, replicated).toBe(0);
    const said = replicated.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(/recovery point \S+Z-e\d+, sealed by this run/);
    for (const name of ended)
      expect(said).toMatch(
        new RegExp(`job "${name}" of \\S+ was cancelled by the fence of run ${runId}, which was cancelled itself`),
      );
  });

  it('leaves them for a person in the failover that follows, and submits none of them', async () => {
    await scene.outage('eastus', 'dark');
    const { code, output: moved } = await scene.run([
      'failover',
      '--to',
      'westus3',
      '--yes',
      '--reason',
      'eastus is dark',
    ]);
    expect(code, moved).toBe(0);
    const said = moved.replaceAll(/\s+/g, ' ');
    const tasks = tasksIn(moved);
    for (const name of ended) {
      expect(tasks.get(name)?.owner).not.toContain('Those who run');
      expect(tasks.get(name)?.what).toMatch(/→ Submit it again in westus3, if it is needed\.$/);
    }
    const west = await readWest(scene.azure);
    const origins = [...west.jobs.values()].map(
      ({ properties }) => ((properties.tags ?? {}) as Record<string, string>)['understudy.origin'] ?? '',
    );
    expect(origins.filter((origin) => ended.some((name) => origin.endsWith(`/${name}`)))).toEqual([]);
    expect(said).toContain('2 file shares left behind');
  });
});
