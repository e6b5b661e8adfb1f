/** Object functions, JSON, and access that does not fail. */

import { LanguageError } from '../language/language-error.ts';
import { parseLenientJson } from '../../http/lenient-json.ts';
import {
  expectArray,
  expectObject,
  expectString,
  isObject,
  propertyOf,
  setMember,
  textOf,
  typeName,
} from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define } from './define.ts';

/** Parses a JSON text. Throws LanguageError with what the parser says. */
export function parseJson(call: string, text: string): Json {
  try {
    return parseLenientJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new LanguageError(
      `The template language function '${call}' parameter is not valid. The provided value '${text}' cannot be converted to JSON: ${error.message}. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
}

function createObject(args: Json[], call: string): JsonObject {
  if (args.length % 2 !== 0) {
    throw new LanguageError(
      `Unable to evaluate template language function '${call}': function requires an even number of arguments while ${args.length} were provided. Please see https://aka.ms/arm-functions#createobject for usage details.`,
    );
  }
  const result: JsonObject = {};
  for (let index = 0; index < args.length; index += 2) {
    setMember(result, expectString(call, args[index]), args[index + 1] ?? null);
  }
  return result;
}

function sortedKeys(object: JsonObject): string[] {
  return Object.keys(object).sort((a, b) => (a < b ? -1 : Number(a > b)));
}

/** One step of a path: a key, an index, or (Bicep's `[^1]`) `{ value: 1, fromEnd: true }`. */
function step(from: Json, key: Json, call: string): Json | undefined {
  if (typeof key === 'string') return isObject(from) ? propertyOf(from, key) : undefined;
  if (typeof key === 'number') return Array.isArray(from) ? from[key] : undefined;
  const value = isObject(key) ? propertyOf(key, 'value') : undefined;
  if (value === undefined || !isObject(key)) {
    throw new LanguageError(
      `The template language function '${call}' expects keys of type 'String' or 'Integer'. The provided value is of type '${typeName(key)}'.`,
    );
  }
  if (key['fromEnd'] !== true || typeof value !== 'number') return step(from, value, call);
  return Array.isArray(from) && value > 0 ? from.at(-value) : undefined;
}

/** Follows `path` from `from`; undefined where a step is missing. */
function follow(from: Json, path: Json[], call: string): Json | undefined {
  let value: Json | undefined = from;
  for (const key of path) {
    if (value === undefined) return undefined;
    value = step(value, key, call);
  }
  return value;
}

export const objectFunctions = [
  define('createObject', 0, Infinity, (args, _, call) => createObject(args, call)),
  define('items', 1, 1, ([value], _, call) => {
    const object = expectObject(call, value);
    return sortedKeys(object).map((key) => ({ key, value: object[key] ?? null }));
  }),
  define('objectKeys', 1, 1, ([value], _, call) => sortedKeys(expectObject(call, value))),
  define('shallowMerge', 1, 1, ([array], _, call) =>
    expectArray(call, array).reduce<JsonObject>((into, item) => ({ ...into, ...expectObject(call, item) }), {}),
  ),
  define('tryGet', 2, Infinity, ([from = null, ...path], _, call) => follow(from, path, call) ?? null),
  define('json', 1, 1, ([text], _, call) => parseJson(call, expectString(call, text))),
  define('string', 1, 1, ([value = null]) => textOf(value)),
];
