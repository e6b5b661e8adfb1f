/**
 * Persons steer a run: several start one at once, watch it together, pause it, let it go on, and cancel it, which
 * undoes it.
 */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import {
  gitLog,
  journals,
  judgeTraffic,
  movedClients,
  originalClients,
  pointerOf,
  readClients,
  readControlStore,
  readEast,
  readWest,
} from './judge.ts';
import { waitFor, type Running } from './processes.ts';
import { otherTemporal } from './set-up.ts';
import type { Workspace } from './workspaces.ts';

describe('a failover that several persons start, pause and cancel', () => {
  let scene: Scene;
  let before: Workspace;
  let standby: Workspace;
  let watching: Running[];
  let runId: string;

  beforeAll(async () => {
    scene = await Scene.open();
    [before, standby] = await Promise.all([readEast(scene.azure), readWest(scene.azure)]);
    await scene.outage('eastus', 'dark');
    // Slow enough for persons to be faster.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 1000 });
    watching = [1, 2].map((person) =>
      scene.command(['failover', '--to', 'westus3', '--yes', '--reason', `person ${person}`]),
    );
    await scene.step('restore/');
  });
  afterAll(() => scene?.close());

  /** The records of the one run that is not cancelled before it began. */
  async function steps() {
    const found = journals(await readControlStore(scene), 'failover').filter(({ steps: records }) => records.size > 0);
    expect(found).toHaveLength(1);
    return found[0]?.steps ?? new Map<string, never>();
  }

  it('is one run, whoever started it', async () => {
    watching.push(scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'person 3']));
    await Promise.all(watching.map((each) => each.says(/^ *\+.*run (\S+)$/m)));
    const ids = watching.map(({ output }) => /^ *\+.*run (\S+)$/m.exec(output)?.[1]);
    expect(new Set(ids).size).toBe(1);
    runId = ids[0] ?? '';
    expect(watching[2]?.output).toContain(`${runId} runs already`);
    const { value: runs } = {
      value: journals(await readControlStore(scene), 'failover').map(({ run }) => run),
    };
    expect(runs.filter(({ state }) => state !== 'cancelled').map((run) => run.runId)).toEqual([runId]);
  });

  it('starts no further step while it is paused', async () => {
    const paused = await scene.run(['pause']);
    expect(paused.code, paused.output).toBe(0);
    expect(paused.output).toContain(runId);
    await waitFor('what runs to end', async () => (await scene.running()).length === 0, 120);
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: null });
    const stood = [...(await steps()).keys()].toSorted();
    // Looked at for as long as many steps take.
    for (let look = 0; look < 20; look++) expect(await scene.running()).toEqual([]);
    expect([...(await steps()).keys()].toSorted()).toEqual(stood);
  });

  it('is the only one, on another Temporal too', async () => {
    const other = await otherTemporal(await mkdtemp(join(scene.folder, 'other-')));
    try {
      const refused = await scene.run(['failover', '--to', 'westus3', '--yes'], {
        TEMPORAL_ADDRESS: other.address,
      });
      expect(refused.code, refused.output).toBe(1);
      expect(refused.output).toContain(`another run is open: "${runId}"`);
      expect(refused.output).toContain(`retry ${runId}`);
    } finally {
      await other.stop();
    }
  });

  it('goes on when it is told to, and is undone when it is cancelled: files to the byte, traffic, pointer', async () => {
    const resume = scene.command(['unpause']);
    await waitFor('the jobs', async () => (await scene.running()).includes('resume/training/jobs'), 120, 10);
    // Slow enough for the jobs to be cancelled in the midst, when the files are done.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 1500 });
    expect(await resume.ended, resume.output).toBe(0);
    const moved = await movedClients(scene);
    await waitFor('the files', async () => JSON.stringify(await readClients(scene)) === JSON.stringify(moved), 120);
    await waitFor(
      'the record of the commit',
      async () => (await steps()).get('switch/platform/configs-3')?.state === 'completed',
    );
    expect(gitLog(scene)).toHaveLength(2);
    await waitFor('a successor in the ledger', async () =>
      [...(await readControlStore(scene))].some(
        ([name, text]) => /(^|\/)ledger\//.test(name) && text.includes('"submitted"'),
      ),
    );
    expect(await scene.running()).toContain('resume/training/jobs');
    const cancelled = await scene.run(['cancel']);
    expect(cancelled.code, cancelled.output).toBe(0);
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: null });
    for (const each of watching) expect(await each.ended, each.output).toBe(3);
    await scene.outage('eastus', 'none');

    expect(await readClients(scene)).toEqual(await originalClients(scene));
    expect(gitLog(scene)).toHaveLength(3);
    const documents = await readControlStore(scene);
    expect(pointerOf(documents)).toMatchObject({
      epoch: { number: 3 },
      writer: 'eastus',
      serving: {
        platform: { eastus: 100 },
        data: { eastus: 100 },
        training: { eastus: 100 },
        inference: { eastus: 100 },
      },
    });
    // The front believes in eastus again when its own probes have passed.
    await waitFor(
      'the front to ask eastus',
      () =>
        judgeTraffic(scene, 'eastus').then(
          () => true,
          () => false,
        ),
      60,
      500,
    );
    const west = await readWest(scene.azure);
    expect([...west.schedules.values()].filter(({ properties }) => properties.isEnabled !== false)).toEqual([]);
    expect(scales(west)).toEqual(scales(standby));
  });

  it('says so, and owes nothing more to the region that is active again', async () => {
    const [run] = journals(await readControlStore(scene), 'failover').filter((each) => each.run.runId === runId);
    expect(run?.run.state).toBe('cancelled');
    expect([...(run?.steps.values() ?? [])].filter(({ state }) => state === 'undo-failed')).toEqual([]);
    const report = await scene.run(['report', runId]);
    expect(report.code).toBe(0);
    expect(report.output).toContain('cancelled; what can be undone is undone');
    // What it had submitted is not undone: each is named, with the job that may run on beside it.
    const said = report.output.replaceAll(/\s+/g, ' ');
    const tagsOf = (properties: Record<string, unknown>) => (properties.tags ?? {}) as Record<string, string>;
    const submitted = [...(await readWest(scene.azure)).jobs.values()].filter(
      ({ properties }) =>
        tagsOf(properties)['understudy.run'] === runId && tagsOf(properties)['understudy.lineage'] !== undefined,
    );
    expect(submitted.length).toBeGreaterThan(0);
    for (const { name } of submitted) expect(said).toContain(`its successor "${name}"`);
    expect(said).not.toMatch(/stays: (List|Send|Probe)/);
    const { output } = await scene.run(['status']);
    expect(output).not.toContain('OWED');
    // What a debt would have stopped runs on in the active region.
    const replicated = await scene.run(['replicate']);
    expect(replicated.code, replicated.output).toBe(0);
    const east = await readEast(scene.azure);
    expect([...east.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([true]);
    const running = (workspace: Workspace) =>
      [...workspace.jobs.values()].filter(({ properties }) => properties.status === 'Running').map(({ name }) => name);
    expect(running(east)).toEqual(expect.arrayContaining(running(before)));
  });
});

/** Of the clusters: between how many nodes each may be. */
function scales({ computes }: Workspace): [string, unknown][] {
  return [...computes.values()].map(({ name, properties }) => [
    name,
    (properties.properties as { scaleSettings?: unknown } | undefined)?.scaleSettings,
  ]);
}
