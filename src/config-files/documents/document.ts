import { ConfigError } from '../error.ts';

export type ConfigFormat = 'json' | 'yaml' | 'env';

/** Replaces the characters from `start` to `end` (exclusive) of a text. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A place in a file that has a string. An alias (`*name` in YAML) is a place of its own, with its `anchor`. */
export interface ConfigScalar {
  kind: 'scalar';
  value: string;
  start: number;
  end: number;
  /** Its path, as people write it: `jobs.train.compute`, or a variable's name. */
  place: string;
  anchor?: ConfigScalar;
  /** Returns the edit that sets this place to `value`, in its current style. */
  write(value: string): Edit;
}

/** One key and its value. */
export interface ConfigEntry {
  key: ConfigScalar | undefined;
  value: ConfigNode;
}

/** A mapping. */
export interface ConfigBlock {
  kind: 'block';
  entries: ConfigEntry[];
  /**
   * Blocks whose entries also apply here unless this block has its own (YAML's `<<`). The first one takes precedence.
   */
  merges: ConfigBlock[];
}

interface ConfigList {
  kind: 'list';
  items: ConfigNode[];
}

/** A number, a null, or a scalar with an unknown tag: never changed. */
interface ConfigOther {
  kind: 'other';
  text: string;
}

export type ConfigNode = ConfigScalar | ConfigBlock | ConfigList | ConfigOther;

/** A parsed file: one root for each document in it, and its scalars in the order of the file. */
export interface ConfigDocument {
  roots: ConfigNode[];
  scalars: ConfigScalar[];
}

/** A place in a file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Returns line and column, from 1, of an offset. */
export function positionOf(text: string, offset: number): Position {
  return positionsIn(text)(offset);
}

/** Returns a function for line and column of many offsets of one text, whose lines are counted once. */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Returns the error for malformed content at an offset of a file. */
export function malformedAt(file: string, text: string, offset: number, found: string): ConfigError {
  const diagnosis = {
    found,
    expected: 'a file that its own readers can parse',
    next: 'Correct the file at this place.',
  };
  return new ConfigError({ file, ...positionOf(text, offset) }, diagnosis);
}

/** Applies edits, which must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    pieces.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return pieces.join('') + text.slice(at);
}
