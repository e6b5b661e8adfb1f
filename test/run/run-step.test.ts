/** A step runs once however often it is asked for, only under the leases, and counts only when it is journalled. */
import { beforeEach, describe, expect, it } from 'vitest';
import { movePointer, readPointerIfAny } from '../../src/control-store/region-pointer.ts';
import { runEnder } from '../../src/run/end-run.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { changeRun, readRun, readStep } from '../../src/run/journal.ts';
import { holdRunLease, readRunLease, releaseRunLease } from '../../src/run/lease.ts';
import { takeLease } from '../../src/run/leases.ts';
import { stepRunner } from '../../src/run/run-step.ts';
import { provided } from '../../src/run/work/provided.ts';
import type { Action } from '../../src/run/work/step-context.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { actionsWith, began, makeScene, type Scene } from './scene.ts';

const step = 'fence/platform/intake';
let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const runner = (action: Action) =>
  stepRunner(scene.open, actionsWith({ stopOldIntake: action, listActive: action }), scene.clock.now);
const journalled = () => readStep(scene.store, scene.header.runId, step);
const request = () => ({ run: scene.run, step });
const done = () => Promise.resolve({ state: 'completed', detail: 'disabled nightly' } as const);

describe('a step', () => {
  it('runs, and its outcome is in the journal', async () => {
    const outcome = await runner(async (context) => {
      expect(context).toMatchObject({
        from: { region: 'eastus' },
        to: { region: 'westus3' },
        step: { id: step },
        run: { runId: scene.header.runId },
      });
      scene.clock.forward(2000);
      return { state: 'completed', detail: 'disabled nightly', facts: { schedules: 1 } };
    })(request(), scene.runtime);
    const what = {
      step,
      state: 'completed',
      detail: 'disabled nightly',
      attempts: 1,
      startedAt: '2026-11-21T10:00:00.000Z',
      endedAt: '2026-11-21T10:00:02.000Z',
    };
    expect(outcome).toEqual(what);
    expect(await journalled()).toEqual({ ...what, facts: { schedules: 1 }, holder: 'wf-1' });
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
    expect((await journalled())?.error).toBeUndefined();
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
    const counts = [{ kind: 'blobs', expected: 3, done: 1, skipped: [{ reason: 'there', count: 1 }], failed: [] }];
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

  it('is small on its way, however much it has counted', async () => {
    const reasons = Array.from({ length: 10_000 }, (_, n) => ({
      reason: `${n} `.padEnd(200, 'x'),
      count: 1,
    }));
    const counts = [{ kind: 'blobs', expected: 10_000, done: 0, skipped: [], failed: reasons }];
    const lost = reasons.map(({ reason }) => reason);
    const detail = lost.join('; ');
    const run = runner(() => Promise.resolve({ state: 'completed', detail, counts, lost }));
    const outcome = await run(request(), scene.runtime);
    expect(JSON.stringify(outcome).length).toBeLessThan(2048);
    expect(outcome).toMatchObject({ state: 'completed', lost: 10_000 });
    expect(await journalled()).toMatchObject({ detail, counts, lost });
  });

  it('that the plan does not have is refused', async () => {
    await expect(runner(done)({ run: scene.run, step: 'fence/platform/other' }, scene.runtime)).rejects.toMatchObject({
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

  it('that has stalled says so in the journal, whatever its work threw', async () => {
    const ended = new AbortController();
    const run = runner((context) => {
      ended.abort(new UnderstudyError('StalledError', 'no progress for 5m'));
      context.signal.throwIfAborted();
      return done();
    });
    const runtime = { ...scene.runtime, signal: ended.signal };
    await expect(run(request(), runtime)).rejects.toMatchObject({ code: 'StalledError' });
    expect(await journalled()).toMatchObject({
      state: 'running',
      error: { code: 'StalledError', message: 'no progress for 5m' },
    });
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
          expect((await provided(context, 'old.intake-stopped'))[0]?.facts).toEqual({ epoch: 2 });
          expect(await provided(context, 'pointer.taken')).toEqual([]);
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
    expect(record).toMatchObject({ state: 'completed', attempts: 2 });
    expect(await journalled()).toMatchObject({ holder: 'wf-2' });
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

describe('a run that is cancelled', () => {
  const cancelled = { by: 'someone', at: began.toISOString() };
  const cancel = () => changeRun(scene.store, scene.header.runId, { cancelled });
  const refusal = {
    code: 'CancelledRun',
    message: expect.stringContaining('was cancelled by someone') as string,
  };
  const mustNot: Action = () => Promise.reject(new TypeError('it must not run'));

  it('starts no step', async () => {
    await cancel();
    await expect(runner(mustNot)(request(), scene.runtime)).rejects.toMatchObject(refusal);
  });

  it('starts none that has been written down as running, but has not begun to act', async () => {
    const swap = scene.store.swap.bind(scene.store);
    scene.store.swap = async (name, value, etag) => {
      const written = await swap(name, value, etag);
      if (name.includes('/steps/') && (await readRun(scene.store, scene.header.runId))?.cancelled === undefined)
        await cancel();
      return written;
    };
    await expect(runner(mustNot)(request(), scene.runtime)).rejects.toMatchObject(refusal);
    const record = await journalled();
    expect(record).toMatchObject({ state: 'running', attempts: 1 });
    expect(record?.undo).toBeUndefined();
  });

  it('still says what is done', async () => {
    await runner(done)(request(), scene.runtime);
    await cancel();
    expect(await runner(mustNot)(request(), scene.runtime)).toMatchObject({ state: 'completed' });
  });
});

describe('a loss that a person has accepted', () => {
  const accept = (id: string) =>
    changeRun(scene.store, scene.header.runId, {
      accepted: { [id]: { by: 'someone', at: began.toISOString(), reason: 'we can do without' } },
    });
  const failing = new UnderstudyError('AzureError', 'the cluster was refused');
  const restore = () => scene.plan.steps.find(({ action }) => action === 'restoreBlobs')?.id ?? '';
  const runnerOf = (action: Action) =>
    stepRunner(scene.open, actionsWith({ restoreBlobs: action, stopOldIntake: action }), scene.clock.now);

  it('completes a step that would have failed, and says so', async () => {
    const id = restore();
    await accept(id);
    const outcome = await runnerOf((context) => {
      expect(context.acceptedLoss).toMatchObject({ by: 'someone', reason: 'we can do without' });
      return Promise.reject(failing);
    })({ run: scene.run, step: id }, scene.runtime);
    expect(outcome).toMatchObject({
      state: 'completed',
      detail: 'not all was done, and that was accepted: the cluster was refused',
      lost: 1,
    });
    const record = await readStep(scene.store, scene.header.runId, id);
    expect(record?.lost).toEqual(['the cluster was refused (accepted by someone: we can do without)']);
    expect(await runnerOf(() => Promise.reject(failing))({ run: scene.run, step: id }, scene.runtime)).toEqual(outcome);
  });

  it('is not one by the first error that may pass, however often an execution before tried it', async () => {
    const id = restore();
    const passing = new UnderstudyError('AzureUnavailable', 'HTTP 503');
    const run = (holder: string) =>
      runnerOf(() => Promise.reject(passing))({ run: scene.as(holder, { resumed: true }), step: id }, scene.runtime);
    for (let attempt = 0; attempt < 6; attempt++) await expect(run('wf-1')).rejects.toBe(passing);
    await accept(id);
    await takeLease(scene.store, scene.as('wf-2', { resumed: true }), scene.clock.now());
    for (let attempt = 1; attempt < 5; attempt++) await expect(run('wf-2')).rejects.toBe(passing);
    expect(await run('wf-2')).toMatchObject({ state: 'completed', attempts: 11 });
  });

  it('is not accepted of another step', async () => {
    await accept('restore/data/other');
    const id = restore();
    await expect(runnerOf(() => Promise.reject(failing))({ run: scene.run, step: id }, scene.runtime)).rejects.toBe(
      failing,
    );
    expect(await readStep(scene.store, scene.header.runId, id)).toMatchObject({ state: 'failed' });
  });

  it('is not one where the step must be done', async () => {
    await accept(step);
    await expect(runnerOf(() => Promise.reject(failing))(request(), scene.runtime)).rejects.toBe(failing);
    expect(await journalled()).toMatchObject({ state: 'failed' });
  });

  it.each([
    ['who holds the run', new UnderstudyError('FencedError', 'taken over')],
    ['what is written of it', new UnderstudyError('ControlStoreError', 'altered')],
    ['a cancel', new UnderstudyError('CancelledRun', 'cancelled')],
    ['a defect', new TypeError('x is undefined')],
  ])('is not %s', async (_what, error) => {
    const id = restore();
    await accept(id);
    await expect(runnerOf(() => Promise.reject(error))({ run: scene.run, step: id }, scene.runtime)).rejects.toBe(
      error,
    );
    expect((await readStep(scene.store, scene.header.runId, id))?.state).not.toBe('completed');
  });
});

describe('a step that a person skips', () => {
  const skipped = { state: 'skipped', detail: 'skipped by ana (claimed): no quota' } as const;
  const blobs = (action: Action) => stepRunner(scene.open, actionsWith({ restoreBlobs: action }), scene.clock.now);
  const restore = () => scene.plan.steps.find(({ action }) => action === 'restoreBlobs')?.id ?? 'none';

  it('ends its attempt at the next checkpoint, and counts as skipped', async () => {
    let batches = 0;
    const outcome = await blobs(async (context) => {
      await context.checkpoint({ unit: 'blobs', done: batches++ });
      await scene.record(restore(), 'skipped', skipped);
      for (; batches < 10; batches++) await context.checkpoint({ unit: 'blobs', done: batches });
      throw new Error('it was not ended');
    })({ run: scene.run, step: restore() }, scene.runtime);
    expect(outcome).toMatchObject(skipped);
    expect(batches).toBe(1);
  });

  it('has not failed, however its attempt ends', async () => {
    const outcome = await blobs(async () => {
      await scene.record(restore(), 'skipped', skipped);
      throw new UnderstudyError('AzureError', 'refused');
    })({ run: scene.run, step: restore() }, scene.runtime);
    expect(outcome).toMatchObject(skipped);
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
    const run = runner(async (context) => {
      await releaseRunLease(scene.store, { runId: scene.header.runId, holder: 'wf-1', ended: true });
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
        scrubReplicas: async (context) => {
          await movePointer(scene.store, (found) => takeOver(found, 'westus3', 'run-x', scene.clock.now(), 5000));
          await context.checkpoint({ unit: 'blobs', done: 1 });
          return done();
        },
      }),
      scene.clock.now,
    );
    await expect(run({ run: scene.run, step: 'scrub' }, scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('this run writes in epoch 1, the region pointer is at 2'),
    });
  });

  it('has no lease any more once its run has ended, and leaves none behind', async () => {
    scene = await makeScene('replicate');
    const run = stepRunner(
      scene.open,
      actionsWith({
        scrubReplicas: async (context) => {
          await runEnder(scene.open, scene.clock.now)({ run: scene.run, state: 'failed', reason: 'late' });
          await context.checkpoint({ unit: 'debts', done: 1 });
          return done();
        },
      }),
      scene.clock.now,
    );
    await expect(run({ run: scene.run, step: 'scrub' }, scene.runtime)).rejects.toMatchObject({
      code: 'FencedError',
      message: expect.stringContaining('is failed: it writes no more'),
    });
    expect((await readPointerIfAny(scene.store))?.value.lease).toBeUndefined();
  });
});

describe('what an undo needs', () => {
  it('is not kept by an execution that was taken over, which then changes nothing', async () => {
    let changed = false;
    const run = runner(async (context) => {
      await holdRunLease(scene.store, {
        runId: scene.header.runId,
        holder: 'wf-2',
        ttlMs: 60_000,
        now: began.getTime(),
        takeOver: true,
      });
      await context.recordUndo(() => ({ was: 'enabled' }));
      changed = true;
      return done();
    });
    await expect(run(request(), scene.runtime)).rejects.toMatchObject({ code: 'FencedError' });
    expect(changed).toBe(false);
  });

  it('is what the first attempt kept, whatever later ones see', async () => {
    let state = 'enabled';
    const seen: unknown[] = [];
    const action: Action = async (context) => {
      seen.push(await context.recordUndo(() => ({ was: state })));
      state = 'disabled';
      if (seen.length === 1) throw new UnderstudyError('AzureUnavailable', 'no answer');
      return { state: 'completed', detail: 'disabled' };
    };
    await expect(runner(action)(request(), scene.runtime)).rejects.toThrow('no answer');
    expect(await runner(action)(request(), scene.runtime)).toMatchObject({
      state: 'completed',
    });
    expect(await journalled()).toMatchObject({ undo: { was: 'enabled' } });
    expect(seen).toEqual([{ was: 'enabled' }, { was: 'enabled' }]);
  });

  it('is kept before the step changes anything', async () => {
    const action: Action = async (context) => {
      await context.recordUndo(() => ({ was: 'enabled' }));
      expect(await journalled()).toMatchObject({ state: 'running', undo: { was: 'enabled' } });
      return { state: 'completed', detail: 'disabled' };
    };
    await runner(action)(request(), scene.runtime);
  });
});
