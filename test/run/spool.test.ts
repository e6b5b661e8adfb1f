/** Lists longer than memory: in order, read again and again, and gone from the disk when they are discarded. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cursor, spool, spools, type SpoolOptions } from '../../src/run/work/spool.ts';

interface Item {
  key: string;
  value: number;
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-test-'));
  vi.stubEnv('TMPDIR', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Numbers below `count` in an order that is the same each time and no order at all. */
function shuffled(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 7919) % count);
}

async function filled(values: readonly number[], options: SpoolOptions) {
  const made = spool<Item>(({ key }) => key, options);
  for (const value of values) await made.add({ key: String(value).padStart(6, '0'), value });
  return made;
}

const valuesOf = async (items: AsyncIterable<Item>) => (await Array.fromAsync(items)).map(({ value }) => value);

describe('a spool', () => {
  it.each([
    ['that fits into memory', { inMemory: 2000 }],
    ['of a few runs', { inMemory: 100 }],
    ['of more runs than are merged at once', { inMemory: 20, runs: 4 }],
  ])('%s is read in order, again and again', async (_, options) => {
    const values = shuffled(1009);
    const made = await filled(values, options);
    const expected = values.toSorted((a, b) => a - b);
    expect(made.count).toBe(1009);
    expect(await valuesOf(made)).toEqual(expected);
    expect(await valuesOf(made)).toEqual(expected);
    await made.discard();
  });

  it('that is added to nearly in order is one run on disk', async () => {
    const nearly = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? index + 1 : index - 1));
    const made = await filled(nearly, { inMemory: 100 });
    const [own = ''] = readdirSync(folder);
    expect(readdirSync(join(folder, own))).toHaveLength(1);
    expect(await valuesOf(made)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    await made.discard();
  });

  it('keeps every item of one key, and text of every kind', async () => {
    const made = spool<Item & { text: string }>(({ key }) => key, { inMemory: 4 });
    const text = 'line\nbreak\u2028 "quoted" \u0000 ünïcode 🙂';
    for (let value = 0; value < 11; value++) await made.add({ key: 'one', value, text });
    const items = await Array.fromAsync(made);
    expect(items.map(({ value }) => value).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => i));
    expect(new Set(items.map((each) => each.text))).toEqual(new Set([text]));
    await made.discard();
  });

  it('may be left in the middle, and leaves nothing on the disk', async () => {
    const made = await filled(shuffled(500), { inMemory: 50 });
    for await (const { value } of made) if (value === 3) break;
    expect(readdirSync(folder)).toHaveLength(1);
    await made.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that fits into memory touches no disk', async () => {
    const made = await filled(shuffled(50), { inMemory: 51 });
    await valuesOf(made);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails where its folder is gone, rather than be short', async () => {
    const made = await filled(shuffled(500), { inMemory: 50 });
    for (const own of readdirSync(folder)) await rm(join(folder, own), { recursive: true });
    expect(existsSync(folder)).toBe(true);
    await expect(valuesOf(made)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('spools', () => {
  it('are given back together, but for those that are kept', async () => {
    const lists = spools();
    const [one, kept] = [lists.make<Item>(({ key }) => key), lists.make<Item>(({ key }) => key)];
    for (const value of shuffled(2500)) {
      for (const list of [one, kept]) await list.add({ key: String(value).padStart(6, '0'), value });
    }
    expect(readdirSync(folder)).toHaveLength(2);
    await lists.discard([kept]);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(await valuesOf(kept)).toHaveLength(2500);
    await lists.discard();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a cursor', () => {
  it('answers the items of a key, and passes over smaller ones', async () => {
    const items = ['a', 'b', 'b', 'd'].map((key, value) => ({ key, value }));
    const at = cursor(items, ({ key }) => key);
    expect(await at.take('b')).toEqual([items[1], items[2]]);
    expect(await at.take('c')).toEqual([]);
    expect(await at.next()).toBe('d');
    expect(await at.peek()).toBe(items[3]);
    expect(await at.shift()).toBe(items[3]);
    expect([await at.next(), await at.shift(), await at.take('z')]).toEqual([undefined, undefined, []]);
  });
});
