/** How long a switchover waits for jobs, by its policy; and what an attempt that is cut off leaves to the next. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveCheckpoints } from '../../src/checkpoints/live-checkpoints.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import type { Azure } from '../../src/azure/azure.ts';
import type { Progress } from '../../src/run/work/step-context.ts';
import type { TestRun } from '../recovery-point/scene.ts';
import { request, startAtWork, until, type Draining } from './draining.ts';

let scene: Draining;
beforeEach(async () => {
  scene = await startAtWork();
}, 120_000);
afterEach(() => scene?.close());

const byItself = (count: number) => [{ reason: 'ended by itself', count }];

/** Azure, but a worker is killed where it cancels a job: before the request is sent, or after. */
function killedAt(when: 'before' | 'after'): { azure: Azure } {
  const { azure } = scene;
  const start: Azure['arm']['start'] = async (...args) => {
    if (when === 'after') await azure.arm.start(...args);
    throw new Error('killed');
  };
  return { azure: { ...azure, arm: { ...azure.arm, start } } };
}

/** A run whose first attempt was cut off while it waited for the training's checkpoint. */
async function cutOffOnceAsked(): Promise<TestRun> {
  const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
  const cut = new AbortController();
  const first = scene.drain(run, { signal: cut.signal });
  const ended = expect(first).rejects.toThrow();
  await scene.asked();
  cut.abort();
  await ended;
  return run;
}

describe('under the policy "wait"', () => {
  it('a job ends by itself, and is not asked', async () => {
    await scene.cancelByHand('train');
    await scene.submit('training', { run: 4, checkpoints: 'checkpoints/training' });
    const run = scene.switchover({ policy: 'wait', deadline: '1h' });
    const ask = vi.spyOn(LiveCheckpoints.prototype, 'ask');
    expect(await scene.drain(run)).toMatchObject({ counts: [{ done: 0 }], facts: { drained: 0 } });
    expect(ask).not.toHaveBeenCalled();
    ask.mockRestore();
    expect(await scene.status('training')).toBe('Completed');
    expect((await StoppedRecord.open(scene.store, run.runId)).stopped).toEqual({});
  });

  it('one that does not end in time is named, and nothing is cancelled; accepted as a loss, it is', async () => {
    const waits: (string | undefined)[] = [];
    const onCheckpoint = ({ waitsFor }: Progress) => void waits.push(waitsFor);
    const run = scene.switchover({ policy: 'wait', deadline: '1s' }, { onCheckpoint });
    await expect(scene.drain(run)).rejects.toMatchObject({
      code: 'PreconditionError',
      message: '1 job of eastus did not end within 1s (jobs.drain.deadline): job "train" of ana has not ended',
      details: { next: expect.stringContaining('--accept-loss fence/platform/drain') as string },
    });
    expect(await scene.status('train')).toBe('Running');
    expect(waits.at(-1)).toMatch(/^for job "train" of ana to end; until \d\d:\d\d UTC, then a person decides$/);
    expect(await scene.drain(run, { acceptedLoss: { by: 'ana', reason: 'INC-1' } })).toMatchObject({
      counts: [{ expected: 1, done: 1, skipped: [] }],
    });
    expect(await scene.status('train')).toBe('Canceled');
  });

  it('one that does not end in time is cancelled, if the topology says so', async () => {
    const run = scene.switchover({ policy: 'wait', deadline: '1s', afterDeadline: 'cancel' });
    expect(await scene.drain(run)).toMatchObject({ facts: { drained: 1 } });
  });

  it('one whose owner decides about its successor is waited for, also in the queue', async () => {
    await scene.cancelByHand('train');
    for (const wish of ['never', 'manual'])
      await scene.submit(wish, { queue: 2, run: 1, checkpoints: `c/${wish}`, tags: { 'understudy.resume': wish } });
    const run = scene.switchover({ policy: 'wait', deadline: '1h' });
    expect(await scene.drain(run)).toMatchObject({ facts: { drained: 0 } });
    expect(await scene.statuses('never', 'manual')).toEqual(['Completed', 'Completed']);
  });
});

it('under the policy "checkpoint", a job that writes none in time is asked again by a retry, and not meanwhile', async () => {
  const run = scene.switchover({ policy: 'checkpoint', deadline: '2s' });
  const late = {
    code: 'PreconditionError',
    message: expect.stringContaining('job "train" of ana has written no checkpoint since it was asked') as string,
  };
  const stopped = expect(scene.drain(run)).rejects.toMatchObject(late);
  await scene.asked();
  await stopped;
  expect(await scene.status('train')).toBe('Running');
  expect(await scene.writtenAt(request)).toBeUndefined();
  // A retry by a person is another execution: it has no cursor.
  const again = scene.drain(run, { cursor: undefined });
  await scene.asked();
  await scene.write('checkpoints/train/step-3.json');
  expect(await again).toMatchObject({ facts: { drained: 1 } });
});

