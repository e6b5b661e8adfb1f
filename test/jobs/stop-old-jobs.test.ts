import { describe, expect, it } from 'vitest';
import { cancelUnfinishedJobs, endedJobs, settlements, stopOldJobs } from '../../src/jobs/stop-old-jobs.ts';
import { sideOf } from '../../src/topology/sides.ts';
import { command, eastId, scene, topologyWith, type Scene } from './scene.ts';

const statusOf = ({ arm }: Scene, name: string) =>
  arm.resources.get(`${eastId}/jobs/${name}`.toLowerCase())?.properties['status'];

async function three(): Promise<Scene> {
  const made = scene();
  await made.addJob('train', command());
  await made.addJob('queued', command({ status: 'Queued' }));
  await made.addJob('old', command({ status: 'Completed' }));
  return made;
}

describe('stopOldJobs', () => {
  it('cancels what is unfinished, and nothing else', async () => {
    const made = await three();
    const result = await stopOldJobs(made.context(), made.sources.readLedger);
    expect(result).toMatchObject({
      state: 'completed',
      detail: '2 unfinished jobs of workspace "fraud-east" cancelled',
      counts: [{ kind: 'old jobs', expected: 2, done: 2 }],
    });
    expect(['train', 'queued', 'old'].map((name) => statusOf(made, name))).toEqual([
      'Canceled',
      'Canceled',
      'Completed',
    ]);
    expect(await endedJobs(made.store, 'run-1')).toEqual({ old: 'Completed' });
    const settledAs = await settlements(made.store, 'run-1');
    expect(['train', 'old', 'unseen'].map(settledAs)).toEqual(['cancelled', 'finished', 'lost']);
  });

  it('run again, it has nothing to cancel and forgets nothing', async () => {
    const made = await three();
    await stopOldJobs(made.context(), made.sources.readLedger);
    made.arm.requests.length = 0;
    const again = await stopOldJobs(made.context(), made.sources.readLedger);
    expect(again.detail).toBe('no job was unfinished in workspace "fraud-east"');
    expect(made.arm.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
    expect((await settlements(made.store, 'run-1'))('train')).toBe('cancelled');
    expect(await endedJobs(made.store, 'run-1')).toEqual({ old: 'Completed' });
  });

  it('of a run that was cancelled, are no jobs that ended by themselves to the next', async () => {
    const made = await three();
    await stopOldJobs(made.context(), made.sources.readLedger);
    const context = made.context();
    const next = { ...context, run: { ...context.run, runId: 'run-2' } };
    await stopOldJobs(next, made.sources.readLedger);
    expect(await endedJobs(made.store, 'run-2')).toEqual({ old: 'Completed' });
    expect((await settlements(made.store, 'run-2'))('train')).toBe('cancelled');
  });

  it('that a person cancelled did end by themselves', async () => {
    const made = await three();
    const job = made.arm.resources.get(`${eastId}/jobs/train`.toLowerCase());
    if (job) job.properties['status'] = 'Canceled';
    await stopOldJobs(made.context(), made.sources.readLedger);
    expect(await endedJobs(made.store, 'run-1')).toMatchObject({ train: 'Canceled' });
  });

  it.each(['LIST', 'POST'] as const)('is owed when the old side is silent (%s)', async (method) => {
    const made = await three();
    made.arm.faults.push({ method, path: /eastus|ml-east/, kind: 'silent', times: 99 });
    const result = await stopOldJobs(made.context(), made.sources.readLedger);
    expect(result.owed).toMatchObject([
      { kind: 'jobs', region: 'eastus', what: 'cancel the unfinished jobs of workspace "fraud-east"' },
    ]);
    expect(result.counts).toBeUndefined();
  });

  it('is owed when the old side hangs', async () => {
    const made = await three();
    const { arm } = made;
    arm.list = async function* (_path, _version, options) {
      await new Promise((_resolve, reject) =>
        options?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
      yield* [];
    };
    const context = made.context({ topology: topologyWith({ policies: { fenceDeadline: '1s' } }) });
    expect((await stopOldJobs(context, made.sources.readLedger)).owed?.[0]?.reason).toBe('no answer in time');
  });

  it('owes jobs that do not end in time, by name', async () => {
    const made = await three();
    const { arm } = made;
    arm.post = () => Promise.resolve(null);
    const context = made.context({ topology: topologyWith({ policies: { fenceDeadline: '1s' } }) });
    expect((await stopOldJobs(context, made.sources.readLedger)).owed?.[0]?.reason).toBe(
      '2 of 2 jobs of workspace "fraud-east" are still being cancelled, such as "train"',
    );
  });

  it('does not take a job that ends at this moment for one that it stopped', async () => {
    const made = await three();
    const { arm } = made;
    const post = arm.post.bind(arm);
    arm.post = (path, ...rest) => {
      const job = arm.resources.get(`${eastId}/jobs/train`.toLowerCase());
      if (job) job.properties['status'] = 'Completed';
      return post(path, ...rest);
    };
    const result = await stopOldJobs(made.context(), made.sources.readLedger);
    expect(result.counts).toEqual([
      {
        kind: 'old jobs',
        expected: 2,
        done: 1,
        skipped: [{ reason: 'ended by itself', count: 1 }],
        failed: [],
      },
    ]);
    expect((await settlements(made.store, 'run-1'))('train')).toBe('finished');
  });

  it('what Azure refuses is thrown on by the plain form, with the reason', async () => {
    const made = await three();
    made.arm.faults.push({
      method: 'POST',
      path: /cancel/,
      kind: { status: 403, code: 'AuthorizationFailed' },
      times: 99,
    });
    await expect(
      cancelUnfinishedJobs(made.context().azure, sideOf(topologyWith(), 'eastus')),
    ).rejects.toThrow(/AuthorizationFailed/);
  });
});
