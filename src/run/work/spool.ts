/**
 * Lists in the order of a key that may not fit into memory: a folder of a million blobs costs a worker no more than one
 * of a few thousand. What does not fit is written in sorted runs to a temporary folder on the worker's own disk, and
 * merged when it is read.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Items are plain JSON. Everything is added before anything is read; after that it may be read any number of times. */
export interface Spool<T> extends AsyncIterable<T> {
  readonly count: number;
  add(item: T): Promise<void>;
  /** Frees the disk. */
  discard(): Promise<void>;
}

/** Limits of a spool. */
export interface SpoolOptions {
  /** How many items are in memory. */
  inMemory?: number;
  /** How many runs are merged when the list is read; if there are more, they are first merged into one. */
  runs?: number;
}

interface Run {
  file: string;
  last: string;
}

/** `keyOf` gives the order: by UTF-16 code units. Items with the same key all stay. */
export function spool<T>(
  keyOf: (item: T) => string,
  { inMemory = 2000, runs: most = 32 }: SpoolOptions = {},
): Spool<T> {
  let held: { key: string; item: T }[] = [];
  let runs: Run[] = [];
  let folder: string | undefined;
  let files = 0;
  let count = 0;

  const newFile = async (): Promise<string> => {
    folder ??= await mkdtemp(join(tmpdir(), 'understudy-spool-'));
    return join(folder, String(++files));
  };
  const read = (of: readonly Run[]) => of.map(({ file }) => cursor<T>(linesOf(file), keyOf));

  /**
   * The greatest quarter stays in memory: input that is nearly in order then makes one long run, not one each time
   * memory is full.
   */
  const spill = async (): Promise<void> => {
    held.sort(byKey);
    const out = held.splice(0, held.length - Math.floor(inMemory / 4));
    const [first, last] = [out.at(0)?.key ?? '', out.at(-1)?.key ?? ''];
    let run = runs.find((each) => each.last <= first);
    if (!run) runs.push((run = { file: await newFile(), last }));
    run.last = last;
    await append(
      run.file,
      out.map(({ item }) => item),
    );
    if (runs.length <= most) return;
    const merged: Run = {
      file: await newFile(),
      last:
        runs
          .map((each) => each.last)
          .toSorted()
          .at(-1) ?? '',
    };
    await append(merged.file, merge(read(runs)));
    for (const { file } of runs) await rm(file);
    runs = [merged];
  };

  return {
    get count() {
      return count;
    },
    async add(item) {
      count += 1;
      held.push({ key: keyOf(item), item });
      if (held.length >= inMemory) await spill();
    },
    async *[Symbol.asyncIterator]() {
      held.sort(byKey);
      const inMemoryStill = held.map(({ item }) => item);
      if (runs.length === 0) yield* inMemoryStill;
      else yield* merge([...read(runs), cursor(inMemoryStill, keyOf)]);
    },
    async discard() {
      held = [];
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Spools that are freed together. */
export interface Spools {
  make<T>(keyOf: (item: T) => string): Spool<T>;
  /** Frees all except `except`. */
  discard(except?: readonly unknown[]): Promise<void>;
}

/** Makes spools that are freed together. */
export function spools(): Spools {
  const made: Spool<unknown>[] = [];
  return {
    make<T>(keyOf: (item: T) => string) {
      const one = spool(keyOf);
      made.push(one);
      return one;
    },
    async discard(except = []) {
      for (const each of made) if (!except.includes(each)) await each.discard();
    },
  };
}

function byKey(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** Reads a list that is in the order of its keys, step by step, in parallel with others. */
export interface Cursor<T> {
  /** The key of the next item; undefined at the end. */
  next(): Promise<string | undefined>;
  /** The next item, without advancing. */
  peek(): Promise<T | undefined>;
  /** The items with this key; skips those with smaller keys. */
  take(key: string): Promise<T[]>;
  /** The next item. */
  shift(): Promise<T | undefined>;
  close(): Promise<void>;
}

/** Goes through sorted items, to be merged with others by key. */
export function cursor<T>(items: AsyncIterable<T> | Iterable<T>, keyOf: (item: T) => string): Cursor<T> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let head: { key: string; item: T } | undefined;
  let ended = false;
  const peek = async () => {
    if (head || ended) return head;
    const answer = await iterator.next();
    if (answer.done) ended = true;
    else head = { key: keyOf(answer.value), item: answer.value };
    return head;
  };
  return {
    next: async () => (await peek())?.key,
    peek: async () => (await peek())?.item,
    async take(key) {
      const found: T[] = [];
      for (let at = await peek(); at && at.key <= key; at = await peek()) {
        if (at.key === key) found.push(at.item);
        head = undefined;
      }
      return found;
    },
    async shift() {
      const item = (await peek())?.item;
      head = undefined;
      return item;
    },
    close: async () => void (await iterator.return?.()),
  };
}

async function* merge<T>(cursors: readonly Cursor<T>[]): AsyncGenerator<T> {
  try {
    for (;;) {
      let least: { key: string; from: Cursor<T> } | undefined;
      for (const from of cursors) {
        const key = await from.next();
        if (key !== undefined && (least === undefined || key < least.key)) least = { key, from };
      }
      if (least === undefined) return;
      const item = await least.from.shift();
      if (item !== undefined) yield item;
    }
  } finally {
    for (const each of cursors) await each.close();
  }
}

const chunkLength = 64 * 1024;

async function append(file: string, items: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    let chunk = '';
    for await (const item of items) {
      chunk += `${JSON.stringify(item)}\n`;
      if (chunk.length < chunkLength) continue;
      await handle.appendFile(chunk);
      chunk = '';
    }
    await handle.appendFile(chunk);
  } finally {
    await handle.close();
  }
}

async function* linesOf<T>(file: string): AsyncGenerator<T> {
  const input = createReadStream(file, { encoding: 'utf8', highWaterMark: chunkLength });
  let rest = '';
  for await (const chunk of input as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as T;
  }
}
