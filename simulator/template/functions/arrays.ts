/** Array functions. */

import { LanguageError } from '../language/language-error.ts';
import { equal, expectArray, expectInteger, expectString, textOf } from '../language/values.ts';
import type { Json } from '../../contract/index.ts';
import { define } from './define.ts';

/** Source: Azure's documentation of `range`. */
const RANGE_LIMIT = 10_000;

function range([start, count]: Json[], call: string): number[] {
  const from = expectInteger(call, start);
  const size = expectInteger(call, count);
  if (size < 0 || size > RANGE_LIMIT || from + size > 2_147_483_647) {
    throw new LanguageError(
      `The template language function '${call}' expects a count from 0 to ${RANGE_LIMIT}, and the sum of both below 2147483647. The provided values are '${from}' and '${size}'. Please see https://aka.ms/arm-functions#range for usage details.`,
    );
  }
  return Array.from({ length: size }, (_, index) => from + index);
}

function fromEnd([array, index]: Json[], call: string): Json | undefined {
  const position = expectInteger(call, index);
  return position < 1 ? undefined : expectArray(call, array).at(-position);
}

export const arrayFunctions = [
  define('array', 1, 1, ([value = null]) => (Array.isArray(value) ? value : [value])),
  define('createArray', 0, Infinity, (args) => args),
  define('range', 2, 2, (args, _, call) => range(args, call)),
  define('join', 2, 2, ([array, delimiter], _, call) =>
    expectArray(call, array).map(textOf).join(expectString(call, delimiter)),
  ),
  define('distinct', 1, 1, ([array], _, call) => {
    const result: Json[] = [];
    for (const item of expectArray(call, array)) if (!result.some((each) => equal(each, item))) result.push(item);
    return result;
  }),
  define('flatten', 1, 1, ([array], _, call) => expectArray(call, array).flatMap((item) => expectArray(call, item))),
  define('indexFromEnd', 2, 2, (args, _, call) => {
    const value = fromEnd(args, call);
    if (value === undefined) {
      throw new LanguageError(
        `The template language function '${call}': the reversed index '${textOf(args[1] ?? null)}' is out of bounds.`,
      );
    }
    return value;
  }),
  define('tryIndexFromEnd', 2, 2, (args, _, call) => fromEnd(args, call) ?? null),
];
