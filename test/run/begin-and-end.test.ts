/** How a run begins, ends, is taken up again, and what is read of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { holdWriterLease, movePointer, peekPointer } from '../../src/control-store/region-pointer.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { runBeginner, runEnder } from '../../src/run/begin-and-end.ts';
import { changeRun, listRuns, listSteps, openRun, readRun, recordStep } from '../../src/run/journal.ts';
import { holdRunLease, readRunLease } from '../../src/run/lease.ts';
import { reconcile, type StepRecord } from '../../src/run/outcome.ts';
import { workflowIdOf } from '../../src/run/reference.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { actionsWith, began, makeScene, type Scene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const begin = (run = scene.run) => runBeginner(scene.open, scene.clock.now)(run);
const end = (state: 'completed' | 'failed' | 'cancelled', reason?: string, run = scene.run) =>
  runEnder(scene.open, scene.clock.now)({ run, state, ...(reason === undefined ? {} : { reason }) });
const run = () => readRun(scene.store, scene.header.runId);
const record = (step: string, state: StepRecord['state'], more: Partial<StepRecord> = {}) =>
  recordStep(scene.store, scene.header.runId, step, () => ({
    step,
    state,
    holder: 'wf-1',
    attempts: 1,
    startedAt: began.toISOString(),
    ...more,
  }));

describe('a run begins', () => {
  it('with its lease, its plan and an empty journal', async () => {
    const begun = await begin();
    expect(begun.records).toEqual([]);
    expect(begun.steps.map(({ id }) => id)).toEqual(scene.plan.steps.map(({ id }) => id));
    expect(begun.steps.every((step) => !('input' in step))).toBe(true);
    expect(await run()).toMatchObject({ state: 'running', startedAt: began.toISOString() });
    expect(await readRunLease(scene.store)).toMatchObject({ holder: 'wf-1' });
  });

  it('again with what the journal has, and without the end of before', async () => {
    await begin();
    await record('fence/platform/pointer', 'completed', { endedAt: began.toISOString() });
    scene.clock.forward(5000);
    await end('failed', 'no quota');
    expect(await run()).toMatchObject({ state: 'failed', stateReason: 'no quota' });
    scene.clock.forward(5000);
    const begun = await begin(scene.as('wf-2', { resumed: true }));
    expect(begun.records).toMatchObject([{ step: 'fence/platform/pointer', state: 'completed' }]);
    const document = await run();
    expect(document).toMatchObject({ state: 'running', startedAt: began.toISOString() });
    expect(document).not.toHaveProperty('endedAt');
    expect(document).not.toHaveProperty('stateReason');
  });

  it('not beside another run', async () => {
    const other = { runId: 'other', holder: 'x', ttlMs: 60_000, now: began.getTime() };
    await holdRunLease(scene.store, other);
    await expect(begin()).rejects.toMatchObject({
      code: 'FencedError',
      message: 'run "other" is acting on this topology',
    });
    expect(await run()).toMatchObject({
      state: 'failed',
      stateReason: 'run "other" is acting on this topology',
    });
  });

  it('not where something has moved since it was planned', async () => {
    await movePointer(scene.store, (found) => takeOver(found, 'westus3', 'other', began, 0));
    await expect(begin()).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('made in epoch 1, and the region pointer is at 2'),
    });
    expect((await readRunLease(scene.store))?.expiresAt).toBe(0);
  });

  it('where it has moved the pointer itself', async () => {
    await movePointer(scene.store, (found) => takeOver(found, 'westus3', scene.header.runId, began, 0));
    await expect(begin(scene.as('wf-2', { resumed: true }))).resolves.toBeDefined();
  });

  it.each(['completed', 'cancelled'] as const)(
    'not once it is %s; and takes no lease then',
    async (state) => {
      await changeRun(scene.store, scene.header.runId, { state });
      await expect(begin()).rejects.toMatchObject({
        code: 'FencedError',
        message: expect.stringContaining(state),
      });
      expect(await readRunLease(scene.store)).toBeUndefined();
    },
  );
});

describe('a run ends', () => {
  it('with its state, its report in three forms, and its lease given back', async () => {
    await begin();
    scene.clock.forward(60_000);
    await end('completed', 'every step is done');
    expect(await run()).toMatchObject({
      state: 'completed',
      stateReason: 'every step is done',
      endedAt: '2026-11-21T10:01:00.000Z',
    });
    const names = await Array.fromAsync(scene.store.list(`runs/${scene.header.runId}/report`));
    expect(names.map((name) => name.split('.').at(-1))).toEqual(['html', 'json', 'txt']);
    const next = { runId: 'next', holder: 'x', ttlMs: 60_000, now: scene.clock.now().getTime() };
    await expect(holdRunLease(scene.store, next)).resolves.toBeUndefined();
  });

  it('with no step left running', async () => {
    await begin();
    await record('fence/platform/pointer', 'completed');
    await record('fence/platform/jobs', 'running');
    await record('fence/platform/intake', 'running', {
      error: { code: 'AzureUnavailable', message: 'no answer' },
    });
    await end('cancelled');
    const states = (await listSteps(scene.store, scene.header.runId)).map(({ step, state, error }) => [
      step,
      state,
      error?.message,
    ]);
    expect(states).toEqual([
      ['fence/platform/intake', 'failed', 'no answer'],
      ['fence/platform/jobs', 'failed', 'cancelled while it ran'],
      ['fence/platform/pointer', 'completed', undefined],
    ]);
  });

  it('with what was given up written down, and what failed by itself as it was', async () => {
    await begin();
    await record('fence/platform/pointer', 'completed', { detail: 'epoch 2' });
    await record('fence/platform/jobs', 'failed', { error: { code: 'AzureError', message: 'refused' } });
    const message = 'no worker answers on train-01';
    await runEnder(
      scene.open,
      scene.clock.now,
    )({
      run: scene.run,
      state: 'cancelled',
      givenUp: [
        { step: 'fence/platform/pointer', state: 'undo-failed', message: `undo failed: ${message}` },
        { step: 'fence/platform/jobs', state: 'failed', message: 'Activity task failed' },
        { step: 'switch/platform/configs-1', state: 'failed', message },
      ],
    });
    const steps = await listSteps(scene.store, scene.header.runId);
    expect(steps.map(({ step, state, detail, error }) => [step, state, error?.message ?? detail])).toEqual([
      ['fence/platform/jobs', 'failed', 'refused'],
      ['fence/platform/pointer', 'undo-failed', `epoch 2 — undo failed: ${message}`],
      ['switch/platform/configs-1', 'failed', message],
    ]);
  });

  it('not by an execution that was taken over', async () => {
    await begin();
    await begin(scene.as('wf-2', { resumed: true }));
    await expect(end('failed', 'every step was fenced')).rejects.toMatchObject({ code: 'FencedError' });
    expect(await run()).toMatchObject({ state: 'running' });
    expect(await readRunLease(scene.store)).toMatchObject({
      holder: 'wf-2',
      expiresAt: began.getTime() + 60_000,
    });
    await end('completed', undefined, scene.as('wf-2'));
    expect(await run()).toMatchObject({ state: 'completed' });
  });

  it('of a replication, with the writer lease given back', async () => {
    scene = await makeScene('replicate');
    await begin();
    await holdWriterLease(scene.store, {
      holder: scene.header.runId,
      epoch: 1,
      ttlMs: 30_000,
      skewMs: 0,
      now: began.getTime(),
    });
    await end('completed');
    expect((await peekPointer(scene.store))?.value.lease).toBeUndefined();
  });
});

describe('the journal', () => {
  it('refuses a run id that is taken by another plan, and takes the same run twice', async () => {
    await expect(openRun(scene.store, scene.header)).resolves.toBeUndefined();
    await expect(openRun(scene.store, { ...scene.header, plan: 'other' })).rejects.toMatchObject({
      code: 'FencedError',
    });
  });

  it('lists runs newest first, and steps whatever their ids', async () => {
    for (const runId of ['20261121T110000Z-failover-0002', '20261120T110000Z-failover-0003']) {
      await openRun(scene.store, { ...scene.header, runId });
    }
    await record('restore/data/blobs', 'completed');
    expect((await listRuns(scene.store)).map(({ runId }) => runId.slice(0, 15))).toEqual([
      '20261121T110000',
      '20261121T100000',
      '20261120T110000',
    ]);
    expect((await listSteps(scene.store, scene.header.runId)).map(({ step }) => step)).toEqual([
      'restore/data/blobs',
    ]);
  });

  it('keeps what two write at once', async () => {
    await Promise.all([
      changeRun(scene.store, scene.header.runId, { lost: ['a job'] }),
      changeRun(scene.store, scene.header.runId, { stateReason: 'slow' }),
    ]);
    expect(await run()).toMatchObject({ lost: ['a job'], stateReason: 'slow' });
  });
});

it('a run whose Temporal was lost is taken up, and its steps are not run again', async () => {
  let times = 0;
  const actions = actionsWith({
    stopOldIntake: () => Promise.resolve({ state: 'completed', detail: `time ${++times}` }),
    stopOldJobs: () =>
      times++ === 1
        ? Promise.reject(new UnderstudyError('AzureError', 'x'))
        : Promise.resolve({ state: 'completed', detail: 'ok' }),
  });
  const runStep = stepRunner(scene.open, actions, scene.clock.now);
  await begin();
  await runStep({ run: scene.run, step: 'fence/platform/intake' }, scene.runtime);
  await expect(runStep({ run: scene.run, step: 'fence/platform/jobs' }, scene.runtime)).rejects.toThrow('x');
  const second = scene.as('wf-2', { resumed: true });
  const begun = await begin(second);
  expect(begun.records.map(({ step, state }) => [step, state])).toEqual([
    ['fence/platform/intake', 'completed'],
    ['fence/platform/jobs', 'failed'],
  ]);
  expect(await runStep({ run: second, step: 'fence/platform/intake' }, scene.runtime)).toMatchObject({
    detail: 'time 1',
  });
  expect(await runStep({ run: second, step: 'fence/platform/jobs' }, scene.runtime)).toMatchObject({
    state: 'completed',
  });
  await expect(
    runStep({ run: scene.run, step: 'fence/platform/writers' }, scene.runtime),
  ).rejects.toMatchObject({
    code: 'FencedError',
  });
});

it('counts are reconciled in one place', () => {
  const counts = {
    kind: 'jobs',
    expected: 4,
    done: 1,
    skipped: [{ reason: 'a', count: 2 }],
    failed: [{ reason: 'b', count: 1 }],
  };
  expect(reconcile(counts)).toBe(counts);
  expect(() => reconcile({ ...counts, expected: 5 })).toThrow(RangeError);
  expect(() => reconcile({ ...counts, expected: 3 })).toThrow('expected 3, accounted for 4');
});

it('moves of one topology share a workflow id; replication has its own', () => {
  const topology = 'fraud-ml';
  expect(workflowIdOf({ topology, operation: 'failover' })).toBe(
    workflowIdOf({ topology, operation: 'failback' }),
  );
  expect(workflowIdOf({ topology, operation: 'replicate' })).not.toBe(
    workflowIdOf({ topology, operation: 'failover' }),
  );
});
