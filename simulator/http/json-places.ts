/** Where the values of a JSON text stand: line and column, counted as Azure's reader counts them. */

import { readLenientJson } from './lenient-json.ts';

export interface JsonPlace {
  /** From 1. */
  line: number;
  /**
   * How many characters of the line are read: up to the opening bracket of an object or array, or the end of another
   * value.
   */
  column: number;
}

/**
 * Finds values by their path, '/properties/template/resources/0', and names by that of their value and a colon,
 * whatever the case. Of a name that is there twice, the last counts. Answers undefined for what is not there, and for
 * all of a text that is not JSON.
 */
export function placesIn(text: string): (path: string) => JsonPlace | undefined {
  const ends = new Map<string, number>();
  try {
    readLenientJson(text, (path, end) => ends.set(path.toLowerCase(), end));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return (path) => {
    const end = ends.get(path.toLowerCase());
    if (end === undefined) return undefined;
    const before = text.slice(0, end);
    const line = before.split('\n');
    return { line: line.length, column: line.at(-1)?.length ?? 0 };
  };
}
