/**
 * A switchover that is given up: the jobs that it drained go on where they were, on the local Azure with real blobs.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import { lastSuccessor, markSubmitted, planSuccessor, successorName } from '../../src/ledger/ledger.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import { digestsOf, entryOf, firstCheckpoint, sha256 } from '../checkpoints/training.ts';
import { replicate, type TestRun } from '../recovery-point/scene.ts';
import { request, startAtWork, until, type Draining } from './draining.ts';

const root = 'eastus.fraud-east.train';
const successor = successorName(root, 1);

let scene: Draining;
beforeEach(async () => {
  scene = await startAtWork();
}, 120_000);
afterEach(() => scene?.close());

const successors = async (workspace = scene.east) =>
  (await scene.names(workspace)).filter((name) => name.startsWith('us-'));
const isEnded = async (name: string) => ['Canceled', 'Completed', 'Failed'].includes(await scene.status(name));

/** Where a job writes its checkpoints, below the container. */
async function outputOf(name: string): Promise<string> {
  const job = await scene.job(name);
  if (!job) throw new Error(`there is no job "${name}"`);
  const { checkpoints } = job.outputs as { checkpoints: { uri: string } };
  return checkpoints.uri.split('/paths/')[1]?.replace(/\/$/, '') ?? '';
}

/** Drains the training, which writes a third step as it is asked. */
async function drained(): Promise<TestRun> {
  const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
  const draining = scene.drain(run);
  await scene.asked();
  await scene.write('checkpoints/train/step-3.json', 'step 3');
  await draining;
  return run;
}

/** The switchover has planned the successor of the training in the other region. */
async function planThere(run: TestRun): Promise<void> {
  const { ref } = await replicate(scene.run({ operation: 'switchover', runId: run.runId }));
  const entry = await entryOf(scene, ref, 'train');
  if (!entry) throw new Error('the ledger has no job');
  const settled = { as: 'cancelled', at: new Date().toISOString(), reason: 'a test' } as const;
  await planSuccessor(scene.store, { entry, to: 'westus3', run: run.runId, settled });
}

describe('a drained job', () => {
  it('goes on where it was from its last checkpoint, once, and the next recovery point has that', async () => {
    const run = await drained();
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    expect(await successors()).toEqual([successor]);
    const folder = checkpointFolder(successor, run.runId);
    const job = await scene.job(successor);
    expect(job).toMatchObject({
      inputs: {
        resume_from: {
          mode: 'Download',
          uri: expect.stringContaining(`/datastores/workspaceblobstore/paths/${folder}/`) as string,
        },
      },
      tags: { owner: 'ana', 'understudy.lineage': root, 'understudy.hop': '1', 'understudy.run': run.runId },
    });
    const copied = await digestsOf(scene.eastAccount, scene.eastContainer, folder);
    expect(copied).toEqual({ ...firstCheckpoint, 'step-3.json': sha256('step 3') });
    expect(await lastSuccessor(scene.store, { lineageRoot: root, hop: 0 })).toMatchObject({
      region: 'eastus',
      state: 'submitted',
      settled: { as: 'cancelled' },
    });

    // It has written none of its own: the recovery point has the one that it was given.
    const first = await replicate(scene.run());
    expect(await entryOf(scene, first.ref, 'train')).toBeUndefined();
    expect(await entryOf(scene, first.ref, successor)).toMatchObject({
      lineageRoot: root,
      hop: 1,
      checkpoint: { path: folder, files: 4 },
    });
    await scene.write(`${await outputOf(successor)}/step-4.json`, 'step 4');
    const second = await replicate(scene.run());
    expect(await entryOf(scene, second.ref, successor)).toMatchObject({ checkpoint: { lastFile: 'step-4.json' } });
  });

  it('that is a successor already is asked as its original was, and goes on once more', async () => {
    await scene.resume(await drained());
    await until(async () => (await scene.status(successor)) === 'Running');
    const own = await outputOf(successor);
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const draining = scene.drain(run);
    await until(async () => (await scene.writtenAt(`${own}/checkpoint-now`)) !== undefined);
    await scene.write(`${own}/step-4.json`, 'step 4');
    expect(await draining).toMatchObject({ counts: [{ expected: 1, done: 1 }] });
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    const next = successorName(root, 2);
    expect((await successors()).toSorted()).toEqual([next, successor].toSorted());
    const copied = await digestsOf(scene.eastAccount, scene.eastContainer, checkpointFolder(next, run.runId));
    expect(copied).toEqual({ 'step-4.json': sha256('step 4') });
  });

  it('that had computed nothing is submitted again as it was', async () => {
    await scene.submit('queued', { queue: 36_000 });
    const run = scene.switchover({ policy: 'cancel' });
    await scene.drain(run);
    expect(await scene.resume(run)).toBe('2 of 2 drained jobs go on in eastus');
    const again = await scene.job(successorName('eastus.fraud-east.queued', 1));
    expect(again).toMatchObject({ command: 'python score.py', tags: { owner: 'ana' } });
  });

  it('whose owner decides about its successor is left to people', async () => {
    await scene.submit('never', { checkpoints: 'c/never', tags: { 'understudy.resume': 'never' } });
    const run = scene.switchover({ policy: 'cancel' });
    await scene.drain(run);
    expect(await scene.resume(run)).toBe('1 of 2 drained jobs go on in eastus, 1 left for people');
    expect(await successors()).toEqual([successor]);
  });

  it.each(['recorded', 'not recorded'] as const)(
    'whose successor was submitted in the other region, and that is %s, is left alone',
    async (recorded) => {
      const run = await drained();
      await planThere(run);
      if (recorded === 'recorded') await markSubmitted(scene.store, root, 1);
      else {
        const environmentId = `${scene.west}/environments/e/versions/1`;
        await scene.fixture.put(environmentId, { properties: { image: 'mcr.microsoft.com/azureml/base:1' } });
        const job = { jobType: 'Command', command: 'python train.py', environmentId };
        await scene.fixture.put(`${scene.west}/jobs/${successor}`, { properties: job });
      }
      expect(await scene.resume(run)).toBe('0 of 1 drained jobs go on in eastus, 1 run on the other side by now');
      expect(await successors()).toEqual([]);
    },
  );

  it('whose successor was planned in the other region, and never submitted, goes on where it was', async () => {
    const run = await drained();
    await planThere(run);
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    const next = successorName(root, 2);
    expect(await successors()).toEqual([next]);
    expect(await lastSuccessor(scene.store, { lineageRoot: root, hop: 0 })).toMatchObject({
      name: next,
      region: 'eastus',
      state: 'submitted',
    });
  });

  it('goes on if the undo is killed between the submission and its record, and no second one is submitted', async () => {
    const run = await drained();
    const { azure, store } = scene;
    const put: Azure['arm']['put'] = async (...args) => {
      await azure.arm.put(...args);
      throw new Error('killed');
    };
    await expect(scene.resume(run, { azure: { ...azure, arm: { ...azure.arm, put } } })).rejects.toThrow('killed');
    expect(await lastSuccessor(store, { lineageRoot: root, hop: 0 })).toMatchObject({ state: 'planned' });
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
    expect(await successors()).toEqual([successor]);
  });
});

