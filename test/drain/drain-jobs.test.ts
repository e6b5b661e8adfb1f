/** What becomes of the jobs of the old side before a switchover moves: on the local Azure, with real blobs. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { readFences, StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import { entryOf } from '../checkpoints/training.ts';
import { replicate, type TestRun } from '../recovery-point/scene.ts';
import { request, startAtWork, until, type Draining } from './draining.ts';

let scene: Draining;
beforeEach(async () => {
  scene = await startAtWork();
}, 120_000);
afterEach(() => scene?.close());

/** Whether the step has looked at the jobs this many times more. */
const watching = () => {
  let looks = 0;
  const onCheckpoint = () => Promise.resolve(void looks++);
  return { onCheckpoint, looked: (more: number) => vi.waitUntil(() => looks >= more, { timeout: 20_000 }) };
};
const byItself = (count: number) => [{ reason: 'ended by itself', count }];

describe('under the policy "checkpoint"', () => {
  it('a job is cancelled once it has written a whole checkpoint since it was asked, and not before', async () => {
    const { onCheckpoint, looked } = watching();
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' }, { onCheckpoint });
    const draining = scene.drain(run);
    await scene.asked();
    await looked(4);
    expect(await scene.status('train')).toBe('Running');
    await scene.write('checkpoints/train/step-3.json');
    expect(await draining).toMatchObject({
      state: 'completed',
      detail: expect.stringContaining('1 of 1 job of eastus cancelled, for a successor; 0 ended') as string,
      counts: [{ kind: 'jobs drained', expected: 1, done: 1, skipped: [], failed: [] }],
      facts: { drained: 1 },
    });
    expect(await scene.status('train')).toBe('Canceled');
    expect(await scene.writtenAt(request)).toBeUndefined();
    const { stopped } = await StoppedRecord.open(scene.store, run.runId);
    expect(stopped).toMatchObject({
      train: { status: 'Running', owner: 'ana', drained: true, canceledAt: expect.any(String) as string },
    });
    expect(await readFences(scene.store, 'eastus')).toEqual([run.runId]);
  });

  it('half of a checkpoint is not taken for one', async () => {
    for (const file of ['model.bin', 'optimizer.bin'])
      await scene.write(`checkpoints/train/checkpoint-10/${file}`, file.repeat(9000));
    await scene.nextSecond();
    const { onCheckpoint, looked } = watching();
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' }, { onCheckpoint });
    const draining = scene.drain(run);
    await scene.asked();
    await scene.write('checkpoints/train/checkpoint-20/model.bin', 'model'.repeat(9000));
    await looked(4);
    expect(await scene.status('train')).toBe('Running');
    await scene.write('checkpoints/train/checkpoint-20/optimizer.bin', 'optimizer'.repeat(9000));
    // The next one is begun: by that the one before is known to be whole.
    await scene.nextSecond();
    await scene.write('checkpoints/train/checkpoint-30/model.bin', 'model'.repeat(9000));
    expect(await draining).toMatchObject({ facts: { drained: 1 } });
  });

  it('a job that is not asked, because it takes no checkpoint, is waited for', async () => {
    await scene.cancelByHand('train');
    await scene.submit('score', { run: 4 });
    await scene.submit('doomed', { run: 2, outcome: 'Failed' });
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    expect(await scene.drain(run)).toMatchObject({
      counts: [{ done: 0, skipped: byItself(expect.any(Number) as never) }],
    });
    expect(await scene.statuses('score', 'doomed')).toEqual(['Completed', 'Failed']);
  });

  it('of jobs whose owner decides about their successor, none is cancelled', async () => {
    for (const wish of ['never', 'manual'])
      await scene.submit(wish, { run: 5, checkpoints: `checkpoints/${wish}`, tags: { 'understudy.resume': wish } });
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await scene.asked();
    await scene.write('checkpoints/train/step-3.json');
    expect(await draining).toMatchObject({
      counts: [{ expected: 3, done: 1, skipped: byItself(2) }],
    });
    expect(await scene.statuses('never', 'manual')).toEqual(['Completed', 'Completed']);
  });

  it('a job that ends while it is asked is counted, and the request is gone', async () => {
    await scene.cancelByHand('train');
    await until(async () => (await scene.status('train')) === 'Canceled');
    await scene.submit('short', { run: 4, checkpoints: 'checkpoints/short' });
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await until(async () => (await scene.writtenAt('checkpoints/short/checkpoint-now')) !== undefined);
    expect(await draining).toMatchObject({ counts: [{ expected: 1, done: 0, skipped: byItself(1) }] });
    expect(await scene.writtenAt('checkpoints/short/checkpoint-now')).toBeUndefined();
  });

  it('a job that a person cancels meanwhile gets no successor, even if it still writes a checkpoint', async () => {
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await scene.asked();
    await scene.cancelByHand('train');
    expect(await scene.status('train')).toBe('CancelRequested');
    await scene.write('checkpoints/train/step-3.json');
    expect(await draining).toMatchObject({ counts: [{ expected: 1, done: 0, skipped: byItself(1) }] });
    expect((await StoppedRecord.open(scene.store, run.runId)).stopped).toEqual({});
    expect(await scene.writtenAt(request)).toBeUndefined();
  });

  it('a job that comes meanwhile is drained too', async () => {
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await scene.asked();
    await scene.submit('late', { checkpoints: 'checkpoints/late' });
    await until(async () => (await scene.writtenAt('checkpoints/late/checkpoint-now')) !== undefined);
    await scene.write('checkpoints/train/step-3.json');
    await until(async () => (await scene.status('train')) === 'Canceled');
    await scene.write('checkpoints/late/step-1.json');
    expect(await draining).toMatchObject({ counts: [{ expected: 2, done: 2 }] });
  });

  it('a job whose checkpoint cannot be seen is not said to have been asked', async () => {
    await scene.cancelByHand('train');
    await scene.submit('elsewhere', {
      checkpoints: 'x',
      more: {
        outputs: {
          checkpoints: { jobOutputType: 'uri_folder', uri: 'azureml://datastores/workspacefilestore/paths/x' },
        },
      },
    });
    await until(async () => (await scene.status('elsewhere')) === 'Running');
    const run = scene.switchover({ policy: 'checkpoint', deadline: '4s' });
    await expect(scene.drain(run)).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringContaining('job "elsewhere" of ana has not ended') as string,
    });
  });

  it('what a job wrote as its time ran out counts: it is cancelled, and nothing stops', async () => {
    let at = Date.now();
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run, { now: () => new Date(at) });
    await scene.asked();
    await scene.write('checkpoints/train/step-3.json');
    at += 2 * 3_600_000;
    expect(await draining).toMatchObject({ facts: { drained: 1 } });
  });
});

