/**
 * What a command says holds: a cancel is not forgotten by whoever takes the run up, a failover typed again does not
 * move the workspace back, and a region pointer that is lost is no fresh install.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readText } from './azure-reader.ts';
import { Scene } from './harness.ts';
import {
  journals,
  originalClients,
  pointerOf,
  readClients,
  readControlStore,
  readWest,
  type Journal,
} from './judge.ts';
import { waitFor } from './processes.ts';

const toWest = ['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark'];

/** Undefined also where a document changed while it was read. */
async function failoverOf(scene: Scene): Promise<Journal | undefined> {
  try {
    return journals(await readControlStore(scene), 'failover')[0];
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

describe('a cancel, when worker and Temporal die in its midst and Temporal forgets all', () => {
  let scene: Scene;
  afterEach(() => scene?.close());

  it.each([
    [
      'once the first step is undone',
      async (scene: Scene) => [...((await failoverOf(scene))?.steps.values() ?? [])].some(isUndone),
    ],
    [
      // What follows it in the control store takes seconds: the run has not ended yet.
      'once the pointer is given back',
      async (scene: Scene) => (await readPointer(scene)).epoch.number === 3,
    ],
  ])('%s, is carried out by whoever takes the run up', async (moment, due) => {
    scene = await Scene.open({ workers: ['host'] });
    const worker = await scene.worker();
    await scene.outage('eastus', 'dark');
    const failover = scene.command(toWest);
    await scene.step('verify/');
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 500 });
    if (moment.includes('pointer')) await scene.admin('POST', '/regions/centralus/faults', { latencyMs: 500 });
    const cancel = scene.command(['cancel']);
    await waitFor('the undo to be under way', () => due(scene), 180, 20);
    await Promise.all([worker.kill('SIGKILL'), cancel.kill('SIGKILL'), failover.kill('SIGKILL')]);
    await scene.admin('DELETE', '/faults');
    await scene.outage('eastus', 'dark');
    await scene.restartStack({ temporal: 'lost' });
    const { run } = (await failoverOf(scene)) ?? { run: { runId: '' } };

    const status = await scene.run(['status', '--output', 'json']);
    expect(status.code, status.output).toBe(5);
    expect(status.output).toContain(run.runId);
    const second = await scene.run(toWest);
    expect(second.code, second.output).toBe(1);
    expect(second.output).toContain(`retry ${run.runId}`);

    await scene.worker();
    const retried = await scene.run(['retry', run.runId]);
    expect(retried.code, retried.output).toBe(3);
    expect(retried.output).toContain('cancelled');
    const after = await failoverOf(scene);
    expect(after?.run.state).toBe('cancelled');
    expect(pointerOf(await readControlStore(scene))).toMatchObject({
      epoch: { number: 3 },
      writer: 'eastus',
      serving: { platform: { eastus: 100 }, inference: { eastus: 100 } },
    });
    expect(await readClients(scene)).toEqual(await originalClients(scene));
    const successors = [...(await readWest(scene.azure)).jobs.values()].filter(
      ({ properties }) => ((properties.tags ?? {}) as Record<string, string>)['understudy.run'] === run.runId,
    );
    expect(successors.filter(({ properties }) => properties.experimentName !== 'understudy-smoke')).toEqual([]);
    // The next one begins: nothing is open any more.
    const again = await scene.run(['retry', run.runId]);
    expect(again.output).toContain('is cancelled: there is nothing to retry');
  });
});

describe('a workspace that has moved', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open();
    await scene.outage('eastus', 'dark');
    const moved = await scene.run(toWest);
    expect(moved.code, moved.output).toBe(0);
    expect(moved.output).toMatch(/owed/);
    expect(moved.output).not.toContain('every step is done');
  });
  afterAll(() => scene?.close());

  it('does not move back when the same command is typed again', async () => {
    const before = pointerOf(await readControlStore(scene));
    const again = await scene.run(toWest);
    expect(again.code, again.output).toBe(0);
    expect(again.output).toContain('westus3 is the active region already');
    expect(pointerOf(await readControlStore(scene))).toEqual(before);
    const nowhere = await scene.run(['failover', '--yes', '--reason', 'again']);
    expect(nowhere.code, nowhere.output).toBe(2);
    expect(nowhere.output).toContain('--to REGION');
    const runs = JSON.parse((await scene.run(['runs', '--output', 'json'])).output) as {
      operation: string;
    }[];
    expect(runs.filter(({ operation }) => operation === 'failover')).toHaveLength(1);
  });

  it('does not begin again where its region pointer is lost, and gets it back from the journal', async () => {
    await scene.outage('eastus', 'none');
    const control = (await scene.azure.blobs(scene.azure.controlStore())).getContainerClient('understudy');
    await control.deleteBlob('pointer.json');
    const status = await scene.run(['status']);
    expect(status.code, status.output).toBe(5);
    expect(status.output).toContain('the region pointer is missing');
    const replicate = await scene.run(['replicate']);
    expect(replicate.code, replicate.output).toBe(1);
    expect(replicate.output).toContain('restore-pointer');
    expect((await readControlStore(scene)).has('pointer.json')).toBe(false);

    const restored = await scene.run(['restore-pointer', '--yes', '--reason', 'it was deleted']);
    expect(restored.code, restored.output).toBe(0);
    expect(pointerOf(await readControlStore(scene))).toMatchObject({
      epoch: { number: 3 },
      writer: 'westus3',
      serving: { inference: { westus3: 100 } },
    });
    const after = await scene.run(['reprotect']);
    expect(after.code, after.output).toBe(0);
    expect((await scene.run(['restore-pointer', '--yes', '--reason', 'again'])).code).toBe(1);
  });
});

async function readPointer(scene: Scene): Promise<{ epoch: { number: number } }> {
  const container = (await scene.azure.blobs(scene.azure.controlStore())).getContainerClient('understudy');
  return JSON.parse(await readText(container.getBlobClient('pointer.json'))) as { epoch: { number: number } };
}

function isUndone(record: { state: string } | undefined): boolean {
  return record?.state === 'undone';
}
