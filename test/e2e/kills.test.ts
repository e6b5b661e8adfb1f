/** Workers that die in mid-work, by SIGKILL: another takes over, nothing is doubled, nothing is lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { phases } from '../../src/topology/words.ts';
import { Scene } from './harness.ts';
import { judgeMoved, readControlStore, readEast } from './judge.ts';
import { waitFor, type Running } from './processes.ts';
import type { Workspace } from './workspaces.ts';

let scene: Scene;
let before: Workspace;
let worker: Running;

beforeEach(async () => {
  scene = await Scene.open({ workers: ['host'] });
  before = await readEast(scene.azure);
  worker = await scene.worker();
});
afterEach(() => scene?.close());

async function killWorker(): Promise<void> {
  await worker.kill('SIGKILL');
  worker = await scene.worker();
}

async function end(failover: Running): Promise<void> {
  expect(await failover.ended, failover.output).toBe(0);
  await scene.admin('DELETE', '/faults');
}

describe('a worker killed', () => {
  it('in each of the seven phases', async () => {
    // The fence waits for a region that hangs: long enough to be killed in it.
    await scene.outage('eastus', 'hang');
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'workers die']);
    const killedIn: string[] = [];
    for (const phase of phases) {
      killedIn.push(await scene.step(`${phase}/`));
      await killWorker();
    }
    await end(failover);
    await judgeMoved(scene, before);
    // Now and then a step is done in the moment of the kill; most were begun by a worker that died, and begun again.
    const again = await begunAgain();
    expect(killedIn.filter((step) => again.has(step)).length, killedIn.join(', ')).toBeGreaterThan(4);
  });

  it('between an answer of Azure and its recording', async () => {
    await scene.outage('eastus', 'dark');
    const drops: { region: string; method: string; path: string; afterwards?: () => Promise<void> }[] = [
      {
        region: 'centralus',
        method: 'PUT',
        path: '/understudy/runs/[^/]+/steps/provision\\.platform\\.template\\.json',
      },
      { region: 'westus3', method: 'PUT', path: '/data/transactions/versions/2' },
      { region: 'global', method: 'PATCH', path: '/originGroups/score/origins/west' },
      { region: 'westus3', method: 'PUT', path: '/jobs/us-[a-z2-7]{24}', afterwards: seeSuccessorUnrecorded },
    ];
    for (const region of new Set(drops.map((each) => each.region))) {
      const dropNextAnswer = drops
        .filter((each) => each.region === region)
        .map(({ method, path }) => ({ method, path }));
      await scene.admin('POST', `/regions/${region}/faults`, { dropNextAnswer });
    }
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'answers are lost']);
    for (const { method, path, afterwards } of drops) {
      const lost = new RegExp(path, 'i');
      await waitFor(
        `the lost answer to ${method} ${path}`,
        async () =>
          (await scene.requests()).some(
            (each) => each.status === null && each.method === method && lost.test(each.path),
          ),
        60,
        5,
      );
      await worker.kill('SIGKILL');
      await afterwards?.();
      worker = await scene.worker();
    }
    await end(failover);
    await judgeMoved(scene, before);
  });
});

/** Azure has the job, and the ledger does not say so yet. */
async function seeSuccessorUnrecorded(): Promise<void> {
  const { id } = await scene.azure.get(scene.azure.workspace('ml-west', 'fraud-west'));
  const there = (await scene.azure.list(`${id}/jobs?listViewType=All`)).map(({ name }) => name);
  const planned = [...(await readControlStore(scene))]
    .filter(([name]) => name.startsWith('ledger/'))
    .flatMap(([, text]) => (JSON.parse(text) as { successors: { name: string; state: string }[] }).successors)
    .filter(({ state }) => state === 'planned')
    .map(({ name }) => name);
  expect(planned.filter((name) => there.includes(name))).not.toEqual([]);
}

/** Steps that Temporal gave to more than one worker. */
async function begunAgain(): Promise<Set<string>> {
  const { events } = await scene.client.workflow.getHandle('understudy-fraud-ml-move').fetchHistory();
  const steps = new Map(
    events?.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [
      String(eventId),
      scheduled?.activityId,
    ]),
  );
  const again = new Set<string>();
  for (const { activityTaskStartedEventAttributes: started } of events ?? []) {
    const step = steps.get(String(started?.scheduledEventId));
    if (step !== undefined && step !== null && Number(started?.attempt) > 1) again.add(step);
  }
  return again;
}
