/** What is written down of a run, and how much of it travels. */
import { beforeEach, describe, expect, it } from 'vitest';
import { release } from '../../src/release.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { changeRun, findNewestRun, listRuns, listSteps, openRun, readRun, requireRun } from '../../src/run/journal.ts';
import { outcomeOf, reconcile } from '../../src/run/work/outcome.ts';
import { withPlan } from '../../src/run/run-document.ts';
import { counting } from '../fakes/counting-store.ts';
import { began, makeScene, type Scene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await makeScene();
});

const run = () => readRun(scene.store, scene.header.runId);
const record: Scene['record'] = (...of) => scene.record(...of);

describe('the journal', () => {
  it('has a new run as pending', async () => {
    expect(await run()).toEqual({ ...scene.header, state: 'pending' });
  });

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
    expect((await listRuns(scene.store)).runs.map(({ runId }) => runId.slice(0, 15))).toEqual([
      '20261121T110000',
      '20261121T100000',
      '20261120T110000',
    ]);
    expect((await listSteps(scene.store, scene.header.runId)).map(({ step }) => step)).toEqual(['restore/data/blobs']);
  });

  it('lists the others where one is damaged, and names that', async () => {
    const place = 'runs/20261120T110000Z-failover-0003/run.json';
    await scene.store.write(place, '{ "version": 2 }', 'application/json');
    const { runs, damaged } = await listRuns(scene.store);
    expect(runs.map(({ runId }) => runId)).toEqual([scene.header.runId]);
    expect(damaged).toMatchObject([
      {
        runId: '20261120T110000Z-failover-0003',
        error: { code: 'ControlStoreError', message: expect.stringContaining(`run "${place}"`) as string },
      },
    ]);
    const newest = (wanted: string) => findNewestRun(scene.store, ({ runId }) => runId === wanted);
    expect(await newest(scene.header.runId)).toMatchObject({ runId: scene.header.runId });
    // It may have been the damaged one.
    await expect(newest('another')).rejects.toThrow(place);
  });

  it('reads a few runs at a time, and none where the control store is silent', async () => {
    for (let at = 10; at < 60; at++)
      await openRun(scene.store, { ...scene.header, runId: `20261120T1100${at}Z-replicate-0001` });
    const reading = { now: 0, most: 0 };
    const read: typeof scene.store.read = async (name) => {
      reading.most = Math.max(reading.most, ++reading.now);
      await new Promise((resolve) => setImmediate(resolve));
      reading.now -= 1;
      return scene.store.read(name);
    };
    expect((await listRuns({ ...scene.store, read })).runs).toHaveLength(51);
    expect(reading.most).toBeLessThanOrEqual(16);
    const silent = () => Promise.reject(new UnderstudyError('AzureUnavailable', 'no answer'));
    await expect(listRuns({ ...scene.store, read: silent })).rejects.toThrow('no answer');
  });

  it('lists no more than are asked for, and reads few of the others', async () => {
    for (let at = 10; at < 60; at++)
      await openRun(scene.store, { ...scene.header, runId: `20261120T1100${at}Z-replicate-0001` });
    const { store, asked } = counting(scene.store);
    const { runs } = await listRuns(store, { limit: 3, now: began });
    expect(runs.map(({ runId }) => runId)).toEqual([
      scene.header.runId,
      '20261120T110059Z-replicate-0001',
      '20261120T110058Z-replicate-0001',
    ]);
    expect(asked.reads).toBeLessThanOrEqual(16);
  });

  it('keeps what two write at once', async () => {
    await Promise.all([
      changeRun(scene.store, scene.header.runId, { undoPlan: 'd' }),
      changeRun(scene.store, scene.header.runId, { stateReason: 'slow' }),
    ]);
    expect(await run()).toMatchObject({ undoPlan: 'd', stateReason: 'slow' });
  });

  it('removes what is given as null, and leaves what is not given', async () => {
    await changeRun(scene.store, scene.header.runId, { stateReason: 'slow', startedAt: 'then' });
    await changeRun(scene.store, scene.header.runId, { stateReason: null });
    expect(await run()).toEqual({ ...scene.header, startedAt: 'then' });
    const before = scene.store.documents.get(`runs/${scene.header.runId}/run.json`)?.etag;
    await changeRun(scene.store, scene.header.runId, () => undefined);
    expect(scene.store.documents.get(`runs/${scene.header.runId}/run.json`)?.etag).toBe(before);
  });

  it('names the run that there is not', async () => {
    await expect(requireRun(scene.store, 'other')).rejects.toMatchObject({
      code: 'UsageError',
      message: 'there is no run "other" in the control store',
    });
    expect(() => withPlan({ ...scene.header, plan: undefined })).toThrow('has no plan yet');
  });

  it.each(['run.json', 'steps/fence.platform.pointer.json'])('refuses a damaged %s', async (name) => {
    await record('fence/platform/pointer', 'completed');
    const place = `runs/${scene.header.runId}/${name}`;
    const found = JSON.parse(scene.store.documents.get(place)?.text ?? '') as object;
    await scene.store.write(place, JSON.stringify({ ...found, state: 'dancing' }), 'application/json');
    await expect(name === 'run.json' ? run() : listSteps(scene.store, scene.header.runId)).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining(`"${place}", written by release ${release}: state: Invalid option`),
    });
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

it('what travels of a step is small whatever its record holds', () => {
  const outcome = outcomeOf({
    step: 'restore/data/blobs',
    state: 'completed',
    holder: 'wf-1',
    attempts: 1,
    startedAt: began.toISOString(),
    detail: 'x'.repeat(5000),
    lost: Array.from({ length: 300 }, (_, n) => `blob ${n}`),
    undo: { names: Array.from({ length: 10_000 }, (_, n) => `name-${n}`) },
  });
  expect(outcome).toEqual({
    step: 'restore/data/blobs',
    state: 'completed',
    attempts: 1,
    startedAt: began.toISOString(),
    detail: `${'x'.repeat(600)} … (5000 letters; the whole is in the report)`,
    lost: 300,
  });
});
