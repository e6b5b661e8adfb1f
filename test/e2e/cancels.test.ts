/**
 * Cancels at moments that nobody chose: worker, commands and, every other time, Temporal with all it knows die in the
 * midst of the cancel or of its undo. Whoever takes the run up carries the cancel out, and the workspace is as before.
 * `CANCELS=20 SEED=7` tries more of them.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '../../simulator/clock/random.ts';
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
import type { Running } from './processes.ts';

const times = Number(process.env.CANCELS ?? 2);
const seed = Number(process.env.SEED ?? Date.now() % 1000);
const random = seededRandom(seed);

let scene: Scene;
let worker: Running;
beforeAll(async () => {
  scene = await Scene.open({ workers: ['host'] });
  worker = await scene.worker();
  await scene.outage('eastus', 'dark');
});
afterAll(() => scene?.close());

it.each(Array.from({ length: times }, (_, index) => index + 1))(
  `cancel %i (seed ${seed}) leaves all as it was`,
  async (index) => {
    // Slow enough that the move is not done before its cancel.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 200 });
    await scene.admin('POST', '/regions/centralus/faults', { latencyMs: 100 });
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', `trial ${index}`]);
    await scene.step('');
    const cancelAfter = Math.floor(random() * 12_000);
    await wait(cancelAfter);
    const cancel = scene.command(['cancel']);
    const killAfter = Math.floor(random() * 12_000);
    await wait(killAfter);
    const isLost = index % 2 === 0;
    const when = `cancelled after ${cancelAfter} ms, killed ${killAfter} ms later, Temporal ${isLost ? 'lost' : 'kept'}`;
    await Promise.all([worker.kill('SIGKILL'), cancel.kill('SIGKILL'), failover.kill('SIGKILL')]);
    await scene.admin('DELETE', '/faults');
    if (isLost) await scene.restartStack({ temporal: 'lost' });
    await scene.outage('eastus', 'dark');
    worker = await scene.worker();

    const run = (await failoverOf(index))?.run;
    if (!run) throw new Error(`${when}: no run is in the journal`);
    if (run.state === 'completed') throw new Error(`${when}: the move was done before it was cancelled`);
    // The cancel itself may have been cut off before it was written down.
    const asked = await scene.run(['cancel', run.runId]);
    expect([0, 1, 3], `${when}: ${asked.output}`).toContain(asked.code);
    if ((await failoverOf(index))?.run.state !== 'cancelled') {
      const retried = await scene.run(['retry', run.runId]);
      expect(retried.code, `${when}: ${retried.output}`).toBe(3);
    }
    await expectAsBefore(run.runId, when, index);
  },
);

async function failoverOf(index: number): Promise<Journal | undefined> {
  return journals(await readControlStore(scene), 'failover')[index - 1];
}

async function expectAsBefore(runId: string, when: string, index: number): Promise<void> {
  const documents = await readControlStore(scene);
  const after = journals(documents, 'failover')[index - 1];
  expect(after?.run, when).toMatchObject({ runId, state: 'cancelled' });
  const pointer = pointerOf(documents);
  expect(pointer.writer, when).toBe('eastus');
  for (const weights of Object.values(pointer.serving)) expect(weights, when).toEqual({ eastus: 100 });
  expect(await readClients(scene), when).toEqual(await originalClients(scene));
  const debts = [...documents].filter(([name]) => name.startsWith('debts/eastus/'));
  for (const [name, text] of debts)
    expect(JSON.parse(text), `${when}: ${name}`).toHaveProperty('paidAt', expect.any(String));
  const west = await readWest(scene.azure);
  const enabled = [...west.schedules.values()].filter(({ properties }) => properties.isEnabled === true);
  expect(
    enabled.map(({ name }) => name),
    when,
  ).toEqual([]);
  const live = [...west.jobs.values()].filter(
    ({ properties }) =>
      ['NotStarted', 'Queued', 'Running'].includes(String(properties.status)) &&
      properties.experimentName !== 'understudy-smoke',
  );
  expect(
    live.map(({ name }) => name),
    when,
  ).toEqual([]);
  const status = await scene.run(['status', '--output', 'json']);
  expect((JSON.parse(status.output) as { runs: unknown[] }).runs, when).toEqual([]);
}
