import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cancelUnfinishedJobs, stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { readCancelled, readFences, readStopping, StoppedRecord } from '../../src/fence/stopped-jobs.ts';
import type { Step } from '../../src/plan/plan.ts';
import { recordStep } from '../../src/run/journal.ts';
import { sideOf } from '../../src/topology/sides.ts';
import { command, eastId, scene, topologyWith, type Scene } from '../jobs/scene.ts';

/** When the scene's fence looks. */
const seenAt = '2026-11-21T10:12:00.000Z';

const statusOf = ({ arm }: Scene, name: string) =>
  arm.resources.get(`${eastId}/jobs/${name}`.toLowerCase())?.properties['status'];

const oldStatesOf = async ({ store }: Scene, run: string) => (await StoppedRecord.open(store, run)).oldState;

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
    const result = await stopOldJobs(made.context(), made.readLedger);
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
    const oldState = await oldStatesOf(made, 'run-1');
    expect(['train', 'old', 'unheard-of'].map(oldState)).toEqual([
      { is: 'cancelled', at: seenAt },
      { is: 'ended', status: 'Completed', seenAt },
      { is: 'unseen' },
    ]);
    expect((await StoppedRecord.open(made.store, 'run-1')).stopped.train).toMatchObject({
      status: 'Running',
      owner: 'ana',
    });
  });

  it('run again, it has nothing to cancel and forgets nothing', async () => {
    const made = await three();
    await stopOldJobs(made.context(), made.readLedger);
    made.arm.requests.length = 0;
    const again = await stopOldJobs(made.context(), made.readLedger);
    expect(again).toMatchObject({
      detail: '2 unfinished jobs of workspace "fraud-east" cancelled',
      counts: [{ expected: 2, done: 2 }],
    });
    expect(made.arm.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
    const oldState = await oldStatesOf(made, 'run-1');
    expect(['train', 'old'].map((name) => oldState(name).is)).toEqual(['cancelled', 'ended']);
    // As it was before this run asked it to end.
    expect((await StoppedRecord.open(made.store, 'run-1')).stopped.train).toMatchObject({
      status: 'Running',
      owner: 'ana',
    });
  });

  it('of a run that was cancelled, are no jobs that ended by themselves to the next', async () => {
    const made = await three();
    await stopOldJobs(made.context(), made.readLedger);
    const context = made.context();
    const next = { ...context, run: { ...context.run, runId: 'run-2' } };
    await stopOldJobs(next, made.readLedger);
    const oldState = await oldStatesOf(made, 'run-2');
    expect(['train', 'old'].map((name) => oldState(name).is)).toEqual(['cancelled', 'ended']);
    // From now on they are this run's to account for, by name and owner.
    expect((await readCancelled(made.store, await readFences(made.store, 'eastus'))).train?.run).toBe('run-2');
    expect((await StoppedRecord.open(made.store, 'run-2')).stopped.train?.owner).toBe('ana');
  });

  it('that a person cancelled did end by themselves', async () => {
    const made = await three();
    const job = made.arm.resources.get(`${eastId}/jobs/train`.toLowerCase());
    if (job) job.properties['status'] = 'Canceled';
    await stopOldJobs(made.context(), made.readLedger);
    expect((await oldStatesOf(made, 'run-1'))('train')).toEqual({
      is: 'ended',
      status: 'Canceled',
      seenAt,
    });
  });

  it('that a person was cancelling as the fence looked did end by themselves', async () => {
    const made = await three();
    const job = made.arm.resources.get(`${eastId}/jobs/train`.toLowerCase());
    if (job) job.properties['status'] = 'CancelRequested';
    await stopOldJobs(made.context(), made.readLedger);
    const old = (await oldStatesOf(made, 'run-1'))('train');
    expect(old).toEqual({ is: 'ended', status: 'CancelRequested', seenAt });
  });

  it('that are in the ledger and no more in the workspace are gone', async () => {
    const made = await three();
    made.arm.resources.delete(`${eastId}/jobs/train`.toLowerCase());
    await stopOldJobs(made.context(), made.readLedger);
    expect((await oldStatesOf(made, 'run-1'))('train')).toEqual({ is: 'ended', status: 'gone', seenAt });
  });

  it('that the recovery point has not are lost, by name and owner; parts of others and smoke jobs are not', async () => {
    const made = await three();
    const add = (name: string, properties = command()) => made.arm.add(`${eastId}/jobs/${name}`, { properties });
    add('late');
    add('late-step', command({ properties: { 'azureml.pipelinerunid': 'late' } }));
    add('us-smoke-1', command({ tags: { 'understudy.run': 'run-0' } }));
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result.lost).toEqual([
      'job "late" of ana is not in the recovery point, and the fence cancelled it: submit it again',
    ]);
    expect(statusOf(made, 'late')).toBe('Canceled');
  });

  it('that are submitted while others are being ended are ended, too', async () => {
    const made = await three();
    const start = made.arm.start.bind(made.arm);
    let late = 0;
    made.arm.start = (...args) => {
      if (late++ === 0) made.arm.add(`${eastId}/jobs/late`, { properties: command() });
      return start(...args);
    };
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result).toMatchObject({ state: 'completed', counts: [{ expected: 3, done: 3 }] });
    expect(result.lost).toEqual([expect.stringMatching(/^job "late" of ana is not in the recovery point/)]);
    expect(statusOf(made, 'late')).toBe('Canceled');
  });

  it('that a schedule has still submitted are ended, too, once the intake is stopped', async () => {
    const made = scene();
    const context = made.fencing();
    const intake: Step = { ...context.step, id: 'fence/platform/intake', action: 'stopOldIntake' };
    const plan = { ...context.plan, steps: [...context.plan.steps, intake] };
    const note = (state: 'running' | 'completed') =>
      recordStep(made.store, 'run-1', intake.id, () => ({
        step: intake.id,
        holder: 'wf-1',
        state,
        attempts: 1,
        startedAt: seenAt,
      }));
    await note('running');
    const stopping = stopOldJobs({ ...context, plan }, made.readLedger);
    await wait(600);
    made.arm.add(`${eastId}/jobs/late`, { properties: command() });
    await note('completed');
    expect(await stopping).toMatchObject({ state: 'completed', counts: [{ expected: 1, done: 1 }] });
    expect(statusOf(made, 'late')).toBe('Canceled');
  });

  it('of a long history are found without reading all of it before anything is ended', async () => {
    const made = scene();
    await made.addJob('train', command());
    for (let index = 0; index < 200; index++)
      made.arm.add(`${eastId}/jobs/z-${index}`, { properties: command({ status: 'Completed' }) });
    let pagesBefore = 0;
    const start = made.arm.start.bind(made.arm);
    let isAsked = false;
    made.arm.page = (path) => {
      if (!isAsked) pagesBefore += 1;
      const at = Number(/page=(\d+)/.exec(path)?.[1] ?? 0);
      const jobs = [...made.arm.resources.values()].filter(({ id }) => id.startsWith(`${eastId}/jobs/`));
      const next = jobs.length > at + 10 ? { next: `${eastId}/jobs?page=${at + 10}` } : {};
      return Promise.resolve({ value: jobs.slice(at, at + 10), ...next });
    };
    made.arm.start = (...args) => {
      isAsked = true;
      return start(...args);
    };
    await stopOldJobs(made.context(), made.readLedger);
    expect([isAsked, pagesBefore]).toEqual([true, 1]);
    expect(statusOf(made, 'train')).toBe('Canceled');
  });

  it('that Azure refuses to cancel keep no other from being ended, and are owed by name', async () => {
    const made = await three();
    made.arm.faults.push({
      method: 'POST',
      path: /train/,
      kind: { status: 403, code: 'AuthorizationFailed' },
      times: 99,
    });
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result).toMatchObject({
      state: 'owed',
      owed: [{ reason: expect.stringMatching(/^1 jobs .* such as "train": .*AuthorizationFailed/) }],
      counts: [{ expected: 2, done: 1, skipped: [{ reason: 'owed: their end is not confirmed', count: 1 }] }],
    });
    expect((await readStopping(made.store, 'run-1'))?.end?.as).toBe('unconfirmed');
    expect(['train', 'queued'].map((name) => statusOf(made, name))).toEqual(['Running', 'Canceled']);
  });

  it('are gone with their workspace', async () => {
    const made = await three();
    made.arm.faults.push({
      method: 'LIST',
      path: /jobs/,
      kind: { status: 404, code: 'ResourceNotFound' },
      times: 99,
    });
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result).toMatchObject({ state: 'completed', detail: expect.stringContaining('is gone') });
  });

  it.each(['LIST', 'POST'] as const)('is owed when the old side is silent (%s)', async (method) => {
    const made = await three();
    made.arm.faults.push({ method, path: /eastus|ml-east/, kind: 'silent', times: 99 });
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result).toMatchObject({
      state: 'owed',
      owed: [{ kind: 'jobs', region: 'eastus', what: 'cancel the unfinished jobs of workspace "fraud-east"' }],
    });
    const counts =
      method === 'LIST'
        ? undefined
        : [{ done: 0, skipped: [{ reason: 'owed: their end is not confirmed', count: 2 }] }];
    if (counts) expect(result.counts).toMatchObject(counts);
    else expect(result.counts).toBeUndefined();
    // A region that shows its jobs, and takes no cancellation, is not silent.
    const as = method === 'LIST' ? 'silent' : 'unconfirmed';
    expect((await readStopping(made.store, 'run-1'))?.end?.as).toBe(as);
  });

  it('is owed when the old side hangs', async () => {
    const made = await three();
    const { arm } = made;
    arm.page = (_path, _version, options) =>
      new Promise((_resolve, reject) => {
        options?.onSent?.();
        options?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const context = made.context({ topology: topologyWith({ policies: { fenceDeadline: '1s' } }) });
    expect((await stopOldJobs(context, made.readLedger)).owed?.[0]?.reason).toBe('no answer in time');
  });

  it('owes jobs that do not end in time, by name', async () => {
    const made = await three();
    const { arm } = made;
    arm.start = () => Promise.resolve();
    const policies = { fenceDeadline: '1s', jobStopDeadline: '2s' };
    const context = made.context({ topology: topologyWith({ policies }), now: () => new Date() });
    expect((await stopOldJobs(context, made.readLedger)).owed?.[0]?.reason).toBe(
      '2 of 2 jobs of workspace "fraud-east" are still being cancelled, such as "train"',
    );
    // To have set out to cancel a job is not to have cancelled it.
    expect((await oldStatesOf(made, 'run-1'))('train')).toEqual({ is: 'asked' });
  });

  it('knows of some that they ended where others do not', async () => {
    const made = await three();
    const start = made.arm.start.bind(made.arm);
    made.arm.start = (path, ...rest) => (/train/.test(path) ? Promise.resolve() : start(path, ...rest));
    const policies = { fenceDeadline: '1s', jobStopDeadline: '2s' };
    const context = made.context({ topology: topologyWith({ policies }), now: () => new Date() });
    const { owed } = await stopOldJobs(context, made.readLedger);
    expect(owed?.[0]?.reason).toMatch(/^1 of 2 jobs/);
    const oldState = await oldStatesOf(made, 'run-1');
    expect(['train', 'queued'].map((name) => oldState(name).is)).toEqual(['asked', 'cancelled']);
  });

  it('does not take a job that ends at this moment for one that it stopped', async () => {
    const made = await three();
    const { arm } = made;
    const start = arm.start.bind(arm);
    arm.start = (path, ...rest) => {
      const job = arm.resources.get(`${eastId}/jobs/train`.toLowerCase());
      if (job) job.properties['status'] = 'Completed';
      return start(path, ...rest);
    };
    const result = await stopOldJobs(made.context(), made.readLedger);
    expect(result.counts).toEqual([
      {
        kind: 'old jobs',
        expected: 2,
        done: 1,
        skipped: [{ reason: 'ended by itself', count: 1 }],
        failed: [],
      },
    ]);
    expect((await oldStatesOf(made, 'run-1'))('train')).toEqual({
      is: 'ended',
      status: 'Completed',
      seenAt,
    });
  });

  it('what Azure refuses is thrown on by the plain form, with the reason', async () => {
    const made = await three();
    made.arm.faults.push({
      method: 'POST',
      path: /cancel/,
      kind: { status: 403, code: 'AuthorizationFailed' },
      times: 99,
    });
    await expect(cancelUnfinishedJobs(made.context().azure, sideOf(topologyWith(), 'eastus'))).rejects.toThrow(
      /AuthorizationFailed/,
    );
  });
});