describe('a drain that a person gives up while a cancel is under way', () => {
  const notSeenToEnd = async (accept?: () => Promise<void>): Promise<TestRun> => {
    const run = scene.switchover({ policy: 'cancel' });
    const cut = new AbortController();
    const start: Azure['arm']['start'] = async (...args) => {
      await (accept ? accept() : scene.azure.arm.start(...args));
      cut.abort();
      cut.signal.throwIfAborted();
    };
    const disturbed = { ...scene.azure, arm: { ...scene.azure.arm, start } };
    await expect(scene.drain(run, { signal: cut.signal, azure: disturbed })).rejects.toThrow();
    return run;
  };
  const inLedger = async (run: TestRun) => {
    const { ref } = await replicate(scene.run({ operation: 'switchover', runId: run.runId }));
    return entryOf(scene, ref, 'train');
  };

  it('leaves the job in the recovery point as it was: this run cancelled it, and nobody else', async () => {
    const run = await notSeenToEnd();
    expect(['CancelRequested', 'Canceled']).toContain(await scene.status('train'));
    expect(await inLedger(run)).toMatchObject({ status: 'Running' });
    await until(async () => (await scene.status('train')) === 'Canceled');
    expect(await inLedger(run)).toMatchObject({ status: 'Running' });
  });

  it('does not hide that the job has completed', async () => {
    await scene.cancelByHand('train');
    await until(async () => (await scene.status('train')) === 'Canceled');
    await scene.submit('train-2', { run: 3 });
    const run = await notSeenToEnd(() => Promise.resolve());
    await until(async () => (await scene.status('train-2')) === 'Completed');
    const { ref } = await replicate(scene.run({ operation: 'switchover', runId: run.runId }));
    expect(await entryOf(scene, ref, 'train-2')).toBeUndefined();
  });
});