describe('a switchover that is given up', () => {
  it('while it waits takes its requests back, and the job runs on', async () => {
    const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
    const cut = new AbortController();
    const ended = expect(scene.drain(run, { signal: cut.signal })).rejects.toThrow();
    await scene.asked();
    cut.abort();
    await ended;
    expect(await scene.resume(run)).toBe('no job was cancelled');
    expect(await scene.writtenAt(request)).toBeUndefined();
    expect(await scene.status('train')).toBe('Running');
  });

  it.each(['before', 'after'] as const)(
    'as a job is being cancelled, %s Azure has accepted that, gives it a successor once it has ended',
    async (when) => {
      const run = scene.switchover({ policy: 'checkpoint', deadline: '1h' });
      const cut = new AbortController();
      const start: Azure['arm']['start'] = async (...args) => {
        if (when === 'after') await scene.azure.arm.start(...args);
        cut.abort();
        cut.signal.throwIfAborted();
      };
      const azure = { ...scene.azure, arm: { ...scene.azure.arm, start } };
      const ended = expect(scene.drain(run, { signal: cut.signal, azure })).rejects.toThrow();
      await scene.asked();
      await scene.write('checkpoints/train/step-3.json');
      await ended;
      expect(await isEnded('train')).toBe(false);
      expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
      expect(await scene.status('train')).toBe('Canceled');
      expect(await successors()).toEqual([successor]);
      expect(await scene.writtenAt(request)).toBeUndefined();
    },
  );

  it('as some jobs have ended and others have not loses none of them', async () => {
    await scene.submit('other', { checkpoints: 'checkpoints/other' });
    const run = scene.switchover({ policy: 'cancel' });
    const cut = new AbortController();
    const ended = expect(scene.drain(run, { signal: cut.signal })).rejects.toThrow();
    await until(async () => (await scene.statuses('train', 'other')).every((status) => status === 'CancelRequested'));
    cut.abort();
    await ended;
    await until(async () => (await isEnded('train')) && (await isEnded('other')));
    expect(await scene.resume(run)).toBe('2 of 2 drained jobs go on in eastus');
    expect((await successors()).toSorted()).toEqual(
      [successor, successorName('eastus.fraud-east.other', 1)].toSorted(),
    );
    const { stopped } = await StoppedRecord.open(scene.store, run.runId);
    expect(Object.values(stopped).map(({ canceledAt }) => canceledAt)).not.toContain(undefined);
  });

  it('is tried again while the region is dark', async () => {
    const run = await drained();
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    await expect(scene.resume(run)).rejects.toMatchObject({ code: 'NotYetError', retryable: true });
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'none' });
    expect(await scene.resume(run)).toBe('1 of 1 drained jobs go on in eastus');
  });
});
