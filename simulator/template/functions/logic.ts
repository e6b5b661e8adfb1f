/** Logical and comparison functions. */

import { LanguageError } from '../language/language-error.ts';
import { compareText, equal, expectBoolean, expectOneOf, typeName } from '../language/values.ts';
import type { Json } from '../../contract/index.ts';
import { define, defineLazy } from './define.ts';

function compare(call: string, a: Json | undefined, b: Json | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  throw new LanguageError(
    `The template language function '${call}' expects two parameters of the same type, integer or string. The provided types are '${typeName(a ?? null)}' and '${typeName(b ?? null)}'. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
  );
}

export const logicFunctions = [
  define('true', 0, 0, () => true),
  define('false', 0, 0, () => false),
  define('null', 0, 0, () => null),
  define('not', 1, 1, ([value], _, call) => !expectBoolean(call, value)),
  defineLazy('and', 2, Infinity, (args, scope, evaluate, call) =>
    args.every((arg) => expectBoolean(call, evaluate(arg, scope))),
  ),
  defineLazy('or', 2, Infinity, (args, scope, evaluate, call) =>
    args.some((arg) => expectBoolean(call, evaluate(arg, scope))),
  ),
  defineLazy('if', 3, 3, ([condition, whenTrue, whenFalse], scope, evaluate, call) => {
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) return null;
    return evaluate(expectBoolean(call, evaluate(condition, scope)) ? whenTrue : whenFalse, scope);
  }),
  defineLazy('coalesce', 1, Infinity, (args, scope, evaluate) => {
    for (const arg of args) {
      const value = evaluate(arg, scope);
      if (value !== null) return value;
    }
    return null;
  }),
  define('bool', 1, 1, ([value = null], _, call) => {
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return value !== 0;
    const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    return expectOneOf(call, "Boolean, Integer, String of 'true' or 'false'", value);
  }),
  define('equals', 2, 2, ([a = null, b = null]) => equal(a, b)),
  define('less', 2, 2, ([a, b], _, call) => compare(call, a, b) < 0),
  define('lessOrEquals', 2, 2, ([a, b], _, call) => compare(call, a, b) <= 0),
  define('greater', 2, 2, ([a, b], _, call) => compare(call, a, b) > 0),
  define('greaterOrEquals', 2, 2, ([a, b], _, call) => compare(call, a, b) >= 0),
  define('fail', 1, 1, ([message]) => {
    throw new LanguageError(typeof message === 'string' ? message : JSON.stringify(message));
  }),
];
