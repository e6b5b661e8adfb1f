/** How a run begins, is taken up again, and is planned to be undone. */
import { beforeEach, describe, expect, it } from 'vitest';
import { movePointer, readPointerIfAny } from '../../src/control-store/region-pointer.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { runBeginner, undoPlanner, type MakePlan } from '../../src/run/begin-run.ts';
import { runEnder } from '../../src/run/end-run.ts';
import { changeRun, readRun, readStep } from '../../src/run/journal.ts';
import { readRunLease, takeRunLease } from '../../src/run/lease.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { actionsWith, began, makeScene, type Scene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const noPlan: MakePlan = () => Promise.reject(new TypeError('no plan was expected to be made'));
const begin = (run = scene.run, makePlan = noPlan) => runBeginner(scene.open, makePlan, scene.clock.now)(run);
const fail = (reason: string, run = scene.run) =>
  runEnder(scene.open, scene.clock.now)({ run, state: 'failed', reason });
const cancelled = { by: 'someone', at: began.toISOString() };
const cancel = () => changeRun(scene.store, scene.header.runId, { cancelled });
const run = () => readRun(scene.store, scene.header.runId);
const record: Scene['record'] = (...of) => scene.record(...of);

describe('a run begins', () => {
  it('with its lease, its plan and an empty journal', async () => {
    const begun = await begin();
    expect(begun).toMatchObject({
      header: { from: 'eastus', to: 'westus3', triggeredAt: began.toISOString() },
      cancelled: false,
      paused: false,
      records: [],
    });
    expect(begun.steps.map(({ id }) => id)).toEqual(scene.plan.steps.map(({ id }) => id));
    expect(begun.steps.every((step) => !('input' in step))).toBe(true);
    expect(begun).not.toHaveProperty('deadlineSeconds');
    expect(await run()).toMatchObject({ state: 'running', startedAt: began.toISOString() });
    expect(await readRunLease(scene.store)).toMatchObject({ holder: 'wf-1' });
  });

  it('again with what the journal has, and without the end of before', async () => {
    await begin();
    await record('fence/platform/pointer', 'completed', { endedAt: began.toISOString() });
    scene.clock.forward(5000);
    await fail('no quota');
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
    scene.store.documents.delete('run-lease.json');
    await takeRunLease(scene.store, { runId: 'other', now: began });
    const message = 'run "other" is open on this topology';
    await expect(begin()).rejects.toMatchObject({ code: 'FencedError', message });
    expect(await run()).toMatchObject({
      state: 'failed',
      stateReason: expect.stringMatching(/^run "other" is open on this topology → Watch it/),
    });
    expect(await readRunLease(scene.store)).toMatchObject({ runId: 'other' });
  });

  it('not where something has moved since it was planned; and keeps nobody waiting then', async () => {
    await movePointer(scene.store, (found) => takeOver(found, 'westus3', 'other', began, 0));
    await expect(begin()).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('made in epoch 1, and the region pointer is at 2'),
    });
    expect(await run()).toMatchObject({ state: 'failed' });
    expect(await takeRunLease(scene.store, { runId: 'next', now: began })).toBeUndefined();
  });

  it('where it has moved the pointer itself', async () => {
    await movePointer(scene.store, (found) => takeOver(found, 'westus3', scene.header.runId, began, 0));
    await expect(begin(scene.as('wf-2', { resumed: true }))).resolves.toBeDefined();
  });

  it('where its pointer is lost: not once the store was used', async () => {
    scene.store.documents.delete('pointer.json');
    await scene.store.write('debts/eastus/jobs.json', '{}', 'application/json');
    await expect(begin()).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining('is missing, and this control store has been used'),
    });
    expect(await readPointerIfAny(scene.store)).toBeUndefined();
    scene.store.documents.delete('debts/eastus/jobs.json');
    scene = await makeScene();
    scene.store.documents.delete('pointer.json');
    await expect(begin()).resolves.toBeDefined();
    expect((await readPointerIfAny(scene.store))?.value).toMatchObject({ writer: 'eastus' });
  });

  it.each(['completed', 'cancelled'] as const)('not once it is %s; and takes no lease then', async (state) => {
    await changeRun(scene.store, scene.header.runId, { state });
    await expect(begin()).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining(state),
    });
    expect(await run()).toMatchObject({ state });
    expect(await readRunLease(scene.store)).not.toHaveProperty('holder');
  });

  it('again with the deadline and the pause that it has', async () => {
    await changeRun(scene.store, scene.header.runId, { deadlineSeconds: 90, paused: cancelled });
    expect(await begin()).toMatchObject({ deadlineSeconds: 90, paused: true });
  });

  it('with the deadline of the topology where it makes a recovery point', async () => {
    scene = await makeScene('replicate');
    expect((await begin()).deadlineSeconds).toBeGreaterThan(0);
    expect(await readRunLease(scene.store)).toBeUndefined();
  });

  it('cancelled, and does not become running', async () => {
    await cancel();
    await changeRun(scene.store, scene.header.runId, { state: 'undoing' });
    const begun = await begin();
    expect(begun.cancelled).toBe(true);
    expect(begun.steps).toHaveLength(scene.plan.steps.length);
    expect(await run()).toMatchObject({ state: 'undoing' });
  });
});

