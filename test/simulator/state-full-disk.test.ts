/** A disk that takes so many bytes more, the last of them in part, and is then full. */
import type * as FileSystem from 'node:fs';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Journal } from '../../simulator/state/journal.ts';

const disk = vi.hoisted(() => ({ left: Infinity }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof FileSystem>();
  const writeSync = (file: number, bytes: Buffer, offset: number, length: number, position: number): number => {
    const taken = Math.min(length, disk.left);
    if (taken === 0 && length > 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    disk.left -= taken;
    return fs.writeSync(file, bytes, offset, taken, position);
  };
  return { ...fs, writeSync };
});

let folder: string;
let file: string;
beforeEach(() => {
  disk.left = Infinity;
  folder = mkdtempSync(join(tmpdir(), 'local-azure-full-'));
  file = join(folder, 'journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('refuses what the disk does not take, whole, and goes on when there is space again', () => {
  const table = new Journal(file).table<string>('t');
  table.set('a', 'first');
  disk.left = 25;
  expect(() => table.set('a', 'a longer value that fits no more')).toThrow(
    /state file .*journal\.jsonl cannot be written: ENOSPC/,
  );
  expect(() => table.delete('a')).toThrow(/ENOSPC/);
  expect(() => table.set('b', 'x')).toThrow(/ENOSPC/);
  expect([table.get('a'), table.get('b'), table.size]).toEqual(['first', undefined, 1]);
  disk.left = Infinity;
  table.set('c', 'after');
  expect([...new Journal(file).table<string>('t').values()]).toEqual(['first', 'after']);
});

it('keeps its long log where a shorter one cannot be written', () => {
  const table = new Journal(file).table<number>('t');
  for (let i = 0; i < 20_000; i += 1) table.set('k', i);
  const line = JSON.stringify({ t: 't', k: 'k', v: 20_000 }).length + 1;
  disk.left = line;
  table.set('k', 20_000);
  disk.left = line;
  table.set('k', 20_001);
  disk.left = Infinity;
  expect(readFileSync(file, 'utf8').split('\n').length).toBeGreaterThan(20_000);
  expect([...new Journal(file).table<number>('t').values()]).toEqual([20_001]);
});

it('does not begin on a disk that is full, and says which file', () => {
  new Journal(file).table<number>('t').set('k', 1);
  disk.left = 5;
  expect(() => new Journal(file)).toThrow(/state file .*journal\.jsonl cannot be written: ENOSPC/);
  disk.left = Infinity;
  expect([...new Journal(file).table<number>('t').values()]).toEqual([1]);
});
