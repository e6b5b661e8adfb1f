/**
 * What the local Azure remembers: tables of JSON values in memory, each change appended to one log file before the
 * client has its answer. The operating system keeps what was written even if this process is killed; a power cut may
 * lose the tail. What cannot be written (the disk is full) is not remembered either: the change is refused, and what
 * stood there stands. The log is rewritten when most of its lines are history.
 */

import { closeSync, existsSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

interface Line {
  t: string;
  k: string;
  v?: unknown;
}

/** Lines of history that are let stand before a rewrite: below this a rewrite costs more than it saves. */
const TOLERATED_HISTORY = 20_000;
/** And bytes of it: few lines can be long. */
const TOLERATED_BYTES = 64 << 20;
const CHUNK = 1 << 20;

/**
 * One table of the journal: a Map whose changes are on disk when the call returns. Keeps the order of first setting.
 * `set` and `delete` throw an Error naming the file, and change nothing, if the disk does not take the change.
 */
export interface Table<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  values(): IterableIterator<V>;
  readonly size: number;
}

export class Journal {
  private readonly file: string;
  private descriptor: number;
  /** Bytes of the file that are whole lines. */
  private length = 0;
  private readonly tables = new Map<string, Map<string, unknown>>();
  private lines = 0;
  private rewriteAbove = TOLERATED_HISTORY;
  private rewriteAboveBytes = TOLERATED_BYTES;

  /**
   * Opens or makes the log. A last line cut short by a crash is dropped: its client never had an answer. Throws an
   * Error naming file and line if any other line is broken, and one naming the file if it cannot be read or written.
   */
  constructor(file: string) {
    this.file = file;
    if (existsSync(file)) this.load();
    this.descriptor = this.rewrite();
  }

  /** A table by name. The caller vouches for the type of what it stored there. */
  table<V>(name: string): Table<V> {
    const map = this.mapOf(name) as Map<string, V>;
    return {
      get: (key) => map.get(key),
      set: (key, value) => {
        this.append({ t: name, k: key, v: value });
        map.set(key, value);
        this.compact();
      },
      delete: (key) => {
        if (!map.has(key)) return;
        this.append({ t: name, k: key });
        map.delete(key);
        this.compact();
      },
      values: () => map.values(),
      get size() {
        return map.size;
      },
    };
  }

  close(): void {
    if (this.descriptor < 0) return;
    closeSync(this.descriptor);
    this.descriptor = -1;
  }

  private append(line: Line): void {
    if (this.descriptor < 0) throw new Error(`state file ${this.file}: written to after it was closed`);
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      writeWhole(this.descriptor, bytes, this.length);
    } catch (error) {
      // Half a line would make the next one unreadable, too.
      ftruncateSync(this.descriptor, this.length);
      throw unwritable(this.file, error);
    }
    this.length += bytes.length;
    this.lines += 1;
  }

  private compact(): void {
    const isLong = this.lines > this.rewriteAbove && this.lines > 2 * this.live();
    if (!isLong && this.length <= this.rewriteAboveBytes) return;
    const before = this.descriptor;
    try {
      this.descriptor = this.rewrite();
    } catch {
      // The log is whole, only longer than it need be; a disk that is full says so where a change is refused.
      this.rewriteAbove = this.lines + TOLERATED_HISTORY;
      this.rewriteAboveBytes = this.length + TOLERATED_BYTES;
      return;
    }
    closeSync(before);
  }

  private load(): void {
    let number = 0;
    for (const { text, ended } of linesOf(this.file)) {
      number += 1;
      if (text === '') continue;
      const line = readLine(text);
      if (line === undefined) {
        if (!ended) return;
        throw new Error(
          `state file ${this.file}, line ${number}: expected a change as {"t": table, "k": key, "v": value}, got "${text.slice(0, 60)}"`,
        );
      }
      if (line.v === undefined) this.mapOf(line.t).delete(line.k);
      else this.mapOf(line.t).set(line.k, line.v);
    }
  }

  /**
   * Writes the log anew, without its history. Answers its descriptor; the file is as it was if that cannot be written.
   */
  private rewrite(): number {
    const fresh = `${this.file}.new`;
    let descriptor = -1;
    try {
      descriptor = openSync(fresh, 'w', 0o600);
      const length = this.writeTables(descriptor);
      renameSync(fresh, this.file);
      this.length = length;
      this.rewriteAboveBytes = 2 * length + TOLERATED_BYTES;
    } catch (error) {
      if (descriptor >= 0) closeSync(descriptor);
      rmSync(fresh, { force: true });
      throw unwritable(this.file, error);
    }
    this.lines = this.live();
    this.rewriteAbove = TOLERATED_HISTORY;
    return descriptor;
  }

  private writeTables(descriptor: number): number {
    let length = 0;
    let chunk = '';
    const flush = (): void => {
      const bytes = Buffer.from(chunk);
      writeWhole(descriptor, bytes, length);
      length += bytes.length;
      chunk = '';
    };
    for (const [t, map] of this.tables) {
      for (const [k, v] of map) {
        chunk += `${JSON.stringify({ t, k, v })}\n`;
        if (chunk.length >= CHUNK) flush();
      }
    }
    flush();
    return length;
  }

  private mapOf(name: string): Map<string, unknown> {
    let map = this.tables.get(name);
    if (!map) this.tables.set(name, (map = new Map()));
    return map;
  }

  private live(): number {
    let count = 0;
    for (const map of this.tables.values()) count += map.size;
    return count;
  }
}

/** A nearly full disk takes a part, and says no more of it than how much that was. */
function writeWhole(descriptor: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

function unwritable(file: string, error: unknown): Error {
  return new Error(`state file ${file} cannot be written: ${(error as Error).message}`, { cause: error });
}

/** Undefined: it is no change. */
function readLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    return typeof line?.t === 'string' && typeof line.k === 'string' ? (line as Line) : undefined;
  } catch {
    return undefined; // The caller names the place.
  }
}

/** The lines of a file, read piece by piece: the whole may be longer than a string can be. `ended`: by a line break. */
function* linesOf(file: string): Generator<{ text: string; ended: boolean }> {
  const descriptor = openSync(file, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const piece = Buffer.alloc(CHUNK);
    let rest = '';
    for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece)) {
      const lines = (rest + decoder.write(piece.subarray(0, read))).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) yield { text, ended: true };
    }
    yield { text: rest + decoder.end(), ended: false };
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : new Error(`state file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    closeSync(descriptor);
  }
}
