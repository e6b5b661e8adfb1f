/** The list of runs that are not over: complete whatever is cut off in between, and made again where it is missing. */
import { beforeEach, expect, it } from 'vitest';
import type { ControlStore } from '../../src/control-store/store.ts';
import { release } from '../../src/release.ts';
import { changeRun, listOpenRuns, openRun } from '../../src/run/journal.ts';
import type { RunDocument } from '../../src/run/run-document.ts';
import { counting } from '../fakes/counting-store.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';

let store: FakeControlStore;
beforeEach(() => {
  store = fakeControlStore();
});

const runOf = (runId: string): Omit<RunDocument, 'state'> => ({
  runId,
  topology: 'fraud-ml',
  operation: 'replicate',
  bundle: 'b',
  reason: 'a schedule',
  triggeredBy: 'cron',
  triggeredAt: '2026-11-21T10:00:00.000Z',
});
const openIds = async (of: ControlStore = store) => (await listOpenRuns(of)).runs.map(({ runId }) => runId);
const idsInList = () =>
  (JSON.parse(store.documents.get('open-runs.json')?.text ?? '{}') as { runIds: string[] }).runIds;

it('has a run from before it is written down until it is over, and again when it is taken up', async () => {
  const swap: typeof store.swap = (name, ...rest) => {
    if (name === 'runs/1/run.json') expect(idsInList()).toEqual(['1']);
    return store.swap(name, ...rest);
  };
  await openRun({ ...store, swap }, runOf('1'));
  await openRun(store, runOf('2'));
  expect(await openIds()).toEqual(['2', '1']);
  await changeRun(store, '1', { state: 'failed' });
  expect(idsInList()).toEqual(['2']);
  await changeRun(store, '1', { state: 'running' });
  expect(await openIds()).toEqual(['2', '1']);
});

it('costs one read a run that is open, however many are over', async () => {
  const costOf = async () => {
    const { store: counted, asked } = counting(store);
    expect(await openIds(counted)).toEqual(['open']);
    return asked;
  };
  await openRun(store, runOf('open'));
  const before = await costOf();
  for (let index = 0; index < 200; index++) {
    await openRun(store, runOf(`${index}`));
    await changeRun(store, `${index}`, { state: 'completed' });
  }
  expect(await costOf()).toEqual(before);
});

it('forgets one whose end was cut off before it was taken from the list', async () => {
  await openRun(store, runOf('1'));
  const isList = (name: string) => name === 'open-runs.json';
  const swap: typeof store.swap = (name, ...rest) =>
    isList(name) ? Promise.reject(new Error('killed')) : store.swap(name, ...rest);
  await expect(changeRun({ ...store, swap }, '1', { state: 'completed' })).rejects.toThrow('killed');
  expect(idsInList()).toEqual(['1']);
  expect(await openIds()).toEqual([]);
  expect(idsInList()).toEqual([]);
});

it('keeps one that is taken up again while another removes it', async () => {
  await openRun(store, runOf('1'));
  let raced = false;
  const read: typeof store.read = async (name) => {
    const found = await store.read<never>(name);
    // The remover has seen that it is over, and is about to write.
    if (name === 'runs/1/run.json' && !raced && (found?.value as RunDocument | undefined)?.state === 'failed') {
      raced = true;
      await changeRun(store, '1', { state: 'running' });
    }
    return found;
  };
  await changeRun({ ...store, read }, '1', { state: 'failed' });
  expect(raced).toBe(true);
  expect(await openIds()).toEqual(['1']);
});

it('is made from the journal where there is none, as release 0.2.0 leaves it, or it cannot be read', async () => {
  for (const [runId, state] of [
    ['1', 'running'],
    ['2', 'completed'],
    ['3', 'pending'],
  ])
    await store.swap(`runs/${runId}/run.json`, { ...runOf(runId ?? ''), state, version: 2, release }, undefined);
  await store.write('runs/4/run.json', '{}', 'application/json');
  expect(await listOpenRuns(store)).toMatchObject({
    runs: [{ runId: '3' }, { runId: '1' }],
    damaged: [{ runId: '4' }],
  });
  for (const damaged of ['no JSON', '{"version":1,"runIds":7}', '{"version":9}']) {
    await store.write('open-runs.json', damaged, 'application/json');
    expect(await openIds()).toEqual(['3', '1']);
  }
  await store.write('open-runs.json', 'no JSON', 'application/json');
  await openRun(store, runOf('5'));
  expect(await openIds()).toEqual(['5', '3', '1']);
});

it('loses none of many that begin at once', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `${10 + index}`);
  await Promise.all(ids.map((runId) => openRun(store, runOf(runId))));
  expect(await openIds()).toEqual(ids.toReversed());
});
