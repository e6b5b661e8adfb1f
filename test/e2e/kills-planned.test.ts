/**
 * Workers killed at moments that nobody chose, in a switchover and in a reprotection: what Azure then holds is as
 * without the kill. `KILLS=6 SEED=7` tries more of them, at the same moments each time.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, judgeMoved, pointerOf, readControlStore, readEast } from './judge.ts';
import { judgeSides, judgeTraining, openDatastore, unfinishedOf } from './judge-sides.ts';
import { momentsOf, seed, Writes, type Moment } from './moments.ts';
import type { Running } from './processes.ts';

const times = Number(process.env.KILLS ?? 2);

let scene: Scene;
let worker: Running;

/** Runs a command to its end while workers die; returns what the moments were. */
async function runWhileWorkersDie(args: string[], moments: Moment[]): Promise<string> {
  const killed: string[] = [];
  const writes = await Writes.since(scene);
  const command = scene.command(args);
  for (const moment of moments) {
    if (!(await writes.reach(moment, command))) break;
    const running = await scene.running(args[0] === 'reprotect' ? 'reprotect' : 'move');
    await worker.kill('SIGKILL');
    killed.push(`write ${writes.count} (${writes.last}; ${running.join(', ')})`);
    worker = await scene.worker();
  }
  const when = `seed ${seed}, killed at ${killed.join(' and at ')}`;
  expect(await command.ended, `${when}: ${command.output}`).toBe(0);
  return when;
}

describe('a switchover whose workers are killed', () => {
  afterAll(() => scene?.close());
  it(`moves everything, once (seed ${seed})`, async () => {
    scene = await Scene.open({ topology: draining, workers: ['host'] });
    worker = await scene.worker();
    const before = await readEast(scene.azure);
    const args = ['switchover', '--to', 'westus3', '--yes', '--reason', 'workers die'];
    const when = await runWhileWorkersDie(args, momentsOf(times, 250));
    const after = { ...(await readEast(scene.azure)), schedules: before.schedules };
    const { journal } = await judgeMoved(scene, after, { operation: 'switchover' });
    const { writer, other } = await judgeSides(scene, 'westus3', when);
    expect(unfinishedOf(other), when).toEqual([]);
    await judgeTraining(other, writer, when);
    for (const { step, state } of journal.steps.values()) expect(state, `${when}: ${step}`).not.toBe('owed');
  });
});

describe('a reprotection whose workers are killed', () => {
  afterAll(() => scene?.close());
  it(`ends what ran on, pays, and gives back, once (seed ${seed})`, async () => {
    scene = await Scene.open({ workers: ['host'] });
    worker = await scene.worker();
    await scene.outage('eastus', 'dark');
    const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
    expect(failover.code, failover.output).toBe(0);
    await scene.outage('eastus', 'none');
    const east = await readEast(scene.azure);
    const ranOn = unfinishedOf(east).map(({ name }) => name);
    expect(ranOn.length).toBeGreaterThan(5);
    const keys = await scene.azure.keysOf(east.storageId);
    const when = await runWhileWorkersDie(
      ['reprotect'],
      [
        // What it has ended is named all the same.
        /^POST .*\/fraud-east\/jobs\/[^/]+\/cancel$/,
        ...momentsOf(times - 1, 100, 1).map((write) => 100 + write),
      ],
    );

    const { other } = await judgeSides(scene, 'westus3', when);
    expect(unfinishedOf(other), when).toEqual([]);
    expect(await scene.azure.keysOf(east.storageId), when).not.toContain(keys[0]);
    await openDatastore(scene, other, when);
    const documents = await readControlStore(scene);
    expect(pointerOf(documents), when).toMatchObject({ epoch: { number: 2 }, writer: 'westus3' });
    const [journal, ...more] = journals(documents, 'reprotect');
    expect(more.length, when).toBe(0);
    for (const { step, state } of journal?.steps.values() ?? [])
      expect(['completed', 'skipped'], `${when}: ${step}`).toContain(state);
    const { document } = await scene.document(['report', journal?.run.runId ?? '']);
    const { findings } = document as { findings: { step: string; what: string }[] };
    const named = findings.filter(({ step }) => step === 'zombies').map(({ what }) => what);
    for (const name of ranOn) expect(named.join('\n'), `${when}: named in the report`).toContain(`"${name}"`);
    expect((await scene.run(['status'])).output, when).not.toMatch(/^OWED/m);
  });
});

const draining = (text: string) =>
  text.replace(/^jobs:$/m, 'jobs:\n  drain: { policy: checkpoint, deadline: 20s, afterDeadline: cancel }');
