import { ConfigError } from '../error.ts';

export type ConfigFormat = 'json' | 'yaml' | 'env';

/** Replaces the characters from `start` to `end` (not included) of a text. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** One place of a file that holds a string. An alias (`*name` in YAML) is a place of its own, with its `anchor`. */
export interface ConfigScalar {
  kind: 'scalar';
  value: string;
  start: number;
  end: number;
  /** The path to it, as people write it: `jobs.train.compute`, or a variable's name. */
  place: string;
  anchor?: ConfigScalar;
  /** The edit that makes this place hold `value`, in the style it is written in. */
  write(value: string): Edit;
}

export interface ConfigEntry {
  key: ConfigScalar | undefined;
  value: ConfigNode;
}

export interface ConfigBlock {
  kind: 'block';
  entries: ConfigEntry[];
  /** Blocks whose entries hold here too, unless this block has its own (YAML's `<<`); the first one wins. */
  merges: ConfigBlock[];
}

interface ConfigList {
  kind: 'list';
  items: ConfigNode[];
}

/** A number, a null, a scalar with a tag we do not know: never changed. */
interface ConfigOther {
  kind: 'other';
  text: string;
}

export type ConfigNode = ConfigScalar | ConfigBlock | ConfigList | ConfigOther;

/** A parsed file: one root for each document in it, and its scalars in the order they are written in. */
export interface ConfigDocument {
  roots: ConfigNode[];
  scalars: ConfigScalar[];
}

export interface Position {
  line: number;
  column: number;
}

/** Line and column, from 1, of an offset. */
export function positionOf(text: string, offset: number): Position {
  return positionsIn(text)(offset);
}

/** Line and column of many offsets of one text: its lines are counted once. */
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

/** The error for something malformed at an offset of a file's text. */
export function malformedAt(file: string, text: string, offset: number, found: string): ConfigError {
  const diagnosis = {
    found,
    expected: 'a file that its own readers can parse',
    next: 'Correct the file at this place.',
  };
  return new ConfigError({ file, ...positionOf(text, offset) }, diagnosis);
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    pieces.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return pieces.join('') + text.slice(at);
}
