/**
 * What the local Azure remembers: tables of JSON values in memory, each change appended to one log file before the client has
 * its answer. The operating system keeps what was written even if this process is killed; a power cut may lose the tail.
 * The log is rewritten when most of its lines are history.
 */

import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

interface Line {
  t: string;
  k: string;
  v?: unknown;
}

/** Lines of history that are let stand before a rewrite: below this a rewrite costs more than it saves. */
const TOLERATED_HISTORY = 20_000;
const WRITE_CHUNK = 1 << 20;

/** One table of the journal: a Map whose changes are on disk when the call returns. Keeps the order of first setting. */
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
  private readonly tables = new Map<string, Map<string, unknown>>();
  private lines = 0;

  /**
   * Opens or makes the log. A last line cut short by a crash is dropped: its client never had an answer. Throws an Error naming
   * file and line if any other line is broken.
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
        map.set(key, value);
        this.append({ t: name, k: key, v: value });
      },
      delete: (key) => {
        if (map.delete(key)) this.append({ t: name, k: key });
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
    writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
    this.lines += 1;
    if (this.lines > TOLERATED_HISTORY && this.lines > 2 * this.live()) {
      closeSync(this.descriptor);
      this.descriptor = this.rewrite();
    }
  }

  private load(): void {
    const lines = readFileSync(this.file, 'utf8').split('\n');
    for (const [i, text] of lines.entries()) {
      if (text === '') continue;
      let line: Line;
      try {
        line = JSON.parse(text) as Line;
      } catch (error) {
        if (i === lines.length - 1) return;
        throw new Error(
          `state file ${this.file}, line ${i + 1}: expected a JSON object, got "${text.slice(0, 60)}"`,
          {
            cause: error,
          },
        );
      }
      if (line.v === undefined) this.mapOf(line.t).delete(line.k);
      else this.mapOf(line.t).set(line.k, line.v);
    }
  }

  private rewrite(): number {
    const fresh = `${this.file}.new`;
    const descriptor = openSync(fresh, 'w', 0o600);
    let chunk = '';
    for (const [t, map] of this.tables) {
      for (const [k, v] of map) {
        chunk += `${JSON.stringify({ t, k, v })}\n`;
        if (chunk.length < WRITE_CHUNK) continue;
        writeSync(descriptor, chunk);
        chunk = '';
      }
    }
    writeSync(descriptor, chunk);
    renameSync(fresh, this.file);
    this.lines = this.live();
    return descriptor;
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
