/** A switchover: planned work, from which nothing is lost; judged by what Azure and the host then hold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from './azure-reader.ts';
import { Scene } from './harness.ts';
import { journals, judgeMoved, judgeTraffic, pointerOf, readControlStore, readEast, readWest } from './judge.ts';
import type { Workspace } from './workspaces.ts';

const draining = (drain: string) => (text: string) => text.replace(/^jobs:$/m, `jobs:\n  drain: ${drain}`);

/** What people make while the jobs are drained. */
async function workMeanwhile(scene: Scene, before: Workspace): Promise<void> {
  const put = async (path: string, body: unknown) => {
    const { status, body: answer } = await scene.azure.call('PUT', `${before.id}/${path}`, '2024-04-01', body);
    expect([200, 201, 202], JSON.stringify(answer)).toContain(status);
  };
  const cluster = (await scene.azure.list(`${before.id}/computes`)).find(({ name }) => name === 'cpu-cluster');
  await put('computes/late-cluster', { location: 'eastus', properties: cluster?.properties });
  await put('onlineEndpoints/late-score', {
    location: 'eastus',
    identity: { type: 'SystemAssigned' },
    properties: { authMode: 'Key' },
  });
  const { dataUri, dataType } = before.versions.get('data/merchants/1')?.properties ?? {};
  await put('data/merchants/versions/2', { properties: { dataUri, dataType } });
  const { status: _status, services: _services, ...spec } = before.jobs.get('fraud-rescore-backlog')?.properties ?? {};
  await put('jobs/late-rescore', { properties: spec });
}