describe('a run without a plan', () => {
  let plan: Plan;
  beforeEach(async () => {
    scene = await makeScene('failover', { confirmed: false });
    plan = scene.plan;
  });

  it('makes it once', async () => {
    let times = 0;
    const makePlan: MakePlan = (given) => {
      times++;
      expect(given).toMatchObject({ run: { runId: scene.header.runId }, now: began });
      return Promise.resolve(plan);
    };
    expect((await run())?.plan).toBeUndefined();
    const begun = await begin(scene.run, makePlan);
    expect(begun.steps).toHaveLength(plan.steps.length);
    const { plan: digest, from, to } = scene.header;
    expect(begun.header).toMatchObject({ from, to });
    const recoveryPoint = plan.recoveryPoint?.id;
    expect(await run()).toMatchObject({ plan: digest, from, to, recoveryPoint, state: 'running' });
    await begin(scene.run, makePlan);
    expect(times).toBe(1);
  });

  it('keeps the plan of whoever is faster', async () => {
    const begun = await begin(scene.run, async () => {
      await begin(scene.run, () => Promise.resolve({ ...plan, notes: ['the faster'] }));
      return { ...plan, notes: ['the slower'], steps: [] };
    });
    const digest = (await run())?.plan ?? '';
    expect((await plans.open(scene.store, planFolder, digest)).notes).toEqual(['the faster']);
    expect(begun.steps).toHaveLength(plan.steps.length);
  });

  it('that cannot be planned has failed, and keeps nobody waiting', async () => {
    const refused = new UnderstudyError('PreconditionError', 'there is no recovery point');
    await expect(begin(scene.run, () => Promise.reject(refused))).rejects.toBe(refused);
    expect(await run()).toMatchObject({
      state: 'failed',
      stateReason: 'there is no recovery point',
      endedAt: began.toISOString(),
    });
    expect(await takeRunLease(scene.store, { runId: 'next', now: began })).toBeUndefined();
  });

  it('that may be planned later is not given up', async () => {
    const passing = new UnderstudyError('AzureUnavailable', 'no answer');
    await expect(begin(scene.run, () => Promise.reject(passing))).rejects.toBe(passing);
    expect(await run()).toMatchObject({ state: 'pending' });
    expect(await takeRunLease(scene.store, { runId: 'next', now: began })).toBeDefined();
    await expect(begin(scene.run, () => Promise.resolve(plan))).resolves.toBeDefined();
  });

  it('that is cancelled makes none, and has nothing to undo', async () => {
    await cancel();
    expect(await begin()).toMatchObject({ cancelled: true, steps: [], records: [] });
    expect(await undoPlanner(scene.open, scene.clock.now)(scene.run)).toEqual({ steps: [], records: [] });
  });

  it('that is cancelled while it is made has nothing to undo either', async () => {
    const begun = await begin(scene.run, async () => {
      await cancel();
      return plan;
    });
    expect(begun).toMatchObject({ cancelled: true, steps: [] });
    expect(await run()).toMatchObject({ state: 'pending', cancelled });
  });
});

describe('an undo plan', () => {
  const pointer = 'fence/platform/pointer';
  const intake = 'fence/platform/intake';
  const minute = (n: number) => new Date(began.getTime() + n * 60_000).toISOString();
  const planUndo = (run = scene.run) => undoPlanner(scene.open, scene.clock.now)(run);

  it('is compiled once, of what was done, newest first; sealed, and on the run', async () => {
    await begin();
    await record(pointer, 'completed', { endedAt: minute(1) });
    await record(intake, 'completed', { endedAt: minute(2) });
    await cancel();
    const first = await planUndo();
    expect(first.steps.map(({ id, needs }) => [id, needs])).toEqual([
      [intake, []],
      [pointer, [intake]],
    ]);
    expect(first.records.map(({ step }) => step).toSorted()).toEqual([intake, pointer]);
    const digest = (await run())?.undoPlan ?? '';
    expect(await plans.open(scene.store, planFolder, digest)).toMatchObject({ undoes: scene.header.plan });

    await record(intake, 'undone', { endedAt: minute(2) });
    const second = scene.as('wf-2', { resumed: true });
    await begin(second);
    const again = await planUndo(second);
    expect(again.steps).toEqual(first.steps);
    expect(again.records).toMatchObject([{ step: intake, state: 'undone' }, { step: pointer }]);
    expect((await run())?.undoPlan).toBe(digest);
  });

  it('is one, whoever of two is faster', async () => {
    await begin();
    await record(pointer, 'completed', { endedAt: minute(1) });
    const [one, other] = await Promise.all([planUndo(), planUndo()]);
    expect(one).toEqual(other);
  });

  it('is empty where a cancel leaves what was done', async () => {
    scene = await makeScene('replicate');
    await begin();
    await record('list', 'completed', { endedAt: minute(1) });
    expect((await planUndo()).steps).toEqual([]);
  });

  it('is not for an execution that was taken over', async () => {
    await begin();
    await begin(scene.as('wf-2', { resumed: true }));
    await expect(planUndo()).rejects.toMatchObject({ code: 'FencedError' });
    expect((await run())?.undoPlan).toBeUndefined();
  });

  it('misses nothing: whoever was fenced before it keeps no undo, and acts no more', async () => {
    await begin();
    let changed = false;
    const action = async (context: Parameters<ReturnType<typeof actionsWith>['stopOldIntake']>[0]) => {
      // The old execution is silent for a while, and another one takes the run up and cancels it.
      await cancel();
      const second = scene.as('wf-2', { resumed: true });
      await begin(second);
      expect((await planUndo(second)).steps).toEqual([]);
      await context.recordUndo(() => ({ was: 'enabled' }));
      changed = true;
      return { state: 'completed', detail: 'disabled' } as const;
    };
    const runStep = stepRunner(scene.open, actionsWith({ stopOldIntake: action }), scene.clock.now);
    await expect(runStep({ run: scene.run, step: intake }, scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
    });
    expect(changed).toBe(false);
    expect((await readStep(scene.store, scene.header.runId, intake))?.state).not.toBe('completed');
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
  await expect(runStep({ run: scene.run, step: 'fence/platform/writers' }, scene.runtime)).rejects.toMatchObject({
    code: 'FencedError',
  });
});
