/**
 * Switchovers and reprotections given up at moments that nobody chose, and their workers killed in the midst of that. A
 * switchover that has not taken the region pointer leaves all as it was, and its drained jobs go on where they were; a
 * reprotection leaves the writer alone, and the next one ends what it began. `CANCELS=10 SEED=7` tries more of them.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Resource } from './azure-reader.ts';
import { Scene } from './harness.ts';
import {
  journals,
  judgeTraffic,
  originalClients,
  pointerOf,
  readClients,
  readControlStore,
  readEast,
} from './judge.ts';
import { judgeSides, judgeTraining, ofPeople, openDatastore, tagsOf, training, unfinishedOf } from './judge-sides.ts';
import { momentsOf, seed, Writes } from './moments.ts';
import { waitFor, type Running } from './processes.ts';

const times = Number(process.env.CANCELS ?? 1);

let scene: Scene;
let worker: Running;
beforeAll(async () => {
  scene = await Scene.open({ topology: draining, workers: ['host'] });
  worker = await scene.worker();
});
afterAll(() => scene?.close());

const draining = (text: string) =>
  text.replace(/^jobs:$/m, 'jobs:\n  drain: { policy: checkpoint, deadline: 20s, afterDeadline: cancel }');

/** Starts a command, cancels its run at a moment, and kills the worker in the midst of that; returns when that was. */
async function giveUp(args: string[], moment: number, killAfter: number): Promise<string> {
  const [operation = ''] = args;
  const runs = async () => journals(await readControlStore(scene), operation);
  const earlier = (await runs()).length;
  const writes = await Writes.since(scene);
  const command = scene.command(args);
  expect(await writes.reach(moment, command), `seed ${seed}, before write ${moment}: ${command.output}`).toBe(true);
  // The first writes are those of the command, before there is a run to cancel.
  const { run } = await waitFor('the run', async () => (await runs())[earlier]);
  const running = await scene.running(operation === 'reprotect' ? 'reprotect' : 'move');
  const cancel = scene.command(['cancel', run.runId]);
  const when = `seed ${seed}, cancelled at write ${writes.count} (${writes.last}; ${running.join(', ')})`;
  const isAsked = await writes.reach(writes.count + killAfter, cancel);
  await worker.kill('SIGKILL');
  const killed = `${when}, killed at write ${writes.count} (${writes.last}; ${isAsked ? 'before' : 'after'} the cancel's end)`;
  worker = await scene.worker();
  expect(await cancel.ended, `${killed}: ${cancel.output}`).toBe(0);
  expect(await command.ended, `${killed}: ${command.output}`).toBe(3);
  return killed;
}

// The last recovery point is sealed at about write 95, and the pointer taken thereafter.
const cancelMoments = momentsOf(times, 75, 2);
const killMoments = momentsOf(times, 30, 3);

it.each(cancelMoments.map((moment, index) => [index + 1, moment] as const))(
  `switchover %i, given up at write %i (seed ${seed}), leaves all as it was`,
  async (index, moment) => {
    const before = await readEast(scene.azure);
    const args = ['switchover', '--to', 'westus3', '--yes', '--reason', `trial ${index}`];
    // Slow enough that it has not taken the pointer when the cancel comes.
    await scene.admin('POST', '/regions/westus3/faults', { latencyMs: 300 });
    const when = await giveUp(args, moment, killMoments[index - 1] ?? 0);
    await scene.admin('DELETE', '/faults');
    const documents = await readControlStore(scene);
    const { run } = journals(documents, 'switchover')[index - 1] ?? {};
    expect(run, when).toMatchObject({ state: 'cancelled' });
    expect(pointerOf(documents), when).toMatchObject({ epoch: { number: 1 }, writer: 'eastus' });
    expect(pointerOf(documents).lease, when).toBeUndefined();
    const { writer, other } = await judgeSides(scene, 'eastus', when);
    expect(unfinishedOf(other), when).toEqual([]);
    // Each job runs on, or its one successor does.
    for (const { name, id } of unfinishedOf(before)) {
      const successors = [...writer.jobs.values()].filter((job) => tagsOf(job)['understudy.origin'] === id);
      const status = String(writer.jobs.get(name)?.properties.status);
      if (status === 'Canceled' && !ofPeople.includes(name)) expect(successors.length, `${when}: ${name}`).toBe(1);
      else expect(successors.length, `${when}: ${name} (${status})`).toBe(0);
    }
    const wasDrained = (job: Resource) => writer.jobs.get(job.name)?.properties.status === 'Canceled';
    if (unfinishedOf(before).some((job) => job.name === training && wasDrained(job)))
      await judgeTraining(writer, writer, when);
    await judgeTraffic(scene, 'eastus');
    expect(await readClients(scene), when).toEqual(await originalClients(scene));
    const { document } = await scene.document(['status']);
    expect((document as { runs: unknown[] }).runs, when).toEqual([]);
  },
);

it(`reprotections, given up at any moment (seed ${seed}), leave the writer alone, and the next ends them`, async () => {
  await scene.outage('eastus', 'dark');
  const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
  expect(failover.code, failover.output).toBe(0);
  await scene.outage('eastus', 'none');
  const successors = await runningIn('westus3');
  expect(successors.length).toBeGreaterThan(3);
  let when = '';
  for (const moment of momentsOf(times, 100, 4)) {
    when = await giveUp(['reprotect'], moment, Math.floor(moment / 10));
    const documents = await readControlStore(scene);
    expect(journals(documents, 'reprotect').at(-1)?.run, when).toMatchObject({ state: 'cancelled' });
    await expectAtWork(when, { owes: true });
  }
  const reprotected = await scene.run(['reprotect']);
  expect(reprotected.code, `${when}: ${reprotected.output}`).toBe(0);
  const { other } = await expectAtWork(when, { owes: false });
  expect(unfinishedOf(other), when).toEqual([]);
  await openDatastore(scene, other, when);
  const documents = await readControlStore(scene);
  const seals = [...documents].filter(([name]) => name.endsWith('/sealed.json')).map(([, text]) => text);
  const found = seals.filter((text) => (JSON.parse(text) as { divergence?: boolean }).divergence === true);
  expect(found.length, `${when}: divergence points`).toBe(1);
  const { output } = await scene.run(['status']);
  expect(output, when).not.toMatch(/^OWED/m);
  expect(output, when).not.toMatch(/reprotect/);

  async function expectAtWork(then: string, { owes }: { owes: boolean }) {
    const documents = await readControlStore(scene);
    expect(pointerOf(documents), then).toMatchObject({ epoch: { number: 2 }, writer: 'westus3' });
    const sides = await judgeSides(scene, 'westus3', then, { owes });
    for (const name of successors)
      expect(['Queued', 'Running', 'Completed'], `${then}: ${name}`).toContain(
        sides.writer.jobs.get(name)?.properties.status,
      );
    return sides;
  }
});

async function runningIn(region: 'westus3'): Promise<string[]> {
  const { writer } = await judgeSides(scene, region, 'after the failover', { owes: true });
  return unfinishedOf(writer).map(({ name }) => name);
}
