/**
 * A failover that ends a switchover in the midst of its drain goes on with what that has drained, on the local Azure.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { endZombies } from '../../src/drain/end-zombies.ts';
import { recordDeparture } from '../../src/fence/departures.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import { resubmitJobs } from '../../src/jobs/resubmit-jobs.ts';
import { successorName } from '../../src/ledger/ledger.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { openRun } from '../../src/run/journal.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import { digestsOf, firstCheckpoint, sha256 } from '../checkpoints/training.ts';
import { replicate, stepOf, type TestRun } from '../recovery-point/scene.ts';
import { request, startDraining, type Draining } from './draining.ts';

const successor = successorName('eastus.fraud-east.train', 1);

let scene: Draining;
beforeEach(async () => {
  scene = await startDraining();
  // What the successor needs in the standby.
  await scene.fixture.put(`${scene.west}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  await vi.waitUntil(async () => (await scene.status('train')) === 'Running', { timeout: 10_000 });
}, 120_000);
afterEach(() => scene?.close());

/** Its fence and its resumption, from a recovery point. */
async function failOver(recoveryPoint: RecoveryPointRef): Promise<{ run: TestRun; resumed: StepResult }> {
  const run = scene.run({ operation: 'failover', recoveryPoint });
  await run.step('jobs', 'stopOldJobs', (context) => stopOldJobs(context));
  return { run, resumed: await run.step('resume', 'resubmitJobs', (context) => resubmitJobs(context)) };
}

const checkpointOf = (ref: RecoveryPointRef) =>
  digestsOf(scene.westAccount, scene.westContainer, checkpointFolder(successor, ref.id));

it('from the recovery point before the switchover: its jobs did not end by themselves', async () => {
  const { ref } = await replicate(scene.run());
  await scene.drain(scene.switchover({ policy: 'cancel' }));
  const { run, resumed } = await failOver(ref);
  expect((await StoppedRecord.open(scene.store, run.runId)).oldState('train').is).toBe('cancelled');
  expect(resumed.counts?.[0]).toMatchObject({ kind: 'jobs', expected: 1, done: 1 });
  expect(await checkpointOf(ref)).toEqual(firstCheckpoint);
});

it('from the recovery point that the switchover itself has sealed: nothing of them is lost', async () => {
  await scene.nextSecond();
  const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
  const draining = scene.drain(run);
  await scene.asked();
  await scene.write('checkpoints/train/step-3.json', 'step 3');
  await draining;
  const { ref } = await replicate(scene.run({ operation: 'switchover', runId: run.runId }));
  const { resumed } = await failOver(ref);
  expect(resumed.counts?.[0]).toMatchObject({ kind: 'jobs', expected: 1, done: 1 });
  expect(await checkpointOf(ref)).toEqual({ ...firstCheckpoint, 'step-3.json': sha256('step 3') });
});

it('while a job is being cancelled: it waits for its end, and has one successor', async () => {
  const { ref } = await replicate(scene.run());
  const cut = new AbortController();
  const ended = expect(scene.drain(scene.switchover({ policy: 'cancel' }), { signal: cut.signal })).rejects.toThrow();
  await vi.waitUntil(async () => (await scene.status('train')) === 'CancelRequested', { timeout: 20_000 });
  cut.abort();
  await ended;
  const { run, resumed } = await failOver(ref);
  expect(await scene.status('train')).toBe('Canceled');
  expect((await StoppedRecord.open(scene.store, run.runId)).oldState('train').is).toBe('cancelled');
  expect(resumed.counts?.[0]).toMatchObject({ kind: 'jobs', expected: 1, done: 1 });
  expect(await scene.names(scene.west)).toEqual([successor]);
});

it('while its region is silent: the reprotection withdraws what it asked of the jobs', async () => {
  const cut = new AbortController();
  const switchover = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
  const ended = expect(scene.drain(switchover, { signal: cut.signal })).rejects.toThrow();
  await scene.asked();
  cut.abort();
  await ended;
  await openRun(scene.store, {
    runId: 'the-failover',
    topology: 'fraud-ml',
    operation: 'failover',
    bundle: 'b',
    reason: 'a test',
    triggeredBy: 'ana',
    triggeredAt: new Date().toISOString(),
    supersedes: switchover.runId,
  });
  await recordDeparture(scene.store, { region: 'eastus', run: 'the-failover', epoch: 2 });
  expect(await scene.writtenAt(request)).toBeDefined();
  const reprotect = scene.run({ operation: 'reprotect', back: true });
  const { detail } = await endZombies(reprotect.context(stepOf('zombies', 'endZombies')));
  expect(detail).toContain('withdrew 1 request for checkpoints');
  expect(await scene.writtenAt(request)).toBeUndefined();
  expect(await scene.status('train')).toBe('Canceled');
});
