/** Names that begin with a time, newest first. */
import { expect, it } from 'vitest';
import { newestFirst } from '../../src/control-store/newest-first.ts';
import { counting } from '../fakes/counting-store.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

const now = new Date('2026-03-01T00:10:00.000Z');

async function storeOf(names: readonly string[]) {
  const store = fakeControlStore();
  for (const name of names) await store.write(`runs/${name}/run.json`, '{}', 'application/json');
  return counting(store);
}

const of = { folder: 'runs/', dayPrefix: (day: string) => `${day.replaceAll('-', '')}T`, now };

it('has all of them, newest first, each once', async () => {
  const names = ['20250101T000000Z-a', '20260227T235959Z-b', '20260228T235959Z-c', '20260301T000500Z-d'];
  // Of a clock that is ahead.
  names.push('20260302T001000Z-e');
  const { store } = await storeOf(names.toSorted().toReversed());
  expect(await Array.fromAsync(newestFirst(store, of))).toEqual(names.toReversed());
  expect(await Array.fromAsync(newestFirst((await storeOf([])).store, of))).toEqual([]);
});

it('looks at no older day while the newest are enough', async () => {
  const old = Array.from({ length: 300 }, (_, index) => `2025${String(1000 + index)}T000000Z-x`);
  const { store, asked } = await storeOf([...old, '20260228T110000Z-c', '20260301T000500Z-d']);
  const found: string[] = [];
  for await (const name of newestFirst(store, of)) if (found.push(name) === 2) break;
  expect(found).toEqual(['20260301T000500Z-d', '20260228T110000Z-c']);
  expect(asked.names).toBe(2);
});
