/** Numeric functions. Numbers are 64-bit integers in Azure; here they are exact to 2^53. */

import { LanguageError } from '../language/language-error.ts';
import { expectInteger, expectOneOf } from '../language/values.ts';
import type { Json } from '../../contract/index.ts';
import { define } from './define.ts';

function numbers(call: string, args: Json[]): number[] {
  const first = args[0];
  const list = args.length === 1 && Array.isArray(first) ? first : args;
  if (list.length === 0) {
    throw new LanguageError(
      `The template language function '${call}' expects at least one integer; the array is empty.`,
    );
  }
  return list.map((value) => expectInteger(call, value));
}

/** A calculation. From 2^63 on, Azure has no such integer. */
function calculate(call: string, [a, b]: Json[], how: (a: number, b: number) => number): number {
  const left = expectInteger(call, a);
  const right = expectInteger(call, b);
  const value = how(left, right);
  if (value < 2 ** 63 && value >= -(2 ** 63)) return value;
  throw new LanguageError(
    `The template language function '${call}' overflowed with the operants '${BigInt(left)}' and '${BigInt(right)}'. Please see https://aka.ms/arm-functions for usage details.`,
  );
}

/** Throws LanguageError for digits that 64 bits cannot hold. */
function parseInteger(call: string, digits: string): number {
  const value = BigInt(digits.trim().replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) === value) return Number(value);
  throw new LanguageError(
    `The template language function '${call}' cannot convert provided value '${digits}' to integer value. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
  );
}

function divisor(call: string, value: Json | undefined): number {
  const number = expectInteger(call, value);
  if (number === 0) {
    throw new LanguageError(`The template language function '${call}' attempted to divide by zero.`);
  }
  return number;
}

export const numberFunctions = [
  define('add', 2, 2, (args, _, call) => calculate(call, args, (a, b) => a + b)),
  define('sub', 2, 2, (args, _, call) => calculate(call, args, (a, b) => a - b)),
  define('mul', 2, 2, (args, _, call) => calculate(call, args, (a, b) => a * b)),
  define('div', 2, 2, ([a, b], _, call) => Math.trunc(expectInteger(call, a) / divisor(call, b))),
  define('mod', 2, 2, ([a, b], _, call) => expectInteger(call, a) % divisor(call, b)),
  define('min', 1, Infinity, (args, _, call) => Math.min(...numbers(call, args))),
  define('max', 1, Infinity, (args, _, call) => Math.max(...numbers(call, args))),
  define('int', 1, 1, ([value = null], _, call) => {
    if (typeof value === 'number') return Math.trunc(value);
    if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return parseInteger(call, value);
    return expectOneOf(call, 'Integer, or String of digits', value);
  }),
  define('float', 1, 1, ([value = null], _, call) => {
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
    return expectOneOf(call, 'Integer, or String of a number', value);
  }),
];
