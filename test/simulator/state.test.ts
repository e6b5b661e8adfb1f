import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stored } from '../../simulator/contract/index.ts';
import { Journal } from '../../simulator/state/journal.ts';
import { JournaledStore } from '../../simulator/state/store.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-azure-state-'));
  file = join(folder, 'journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function stored(id: string, type: string): Stored {
  return {
    resource: { id, name: id.slice(id.lastIndexOf('/') + 1), type, properties: {} },
    hidden: {},
    etag: '"1"',
    region: null,
    createdAt: 0,
    changedAt: 0,
  };
}

describe('the journal', () => {
  it('does not grow with history of few long lines', () => {
    const journal = new Journal(file);
    const table = journal.table<string>('n');
    const long = 'x'.repeat(8 << 20);
    for (let i = 0; i < 12; i += 1) table.set('a', `${i}${long}`);
    expect(statSync(file).size).toBeLessThan(72 << 20);
    journal.close();
    expect(new Journal(file).table<string>('n').get('a')).toBe(`11${long}`);
  });

  it('keeps every change before it is closed, as a killed process would leave it', () => {
    const table = new Journal(file).table<number>('numbers');
    table.set('a', 1);
    table.set('b', 2);
    table.set('a', 3);
    table.delete('b');
    expect([...new Journal(file).table<number>('numbers').values()]).toEqual([3]);
  });

  it('drops a last line that was cut short, and refuses any other that is broken', () => {
    const first = new Journal(file);
    first.table<number>('n').set('a', 1);
    first.close();
    appendFileSync(file, '{"t":"n","k":"b","v":');
    const second = new Journal(file);
    expect([...second.table<number>('n').values()]).toEqual([1]);
    second.table<number>('n').set('c', 3);
    second.close();
    expect([...new Journal(file).table<number>('n').values()]).toEqual([1, 3]);
    appendFileSync(file, 'broken\n{"t":"n","k":"d","v":4}\n');
    expect(() => new Journal(file)).toThrow(/journal\.jsonl, line 3: expected a change as .*, got "broken"/);
  });

  it('refuses a line that is JSON and no change', () => {
    for (const line of ['null', '5', '{"t":"n"}', '[]']) {
      writeFileSync(file, `{"t":"n","k":"a","v":1}\n${line}\n`);
      expect(() => new Journal(file)).toThrow(`journal.jsonl, line 2: expected a change`);
    }
  });

  it('reads lines that are longer than the pieces it reads, whatever letters they are cut in', () => {
    const long = 'é漢'.repeat(500_000);
    const journal = new Journal(file);
    journal.table<string>('n').set('a', long);
    journal.table<string>('n').set('b', 'after');
    expect([...new Journal(file).table<string>('n').values()]).toEqual([long, 'after']);
  });

  it('does not grow with history', () => {
    const journal = new Journal(file);
    const table = journal.table<{ at: number }>('clock');
    for (let i = 0; i < 45_000; i += 1) table.set('clock', { at: i });
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(21_000);
    journal.close();
    expect([...new Journal(file).table<{ at: number }>('clock').values()]).toEqual([{ at: 44_999 }]);
  });
});

describe('the store', () => {
  const group = '/subscriptions/s/resourceGroups/G';
  const workspace = `${group}/providers/Microsoft.ML/workspaces/w`;
  const model = `${workspace}/models/m`;

  it('finds by any spelling, by parent, by type and by depth, in order of creation', () => {
    const store = new JournaledStore(new Journal(file));
    store.put(stored(group, 'Microsoft.Resources/resourceGroups'));
    store.put(stored(workspace, 'Microsoft.ML/workspaces'));
    store.put(stored(`${workspace}/models/z`, 'Microsoft.ML/workspaces/models'));
    store.put(stored(model, 'Microsoft.ML/workspaces/models'));
    store.put(stored(`${model}/versions/1`, 'Microsoft.ML/workspaces/models/versions'));
    store.put(
      stored(
        `${workspace}/providers/Microsoft.Authorization/roleAssignments/r`,
        'Microsoft.Authorization/roleAssignments',
      ),
    );
    expect(store.get(model.toUpperCase())?.resource.name).toBe('m');
    expect(store.children(workspace, 'microsoft.ml/workspaces/MODELS').map(({ resource }) => resource.name)).toEqual([
      'z',
      'm',
    ]);
    expect(store.children(group, 'Microsoft.ML/workspaces')).toHaveLength(1);
    expect(store.children(workspace, 'Microsoft.Authorization/roleAssignments')).toHaveLength(1);
    expect(store.below(group).map(({ resource }) => resource.name)).toEqual(['z', '1', 'm', 'r', 'w']);

    const removed = new JournaledStore(new Journal(file)).remove(workspace);
    expect(removed).toHaveLength(5);
    const after = new JournaledStore(new Journal(file));
    expect(after.below(group)).toEqual([]);
    expect(after.ofType('Microsoft.ML/workspaces/models')).toEqual([]);
    expect(after.get(group)).toBeDefined();
  });

  it('gives lists that callers may sort without disturbing others', () => {
    const store = new JournaledStore(new Journal(file));
    for (const name of ['b', 'a']) store.put(stored(`${workspace}/models/${name}`, 'Microsoft.ML/workspaces/models'));
    store.children(workspace, 'Microsoft.ML/workspaces/models').reverse();
    expect(store.children(workspace, 'Microsoft.ML/workspaces/models').map(({ resource }) => resource.name)).toEqual([
      'b',
      'a',
    ]);
  });
});
