/** Functions that take a string, an array or an object alike. */

import { LanguageError } from '../language/language-error.ts';
import {
  equal,
  expectInteger,
  expectOneOf,
  expectString,
  isObject,
  keyOf,
  propertyOf,
  setMember,
  textOf,
  typeName,
} from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define } from './define.ts';

type Sequence = string | Json[];

function sequence(call: string, value: Json = null): Sequence {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  return expectOneOf(call, 'Array, String', value);
}

function at(value: Sequence, index: number): Json {
  const item = value.at(index);
  return item ?? (typeof value === 'string' ? '' : null);
}

function concat(args: Json[], call: string): Json {
  if (args.some(Array.isArray)) {
    if (!args.every(Array.isArray)) {
      throw new LanguageError(
        `The provided parameters for language function '${call}' are invalid. Either all or none of the parameters must be an array. Please see https://aka.ms/arm-functions#concat for usage details.`,
      );
    }
    return args.flat(1);
  }
  return args
    .map((arg) => (isObject(arg) || arg === null ? expectOneOf(call, 'Array, String', arg) : textOf(arg)))
    .join('');
}

function contains([container = null, item = null]: Json[], call: string): boolean {
  if (typeof container === 'string')
    return container.includes(isScalar(item) ? textOf(item) : expectString(call, item));
  if (Array.isArray(container)) return container.some((each) => equal(each, item));
  if (isObject(container))
    return keyOf(container, isScalar(item) ? textOf(item) : expectString(call, item)) !== undefined;
  return expectOneOf(call, 'Array, Object, String', container);
}

function isScalar(value: Json): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function empty(value: Json, call: string): boolean {
  if (value === null) return true;
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : expectOneOf(call, 'Array, Object, String', value);
}

function size(value: Json, call: string): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : expectOneOf(call, 'Array, Object, String', value);
}

/** The first or last place of `item`; strings are compared whatever the case, elements of arrays exactly. */
function indexOf([within = null, item = null]: Json[], call: string, last: boolean): number {
  if (Array.isArray(within)) {
    return last ? within.findLastIndex((each) => equal(each, item)) : within.findIndex((each) => equal(each, item));
  }
  const text = expectString(call, within).toLowerCase();
  const wanted = expectString(call, item).toLowerCase();
  return last ? text.lastIndexOf(wanted) : text.indexOf(wanted);
}

/** All are arrays, or all are objects; anything else is an error. */
function alike(args: Json[], call: string): Json[][] | JsonObject[] {
  if (args.every((arg): arg is Json[] => Array.isArray(arg))) return args;
  if (args.every((arg): arg is JsonObject => isObject(arg))) return args;
  throw new LanguageError(
    `The template language function '${call}' expects its parameters to be all arrays or all objects. The provided types are '${args.map(typeName).join(', ')}'. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
  );
}

function isArrays(args: Json[][] | JsonObject[]): args is Json[][] {
  return Array.isArray(args[0]);
}

function union(args: Json[], call: string): Json {
  const all = alike(args, call);
  if (!isArrays(all)) return all.reduce(mergeDeep, {});
  const result: Json[] = [];
  for (const item of all.flat(1)) if (!result.some((each) => equal(each, item))) result.push(item);
  return result;
}

/** Nested objects are merged, nested arrays replaced. */
function mergeDeep(into: JsonObject, from: JsonObject): JsonObject {
  const result: JsonObject = { ...into };
  for (const [key, value] of Object.entries(from)) {
    const name = keyOf(result, key) ?? key;
    const before = Object.hasOwn(result, name) ? result[name] : undefined;
    setMember(result, name, isObject(before) && isObject(value) ? mergeDeep(before, value) : value);
  }
  return result;
}

function intersection(args: Json[], call: string): Json {
  const all = alike(args, call);
  if (isArrays(all)) {
    const [first = [], ...others] = all;
    const result: Json[] = [];
    for (const item of first) {
      if (result.some((each) => equal(each, item))) continue;
      if (others.every((other) => other.some((each) => equal(each, item)))) result.push(item);
    }
    return result;
  }
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) =>
      others.every((other) => {
        const found = propertyOf(other, key);
        return found !== undefined && equal(found, value);
      }),
    ),
  );
}

export const collectionFunctions = [
  define('concat', 1, Infinity, (args, _, call) => concat(args, call)),
  define('contains', 2, 2, (args, _, call) => contains(args, call)),
  define('empty', 1, 1, ([value = null], _, call) => empty(value, call)),
  define('length', 1, 1, ([value = null], _, call) => size(value, call)),
  define('first', 1, 1, ([value], _, call) => at(sequence(call, value), 0)),
  define('last', 1, 1, ([value], _, call) => at(sequence(call, value), -1)),
  define('skip', 2, 2, ([value, count], _, call) =>
    sequence(call, value).slice(Math.max(0, expectInteger(call, count))),
  ),
  define('take', 2, 2, ([value, count], _, call) =>
    sequence(call, value).slice(0, Math.max(0, expectInteger(call, count))),
  ),
  define('indexOf', 2, 2, (args, _, call) => indexOf(args, call, false)),
  define('lastIndexOf', 2, 2, (args, _, call) => indexOf(args, call, true)),
  define('union', 2, Infinity, (args, _, call) => union(args, call)),
  define('intersection', 2, Infinity, (args, _, call) => intersection(args, call)),
];
