/** A step runs once however often it is asked for, only under the leases, and counts only when it is journalled. */
import { beforeEach, describe, expect, it } from 'vitest';
import { movePointer } from '../../src/control-store/region-pointer.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { readStep } from '../../src/run/journal.ts';

import { holdRunLease, readRunLease, releaseRunLease } from '../../src/run/lease.ts';
import { stepRunner, stepUndoer, type Undo } from '../../src/run/run-step.ts';
import type { Action } from '../../src/run/step-context.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { actionsWith, began, makeScene, type Scene } from './scene.ts';

const step = 'fence/platform/intake';
let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const runner = (action: Action) =>
  stepRunner(scene.open, actionsWith({ stopOldIntake: action, listActive: action }), scene.clock.now);
const undoer = (undo: Undo) => stepUndoer(scene.open, { stopOldIntake: undo }, scene.clock.now);
const journalled = () => readStep(scene.store, scene.header.runId, step);
const request = () => ({ run: scene.run, step });
const done = () => Promise.resolve({ state: 'completed', detail: 'disabled nightly' } as const);

describe('a step', () => {
  it('runs, and its outcome is in the journal', async () => {
    const record = await runner(async (context) => {
      expect(context).toMatchObject({
        from: { region: 'eastus' },
        to: { region: 'westus3' },
        step: { id: step },
        run: { runId: scene.header.runId },
      });
      scene.clock.forward(2000);
      return { state: 'completed', detail: 'disabled nightly', facts: { schedules: 1 } };
    })(request(), scene.runtime);
    expect(record).toEqual({
      step,
      state: 'completed',
      detail: 'disabled nightly',
      facts: { schedules: 1 },
      holder: 'wf-1',
      attempts: 1,
      startedAt: '2026-11-21T10:00:00.000Z',
      endedAt: '2026-11-21T10:00:02.000Z',
    });
    expect(await journalled()).toEqual(record);
    expect(await readRunLease(scene.store)).toMatchObject({ runId: scene.header.runId, holder: 'wf-1' });
  });

  it.each(['completed', 'skipped'] as const)('that is %s is not run again, whoever asks', async (state) => {
    let times = 0;
    const run = runner(() => {
      times++;
      return Promise.resolve({ state, detail: 'once' });
    });
    const first = await run(request(), scene.runtime);
    const again = await run({ run: scene.as('wf-2', { resumed: true }), step }, scene.runtime);
    expect(again).toEqual(first);
    expect(times).toBe(1);
  });

  it('that may do better later stays running, with what went wrong last', async () => {
    const failing = runner(() =>
      Promise.reject(new UnderstudyError('AzureUnavailable', 'GET …: no answer', { next: 'Wait.' })),
    );
    await expect(failing(request(), scene.runtime)).rejects.toThrow('no answer');
    expect(await journalled()).toMatchObject({
      state: 'running',
      attempts: 1,
      error: { code: 'AzureUnavailable', message: 'GET …: no answer', next: 'Wait.' },
    });
    scene.clock.forward(1000);
    const record = await runner(done)(request(), scene.runtime);
    expect(record).toMatchObject({ state: 'completed', attempts: 2, startedAt: began.toISOString() });
    expect(record.error).toBeUndefined();
  });

  it.each([
    ['our own final error', new UnderstudyError('PreconditionError', 'no quota'), 'PreconditionError'],
    ['a defect', new TypeError('x is undefined'), 'Error'],
  ])('with %s has failed, and can be run again all the same', async (_what, error, code) => {
    await expect(runner(() => Promise.reject(error))(request(), scene.runtime)).rejects.toBe(error);
    expect(await journalled()).toMatchObject({
      state: 'failed',
      endedAt: began.toISOString(),
      error: { code, message: error.message },
    });
    expect(await runner(done)(request(), scene.runtime)).toMatchObject({ state: 'completed', attempts: 2 });
  });

  it('whose counts do not add up has failed', async () => {
    const counts = [
      { kind: 'blobs', expected: 3, done: 1, skipped: [{ reason: 'there', count: 1 }], failed: [] },
    ];
    const run = runner(() => Promise.resolve({ state: 'completed', detail: 'all copied', counts }));
    await expect(run(request(), scene.runtime)).rejects.toThrow(
      'counts of blobs do not reconcile: expected 3, accounted for 2 (done 1, skipped 1, failed 0)',
    );
    expect(await journalled()).toMatchObject({ state: 'failed' });
  });

  it('that is cancelled leaves the journal as it was', async () => {
    const controller = new AbortController();
    const run = runner(() => {
      controller.abort();
      return Promise.reject(new Error('aborted'));
    });
    await expect(run(request(), { ...scene.runtime, signal: controller.signal })).rejects.toThrow('aborted');
    const record = await journalled();
    expect(record).toMatchObject({ state: 'running' });
    expect(record?.error).toBeUndefined();
  });

  it('that the plan does not have is refused', async () => {
    await expect(
      runner(done)({ run: scene.run, step: 'fence/platform/other' }, scene.runtime),
    ).rejects.toMatchObject({
      code: 'ControlStoreError',
    });
  });

  it('tells its progress, and is told the cursor of the attempt before', async () => {
    const run = runner(async (context) => {
      expect(context.cursor).toEqual({ marker: 'm' });
      await context.checkpoint({ unit: 'blobs', done: 5, total: 9 });
      return { state: 'completed', detail: 'done' };
    });
    const lastProgress = { unit: 'blobs', done: 4, cursor: { marker: 'm' } };
    await run(request(), { ...scene.runtime, lastProgress });
    expect(scene.runtime.told).toEqual([{ unit: 'blobs', done: 5, total: 9 }]);
  });

  it('sees the outcome of earlier steps, once they are done', async () => {
    await runner(() => Promise.resolve({ state: 'completed', detail: 'x', facts: { epoch: 2 } }))(
      request(),
      scene.runtime,
    );
    const run = stepRunner(
      scene.open,
      actionsWith({
        stopOldJobs: async (context) => {
          expect((await context.outcomeOf(step))?.facts).toEqual({ epoch: 2 });
          expect(await context.outcomeOf('fence/platform/pointer')).toBeUndefined();
          return { state: 'skipped', detail: 'nothing' };
        },
      }),
      scene.clock.now,
    );
    await run({ run: scene.run, step: 'fence/platform/jobs' }, scene.runtime);
  });
});

