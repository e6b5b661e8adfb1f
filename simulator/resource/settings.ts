/** Settings that take one of a few values: each provider has its table of them, and its own words for a refusal. */

import { fieldAt, isObject, setFieldAt } from './fields.ts';
import type { Json, JsonObject } from '../contract/index.ts';

/** What a property may be, by its path: one of these words (in any case), true or false, or an integer of a range. */
export type Settings = Record<string, readonly string[] | 'boolean' | { from: number; to: number }>;

/**
 * Throws what `refuse` makes of the first setting that is there and is none of its values; a word gets the spelling of
 * the table. Null counts as not there.
 */
export function requireSettings(
  properties: JsonObject,
  settings: Settings,
  refuse: (name: string, expected: string, got: Json) => Error,
): void {
  for (const [name, allowed] of Object.entries(settings)) {
    requireObjects(properties, name, refuse);
    const got = fieldAt(properties, name);
    if (got === undefined || got === null) continue;
    if (allowed === 'boolean') {
      if (typeof got !== 'boolean') throw refuse(name, 'true or false', got);
    } else if ('from' in allowed) {
      const { from, to } = allowed;
      if (typeof got !== 'number' || !Number.isInteger(got) || got < from || got > to)
        throw refuse(name, `an integer from ${from} to ${to}`, got);
    } else {
      const word = allowed.find((one) => typeof got === 'string' && one.toLowerCase() === got.toLowerCase());
      if (word === undefined) throw refuse(name, `one of ${allowed.join(', ')}`, got);
      setFieldAt(properties, name, word);
    }
  }
}

/** What a path leads through is an object, where it is there. */
function requireObjects(
  properties: JsonObject,
  path: string,
  refuse: (name: string, expected: string, got: Json) => Error,
): void {
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot);
    const got = fieldAt(properties, name);
    if (got !== undefined && got !== null && !isObject(got)) throw refuse(name, 'an object', got);
  }
}