describe('a switchover of a workspace at work', () => {
  let scene: Scene;
  let before: Workspace;
  let output = '';
  let code: number | NodeJS.Signals;

  beforeAll(async () => {
    scene = await Scene.open({ topology: draining('{ policy: checkpoint, deadline: 20s, afterDeadline: cancel }') });
    before = await readEast(scene.azure);
    const run = scene.command(['switchover', '--to', 'westus3', '--yes', '--reason', 'maintenance of eastus']);
    await scene.step('fence/platform/drain');
    await workMeanwhile(scene, before);
    code = await run.ended;
    ({ output } = run);
  });
  afterAll(() => scene?.close());

  it('moves everything, what came meanwhile too', async () => {
    expect(code, output).toBe(0);
    // By now the keys of its storage are others, and its schedules stopped.
    const after = { ...(await readEast(scene.azure)), schedules: before.schedules };
    const { west } = await judgeMoved(scene, after, { operation: 'switchover', alsoResumed: ['late-rescore'] });
    for (const path of ['computes/late-cluster', 'onlineEndpoints/late-score'])
      expect((await scene.azure.call('GET', `${west.id}/${path}`, '2024-04-01')).status, path).toBe(200);
  });

  it('leaves nothing running behind, and owes nothing', async () => {
    const east = await readEast(scene.azure);
    expect(unfinishedOf(east).map(({ name }) => name)).toEqual([]);
    expect([...east.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([false]);
    const documents = await readControlStore(scene);
    expect([...documents.keys()].filter((name) => name.startsWith('debts/'))).toEqual([]);
    const [run] = journals(documents, 'switchover');
    for (const { step, state } of run?.steps.values() ?? []) expect(state, step).not.toBe('owed');
    expect(output).not.toMatch(/ owed/);
  });

  it('the training goes on from a checkpoint that it wrote after it was asked', async () => {
    const documents = await readControlStore(scene);
    const [run] = journals(documents, 'switchover');
    const drained = run?.steps.get('fence/platform/drain');
    const west = await readWest(scene.azure);
    const training = [...west.jobs.values()].find(({ properties }) =>
      String((properties.tags as Record<string, string>)['understudy.origin']).endsWith('/fraud-train-2025q4'),
    );
    expect(training).toBeDefined();
    const ledger = [...documents].filter(([name]) => /\/jobs-\d+-/.test(name)).map(([, text]) => text);
    const entry = ledger
      .flatMap((text) => text.trim().split('\n'))
      .map((line) => JSON.parse(line) as { name: string; checkpoint?: { writtenAt: string } })
      .findLast(({ name }) => name === 'fraud-train-2025q4');
    expect(Date.parse(entry?.checkpoint?.writtenAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(drained?.startedAt ?? '') - 1000,
    );
  });

  it('its report says that nothing of the assets was lost', async () => {
    const [run] = journals(await readControlStore(scene), 'switchover');
    const { document } = await scene.document(['report', run?.run.runId ?? '']);
    const report = document as {
      objectives: { class: string; rpo: { measuredMs: number; verdict: string; why?: string } }[];
    };
    for (const { class: name, rpo } of report.objectives) {
      if (name === 'training') continue;
      expect([name, rpo.measuredMs, rpo.verdict]).toEqual([name, 0, 'met']);
      expect(rpo.why).toContain('nothing had come since');
    }
  });

  it('goes back the same way', async () => {
    const reprotected = await scene.run(['reprotect']);
    expect(reprotected.code, reprotected.output).toBe(0);
    const back = await scene.run(['switchover', '--to', 'eastus', '--yes', '--reason', 'maintenance is over']);
    expect(back.code, back.output).toBe(0);
    expect(pointerOf(await readControlStore(scene))).toMatchObject({ epoch: { number: 3 }, writer: 'eastus' });
    await judgeTraffic(scene, 'eastus');
    const east = await readEast(scene.azure);
    expect([...east.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([true]);
    const west = await readWest(scene.azure);
    expect([...west.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([false]);
  });
});

describe('a switchover that does not come to its end', () => {
  let scene: Scene;
  let before: Workspace;

  beforeAll(async () => {
    scene = await Scene.open({ topology: draining('{ policy: cancel }') });
    before = await readEast(scene.azure);
  });
  afterAll(() => scene?.close());

  it('refuses a region that answers half', async () => {
    await scene.admin('POST', '/regions/westus3/outage', { mode: 'dark', parts: ['ml'] });
    const { code, output } = await scene.run(['switchover', '--to', 'westus3', '--yes', '--reason', 'half']);
    expect([code, output], output).toEqual([
      1,
      expect.stringContaining('a switchover needs both regions, and westus3'),
    ]);
    await scene.admin('DELETE', '/faults');
    await scene.outage('westus3', 'none');
  });

  it('given up before it takes the pointer, leaves everything as it was, and the jobs go on where they were', async () => {
    // Slow enough that it is not over before its cancel.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 300 });
    const run = scene.command(['switchover', '--to', 'westus3', '--yes', '--reason', 'maintenance']);
    await scene.step('fence/platform/copy');
    const cancel = await scene.run(['cancel']);
    expect(cancel.code, cancel.output).toBe(0);
    expect(await run.ended).toBe(3);
    await scene.admin('DELETE', '/faults');
    const documents = await readControlStore(scene);
    expect(pointerOf(documents)).toMatchObject({ epoch: { number: 1 }, writer: 'eastus' });
    expect(pointerOf(documents).lease).toBeUndefined();
    const east = await readEast(scene.azure);
    expect([...east.schedules.values()].map(({ properties }) => properties.isEnabled)).toEqual([true]);
    const live = unfinishedOf(east);
    const origins = live.map(
      ({ properties }) => (properties.tags as Record<string, string>)['understudy.origin'] ?? '',
    );
    const interrupted = unfinishedOf(before).map(({ id }) => id);
    // A job in which a person works, and one that runs as a person, are theirs to start again.
    const ofPeople = /\/(fraud-explore-ana|fraud-features-daily)$/;
    expect(origins.toSorted()).toEqual(interrupted.filter((id) => !ofPeople.test(id)).toSorted());
    const training = live.find(({ properties }) =>
      String((properties.tags as Record<string, string>)['understudy.origin']).endsWith('/fraud-train-2025q4'),
    );
    expect(JSON.stringify(training?.properties.inputs)).toContain(`understudy/resume/${training?.name}/`);
    const status = await scene.document(['status']);
    expect((status.document as { runs: unknown[] }).runs).toEqual([]);
  });

  it('gives way to a failover once its region goes dark, and nothing runs twice', async () => {
    before = await readEast(scene.azure);
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 300 });
    const run = scene.command(['switchover', '--to', 'westus3', '--yes', '--reason', 'maintenance again']);
    await scene.step('fence/platform/copy');
    await scene.admin('DELETE', '/faults');
    await scene.outage('eastus', 'dark');
    const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is down']);
    expect(failover.code, failover.output).toBe(0);
    expect(failover.output).toMatch(/this ends run "\S+-switchover-/);
    expect(await run.ended).toBe(3);
    await scene.outage('eastus', 'none');
    const documents = await readControlStore(scene);
    const [, given] = journals(documents, 'switchover');
    const [moved] = journals(documents, 'failover');
    expect(given?.run).toMatchObject({ state: 'cancelled', supersededBy: moved?.run.runId });
    expect(moved?.run).toMatchObject({ state: 'completed', supersedes: given?.run.runId });
    expect(pointerOf(documents)).toMatchObject({ epoch: { number: 2 }, writer: 'westus3' });
    const west = await readWest(scene.azure);
    const lineages = unfinishedOf(west).map(
      ({ properties }) => (properties.tags as Record<string, string>)['understudy.lineage'],
    );
    expect(new Set(lineages).size).toBe(lineages.length);
    expect(lineages.length).toBeGreaterThanOrEqual(5);
  });
});

function unfinishedOf({ jobs }: Workspace): Resource[] {
  return [...jobs.values()].filter(
    ({ properties }) => !['Completed', 'Failed', 'Canceled'].includes(String(properties.status)),
  );
}