describe('an execution that was taken over', () => {
  const takeOverAs = (holder: string) =>
    holdRunLease(scene.store, {
      runId: scene.header.runId,
      holder,
      ttlMs: 60_000,
      now: scene.clock.now().getTime(),
      takeOver: true,
    });

  it('begins no step', async () => {
    await takeOverAs('wf-1');
    await takeOverAs('wf-2');
    let ran = false;
    const run = runner(() => {
      ran = true;
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({ code: 'FencedError' });
    expect(ran).toBe(false);
    expect(await journalled()).toBeUndefined();
  });

  it('stops at its next checkpoint', async () => {
    const run = runner(async (context) => {
      await takeOverAs('wf-2');
      await context.checkpoint({ unit: 'blobs', done: 1 });
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({ code: 'FencedError' });
  });

  it('cannot settle a step, even one that it has finished', async () => {
    const run = runner(async () => {
      await takeOverAs('wf-2');
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({ code: 'FencedError' });
    expect((await journalled())?.state).not.toBe('completed');
    const record = await runner(done)({ run: scene.as('wf-2'), step }, scene.runtime);
    expect(record).toMatchObject({ state: 'completed', holder: 'wf-2', attempts: 2 });
  });

  it('does not write its failure over what the other one has', async () => {
    const run = runner(async () => {
      await takeOverAs('wf-2');
      await runner(done)({ run: scene.as('wf-2'), step }, scene.runtime);
      throw new UnderstudyError('AzureError', 'late');
    });
    await expect(run(request(), scene.runtime)).rejects.toThrow('late');
    expect(await journalled()).toMatchObject({ state: 'completed', holder: 'wf-2' });
  });
});

describe('a run whose lease has run out', () => {
  it('goes on where nothing has moved', async () => {
    const run = runner(async (context) => {
      scene.clock.forward(600_000);
      await context.checkpoint({ unit: 'blobs', done: 1 });
      return done();
    });
    expect(await run(request(), scene.runtime)).toMatchObject({ state: 'completed' });
  });

  it('does nothing more once another run has moved the pointer, though that has ended', async () => {
    const run = runner(async (context) => {
      scene.clock.forward(600_000);
      await movePointer(scene.store, (found) => takeOver(found, 'westus3', 'other', scene.clock.now(), 0));
      await context.checkpoint({ unit: 'blobs', done: 1 });
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('something moved since'),
    });
  });
});

describe('a step of an execution that has ended', () => {
  it('does not take the lease that was given back', async () => {
    const now = scene.clock.now().getTime();
    const run = runner(async (context) => {
      await releaseRunLease(scene.store, { runId: scene.header.runId, holder: 'wf-1', now });
      await context.checkpoint({ unit: 'blobs', done: 1 });
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
      message: `this execution of run "${scene.header.runId}" has ended`,
    });
    expect((await journalled())?.state).not.toBe('completed');
  });
});

describe('a step of a replication', () => {
  it('writes under the lease of its epoch, and no longer', async () => {
    scene = await makeScene('replicate');
    const run = stepRunner(
      scene.open,
      actionsWith({
        payFenceDebt: async (context) => {
          await movePointer(scene.store, (found) =>
            takeOver(found, 'westus3', 'run-x', scene.clock.now(), 5000),
          );
          await context.checkpoint({ unit: 'blobs', done: 1 });
          return done();
        },
      }),
      scene.clock.now,
    );
    await expect(run({ run: scene.run, step: 'pay-debt' }, scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('this run writes in epoch 1, the region pointer is at 2'),
    });
  });
});

describe('what an undo needs', () => {
  it('is what the first attempt kept, whatever later ones see', async () => {
    let state = 'enabled';
    const seen: unknown[] = [];
    const action: Action = async (context) => {
      seen.push(await context.keepUndo(() => ({ was: state })));
      state = 'disabled';
      if (seen.length === 1) throw new UnderstudyError('AzureUnavailable', 'no answer');
      return { state: 'completed', detail: 'disabled' };
    };
    await expect(runner(action)(request(), scene.runtime)).rejects.toThrow('no answer');
    expect(await runner(action)(request(), scene.runtime)).toMatchObject({
      state: 'completed',
      undo: { was: 'enabled' },
    });
    expect(seen).toEqual([{ was: 'enabled' }, { was: 'enabled' }]);
  });

  it('is kept before the step changes anything', async () => {
    const action: Action = async (context) => {
      await context.keepUndo(() => ({ was: 'enabled' }));
      expect(await journalled()).toMatchObject({ state: 'running', undo: { was: 'enabled' } });
      return { state: 'completed', detail: 'disabled' };
    };
    await runner(action)(request(), scene.runtime);
  });
});

describe('undoing', () => {
  const keeping: Action = async (context) => {
    await context.keepUndo(() => ({ was: 'enabled' }));
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
    expect(await undo(request(), scene.runtime)).toEqual(before);
  });

  it('that is refused is written down, and not thrown: the next one goes on', async () => {
    await runner(keeping)(request(), scene.runtime);
    const undo = undoer(() => Promise.reject(new UnderstudyError('AzureError', 'the schedule is gone')));
    expect(await undo(request(), scene.runtime)).toMatchObject({
      state: 'undo-failed',
      detail: 'disabled — undo failed: the schedule is gone',
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