it('a job that Azure refuses to cancel is named, with its reason; the others are cancelled', async () => {
  await scene.submit('locked');
  const { azure } = scene;
  const start: Azure['arm']['start'] = async (...args) => {
    if (args[0].includes('/jobs/locked/'))
      throw new UnderstudyError('AzureError', 'AuthorizationFailed', { azure: { status: 403 } });
    await azure.arm.start(...args);
  };
  const run = scene.switchover({ policy: 'cancel' });
  await expect(scene.drain(run, { azure: { ...azure, arm: { ...azure.arm, start } } })).rejects.toMatchObject({
    code: 'PreconditionError',
    message: '1 job of eastus cannot be cancelled, such as "locked": AuthorizationFailed',
  });
  expect(await scene.statuses('train', 'locked')).toEqual(['Canceled', 'Running']);
  expect(await scene.drain(run)).toMatchObject({ counts: [{ expected: 2, done: 2 }] });
});

it('under the policy "cancel", a job is cancelled at once', async () => {
  const run = scene.switchover({ policy: 'cancel' });
  expect(await scene.drain(run)).toMatchObject({ counts: [{ expected: 1, done: 1 }] });
  expect(await scene.statuses('train')).toEqual(['Canceled']);
});

it.each(['checkpoint', 'wait', 'cancel'] as const)(
  'under the policy "%s", a job that is queued loses nothing: it is cancelled at once',
  async (policy) => {
    await scene.cancelByHand('train');
    await until(async () => (await scene.status('train')) === 'Canceled');
    await scene.submit('queued', { queue: 36_000, checkpoints: 'checkpoints/queued' });
    await scene.submit('scoring', { queue: 36_000 });
    const run = scene.switchover({ policy, deadline: '1h' });
    expect(await scene.drain(run)).toMatchObject({ counts: [{ expected: 2, done: 2, skipped: [] }] });
    const { stopped } = await StoppedRecord.open(scene.store, run.runId);
    expect(Object.keys(stopped).toSorted()).toEqual(['queued', 'scoring']);
    expect(await scene.writtenAt('checkpoints/queued/checkpoint-now')).toBeUndefined();
  },
);

describe('an attempt', () => {
  it('after one that is done changes nothing, and says the same', async () => {
    await scene.submit('score', { run: 3 });
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await scene.asked();
    await scene.write('checkpoints/train/step-3.json');
    const first = await draining;
    expect(first).toMatchObject({ counts: [{ expected: 2, done: 1, skipped: byItself(1) }], facts: { drained: 1 } });
    const record = (await StoppedRecord.open(scene.store, run.runId)).stopped;
    const again = await scene.drain(run);
    expect(again.counts).toEqual(first.counts);
    expect(again.facts).toEqual(first.facts);
    expect((await StoppedRecord.open(scene.store, run.runId)).stopped).toEqual(record);
  });

  it.each(['before', 'after'] as const)('goes on from one that was killed %s it cancelled a job', async (when) => {
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run, killedAt(when));
    const killed = expect(draining).rejects.toThrow('killed');
    await scene.asked();
    await scene.write('checkpoints/train/step-3.json');
    await killed;
    const { stopped } = await StoppedRecord.open(scene.store, run.runId);
    expect(stopped['train']).not.toHaveProperty('canceledAt');
    expect(await scene.drain(run)).toMatchObject({ counts: [{ expected: 1, done: 1 }], facts: { drained: 1 } });
    expect(await scene.status('train')).toBe('Canceled');
    expect(await scene.writtenAt(request)).toBeUndefined();
    expect((await StoppedRecord.open(scene.store, run.runId)).stopped).toMatchObject({
      train: { status: 'Running', drained: true, canceledAt: expect.any(String) as string },
    });
  });

  it('that is cut off while it waits leaves its request to the next, which does not ask again', async () => {
    const run = await cutOffOnceAsked();
    await scene.write('checkpoints/train/step-3.json');
    // A request that came now would ask for a newer one, which never comes.
    await scene.nextSecond();
    expect(await scene.drain(run)).toMatchObject({ facts: { drained: 1 } });
  });

  it('counts a job that it asked and that ended meanwhile, and takes the request back', async () => {
    const run = await cutOffOnceAsked();
    await scene.cancelByHand('train');
    await until(async () => (await scene.status('train')) === 'Canceled');
    expect(await scene.drain(run)).toMatchObject({ counts: [{ expected: 1, done: 0, skipped: byItself(1) }] });
    expect(await scene.writtenAt(request)).toBeUndefined();
  });

  it.each(['at first', 'while it waits'] as const)(
    'that finds the region dark %s is tried again, and owes nothing',
    async (when) => {
      const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
      const dark = (mode: 'dark' | 'none') => scene.fixture.running.faults.setOutage('eastus', { mode });
      if (when === 'at first') await dark('dark');
      const draining = expect(scene.drain(run)).rejects.toMatchObject({
        code: 'NotYetError',
        retryable: true,
        details: { next: expect.stringContaining('understudy failover') as string },
      });
      if (when === 'while it waits') {
        await scene.asked();
        await dark('dark');
      }
      await draining;
      expect([...scene.store.documents.keys()].filter((name) => name.startsWith('debts/'))).toEqual([]);
      await dark('none');
      if (when === 'at first') return;
      await scene.write('checkpoints/train/step-3.json');
      expect(await scene.drain(run)).toMatchObject({ facts: { drained: 1 } });
    },
  );
});
