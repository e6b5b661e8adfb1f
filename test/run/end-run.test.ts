/** How a run ends, and what is read of it then. */
import { beforeEach, describe, expect, it } from 'vitest';
import { holdWriterLease, readPointerIfAny } from '../../src/control-store/region-pointer.ts';
import { runBeginner } from '../../src/run/begin-run.ts';
import { reportWriter } from '../../src/report/report-writer.ts';
import { runEnder, type EndOfRun } from '../../src/run/end-run.ts';
import { changeRun, listSteps, readRun, readStep } from '../../src/run/journal.ts';
import { readRunLease, takeRunLease } from '../../src/run/lease.ts';
import { began, makeScene, type Scene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const cancelled = { by: 'someone', at: began.toISOString() };
const begin = (run = scene.run) =>
  runBeginner(scene.open, () => Promise.reject(new TypeError('it has a plan')), scene.clock.now)(run);
const end = (state: EndOfRun['state'], reason?: string, more: Partial<EndOfRun> = {}) =>
  runEnder(
    scene.open,
    scene.clock.now,
  )({ run: scene.run, state, ...(reason === undefined ? {} : { reason }), ...more });
const run = () => readRun(scene.store, scene.header.runId);
const record: Scene['record'] = (...of) => scene.record(...of);

describe('a run ends', () => {
  it('as the run that has superseded it has written, whatever its own undo met', async () => {
    await begin();
    await record('fence/platform/intake', 'completed');
    const ended = { state: 'cancelled', supersededBy: 'the-failover', cancelled, stateReason: 'superseded' } as const;
    await changeRun(scene.store, scene.header.runId, ended);
    const givenUp = [{ step: 'fence/platform/intake', state: 'undo-failed', message: 'fenced' }] as const;
    expect(await end('failed', 'cancelled; not undone', { undone: true, givenUp: [...givenUp] })).toEqual({
      ended: true,
    });
    expect(await run()).toMatchObject(ended);
    expect((await readStep(scene.store, scene.header.runId, 'fence/platform/intake'))?.state).toBe('completed');
  });

  it('with its state, its lease given back, and its report in three forms', async () => {
    await begin();
    scene.clock.forward(60_000);
    await end('completed', 'every step is done');
    expect(await run()).toMatchObject({
      state: 'completed',
      stateReason: 'every step is done',
      endedAt: '2026-11-21T10:01:00.000Z',
    });
    await reportWriter(scene.open, scene.clock.now)(scene.run);
    const names = await Array.fromAsync(scene.store.list(`runs/${scene.header.runId}/report`));
    expect(names.map((name) => name.split('.').at(-1))).toEqual(['html', 'json', 'txt']);
    expect(await readRunLease(scene.store)).toMatchObject({ ended: true });
    expect(await takeRunLease(scene.store, { runId: 'next', now: scene.clock.now() })).toBeUndefined();
  });

  it('with no step left running', async () => {
    await begin();
    await record('fence/platform/pointer', 'completed');
    await record('fence/platform/jobs', 'running');
    await record('fence/platform/intake', 'running', {
      error: { code: 'AzureUnavailable', message: 'no answer' },
    });
    await end('cancelled', undefined, { undone: true });
    const states = (await listSteps(scene.store, scene.header.runId)).map(({ step, state, error }) => [
      step,
      state,
      error?.message,
    ]);
    expect(states).toEqual([
      ['fence/platform/intake', 'failed', 'cancelled while it ran; its last attempt had met: no answer'],
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
    await end('completed', undefined, { run: scene.as('wf-2') });
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
    expect((await readPointerIfAny(scene.store))?.value.lease).toBeUndefined();
  });

  it('that failed stays open: nobody else begins until it is retried or cancelled', async () => {
    await begin();
    await end('failed', 'no quota');
    expect(await readRunLease(scene.store)).toEqual({
      runId: scene.header.runId,
      holder: 'wf-1',
      expiresAt: 0,
    });
    scene.clock.forward(86_400_000);
    const next = { runId: 'next', now: scene.clock.now() };
    expect(await takeRunLease(scene.store, next)).toMatchObject({
      runId: scene.header.runId,
      run: { state: 'failed', stateReason: 'no quota' },
    });
    await begin(scene.as('wf-2', { resumed: true }));
    await end('completed', undefined, { run: scene.as('wf-2') });
    expect(await takeRunLease(scene.store, next)).toBeUndefined();
  });

  it('only once it is undone, if somebody has cancelled it before', async () => {
    await begin();
    await record('fence/platform/jobs', 'running');
    await changeRun(scene.store, scene.header.runId, { cancelled });
    expect(await end('completed')).toEqual({ ended: false });
    expect(await run()).toMatchObject({ state: 'running', cancelled });
    expect(await readStep(scene.store, scene.header.runId, 'fence/platform/jobs')).toMatchObject({
      state: 'running',
    });
    expect(await takeRunLease(scene.store, { runId: 'next', now: began })).toBeDefined();
    expect(await end('cancelled', 'cancelled by someone', { undone: true })).toEqual({ ended: true });
    expect(await run()).toMatchObject({ state: 'cancelled', stateReason: 'cancelled by someone' });
    expect(await takeRunLease(scene.store, { runId: 'next', now: began })).toBeUndefined();
  });

  it('paused no longer', async () => {
    await begin();
    await changeRun(scene.store, scene.header.runId, { paused: cancelled });
    await end('failed');
    expect(await run()).not.toHaveProperty('paused');
  });

  it('twice as once', async () => {
    await begin();
    await end('completed');
    const before = new Map(scene.store.documents);
    expect(await end('completed')).toEqual({ ended: true });
    for (const [name, { text }] of before) expect(scene.store.documents.get(name)?.text).toBe(text);
  });
});
