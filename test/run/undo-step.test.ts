/** A step is undone once, with what it kept; what could not be undone is written down, and can be tried again. */
import { beforeEach, describe, expect, it } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { actionNames } from '../../src/plan/actions.ts';
import { changeRun, readStep } from '../../src/run/journal.ts';
import { holdRunLease } from '../../src/run/lease.ts';
import { outcomeOf } from '../../src/run/work/outcome.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import type { Action } from '../../src/run/work/step-context.ts';
import { stepUndoer, type Undo, type Undos } from '../../src/run/undo-step.ts';
import { actionsWith, began, makeScene, type Scene } from './scene.ts';

const step = 'fence/platform/intake';
let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

/** Undos that fail the test, but for the one given. */
const undosWith = (undo: Undo): Undos => {
  const unexpected = actionNames.map((name) => [
    name,
    () => Promise.reject(new TypeError(`the test did not expect an undo of ${name}`)),
  ]);
  return { ...(Object.fromEntries(unexpected) as Undos), stopOldIntake: undo };
};
const runner = (action: Action) => stepRunner(scene.open, actionsWith({ stopOldIntake: action }), scene.clock.now);
const undoer = (undo: Undo) => stepUndoer(scene.open, undosWith(undo), scene.clock.now);
const journalled = () => readStep(scene.store, scene.header.runId, step);
const request = () => ({ run: scene.run, step });

describe('undoing', () => {
  const keeping: Action = async (context) => {
    await context.recordUndo(() => ({ was: 'enabled' }));
    return { state: 'completed', detail: 'disabled' };
  };

  it('gives back what was kept, once', async () => {
    const given: unknown[] = [];
    const undo = undoer((_context, kept) => {
      given.push(kept);
      return Promise.resolve('enabled again');
    });
    await runner(keeping)(request(), scene.runtime);
    expect(await undo(request(), scene.runtime)).toMatchObject({
      state: 'undone',
      detail: 'disabled — enabled again',
    });
    expect(await undo(request(), scene.runtime)).toMatchObject({ state: 'undone' });
    expect(given).toEqual([{ was: 'enabled' }]);
  });

  it.each([
    ['broken off', new UnderstudyError('AzureUnavailable', 'no answer'), 'running'],
    ['that failed', new UnderstudyError('AzureError', 'refused'), 'failed'],
  ])('includes a step %s half-way', async (_what, error, state) => {
    const run = runner(async (context) => {
      await keeping(context);
      throw error;
    });
    await expect(run(request(), scene.runtime)).rejects.toBe(error);
    expect(await journalled()).toMatchObject({ state });
    expect(await undoer(() => Promise.resolve('enabled again'))(request(), scene.runtime)).toMatchObject({
      state: 'undone',
      detail: 'enabled again',
    });
  });

  it.each([
    ['has not begun', undefined],
    ['was skipped', () => Promise.resolve({ state: 'skipped', detail: 'nothing' } as const)],
    ['failed before it changed anything', () => Promise.reject(new UnderstudyError('AzureError', 'refused'))],
  ] satisfies [string, Action | undefined][])('leaves alone what %s', async (_what, action) => {
    if (action) await runner(action)(request(), scene.runtime).catch(() => undefined);
    const before = await journalled();
    const undo = undoer(() => Promise.reject(new TypeError('nothing to undo')));
    expect(await undo(request(), scene.runtime)).toEqual(before && outcomeOf(before));
    expect(await journalled()).toEqual(before);
  });

  it('that is refused is written down, and not thrown: the next one goes on', async () => {
    await runner(keeping)(request(), scene.runtime);
    const undo = undoer(() => Promise.reject(new UnderstudyError('AzureError', 'the schedule is gone')));
    expect(await undo(request(), scene.runtime)).toMatchObject({
      state: 'undo-failed',
      detail: 'disabled — undo failed: the schedule is gone',
    });
  });

  it('that was refused is tried again when somebody asks, and says only how it went last', async () => {
    await runner(keeping)(request(), scene.runtime);
    const refused = (why: string) =>
      undoer(() => Promise.reject(new UnderstudyError('AzureError', why)))(request(), scene.runtime);
    await refused('the schedule is locked');
    expect(await refused('it still is')).toMatchObject({
      state: 'undo-failed',
      detail: 'disabled — undo failed: it still is',
    });
    expect(await undoer(() => Promise.resolve('enabled again'))(request(), scene.runtime)).toMatchObject({
      state: 'undone',
      detail: 'disabled — enabled again',
    });
  });

  it('goes on though the run is cancelled', async () => {
    await runner(keeping)(request(), scene.runtime);
    await changeRun(scene.store, scene.header.runId, {
      cancelled: { by: 'someone', at: began.toISOString() },
    });
    expect(await undoer(() => Promise.resolve('ok'))(request(), scene.runtime)).toMatchObject({
      state: 'undone',
    });
  });

  it('that may do better later is tried again', async () => {
    await runner(keeping)(request(), scene.runtime);
    const undo = undoer(() => Promise.reject(new UnderstudyError('AzureUnavailable', 'no answer')));
    await expect(undo(request(), scene.runtime)).rejects.toThrow('no answer');
    expect(await journalled()).toMatchObject({ state: 'completed' });
    expect(await undoer(() => Promise.resolve('ok'))(request(), scene.runtime)).toMatchObject({
      state: 'undone',
    });
  });

  it('is not for an execution that was taken over', async () => {
    await runner(keeping)(request(), scene.runtime);
    await holdRunLease(scene.store, {
      runId: scene.header.runId,
      holder: 'wf-2',
      ttlMs: 60_000,
      now: began.getTime(),
      takeOver: true,
    });
    const undo = undoer(() => Promise.reject(new TypeError('it must not run')));
    await expect(undo(request(), scene.runtime)).rejects.toMatchObject({ code: 'FencedError' });
  });
});
