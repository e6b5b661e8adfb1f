/** Functions that take a lambda: `map(array, lambda('x', …lambdaVariables('x')…))`. */

import type { Expression } from '../language/expression.ts';
import { LanguageError } from '../language/language-error.ts';
import type { Scope } from '../language/scope.ts';
import { expectArray, expectBoolean, expectObject, expectString } from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define, defineLazy, type TemplateFunction } from './define.ts';

type Lambda = (...values: Json[]) => Json;
type Evaluate = (expression: Expression, scope: Scope) => Json;

/** The lambda that stands as an argument, closed over its scope. `most`: how many variables `call` can give it. */
function lambdaOf(
  call: string,
  expression: Expression | undefined,
  scope: Scope,
  evaluate: Evaluate,
  most: number,
): Lambda {
  if (expression?.kind !== 'call' || expression.name.toLowerCase() !== 'lambda') {
    throw new LanguageError(
      `The template language function '${call}' expects a lambda function as its parameter. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
  const body = expression.args.at(-1);
  const names = expression.args.slice(0, -1).map((arg) => expectString('lambda', evaluate(arg, scope)));
  if (body === undefined || names.length > most) {
    throw new LanguageError(
      `The lambda function of '${call}' is not valid: expected at most ${most} variable(s) and an expression, got ${names.length} variable(s).`,
    );
  }
  return (...values) => {
    const lambda = new Map(scope.lambda);
    for (const [index, name] of names.entries()) lambda.set(name.toLowerCase(), values[index] ?? null);
    return evaluate(body, { ...scope, lambda });
  };
}

/** A function of an array and one lambda over (element, index). */
function overArray(name: string, run: (array: Json[], lambda: Lambda, call: string) => Json): TemplateFunction {
  return defineLazy(name, 2, 2, ([input, lambda], scope, evaluate, call) => {
    const array = expectArray(call, input === undefined ? null : evaluate(input, scope));
    return run(array, lambdaOf(call, lambda, scope, evaluate, 2), call);
  });
}

function group(array: Json[], key: Lambda, value: Lambda, call: string): JsonObject {
  const groups = new Map<string, Json[]>();
  for (const [index, item] of array.entries()) {
    const name = expectString(call, key(item, index));
    groups.set(name, [...(groups.get(name) ?? []), value(item, index)]);
  }
  return Object.fromEntries(groups);
}

/** Stable; `before(a, b)` says whether a comes before b. */
function sort(array: Json[], before: Lambda, call: string): Json[] {
  return array.toSorted((a, b) => {
    if (expectBoolean(call, before(a, b))) return -1;
    return expectBoolean(call, before(b, a)) ? 1 : 0;
  });
}

export const lambdaFunctions: TemplateFunction[] = [
  define('lambdaVariables', 1, 1, ([name], scope, call) => {
    const variable = expectString(call, name);
    const value = scope.lambda.get(variable.toLowerCase());
    if (value === undefined) {
      throw new LanguageError(`The lambda variable '${variable}' is not defined in the lambda function around it.`);
    }
    return value;
  }),
  defineLazy('lambda', 1, Infinity, () => {
    throw new LanguageError(
      "The template function 'lambda' is not expected at this location. It can only be an argument of 'filter', 'groupBy', 'map', 'mapValues', 'reduce', 'sort' or 'toObject'.",
    );
  }),
  overArray('map', (array, lambda) => array.map((item, index) => lambda(item, index))),
  overArray('filter', (array, lambda, call) => array.filter((item, index) => expectBoolean(call, lambda(item, index)))),
  overArray('sort', sort),
  defineLazy('groupBy', 2, 3, ([input, key, value], scope, evaluate, call) => {
    const array = expectArray(call, input === undefined ? null : evaluate(input, scope));
    const valueOf = value === undefined ? (item: Json) => item : lambdaOf(call, value, scope, evaluate, 2);
    return group(array, lambdaOf(call, key, scope, evaluate, 2), valueOf, call);
  }),
  defineLazy('mapValues', 2, 2, ([input, lambda], scope, evaluate, call) => {
    const object = expectObject(call, input === undefined ? null : evaluate(input, scope));
    const run = lambdaOf(call, lambda, scope, evaluate, 1);
    return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, run(value)]));
  }),
  defineLazy('reduce', 3, 3, ([input, initial, lambda], scope, evaluate, call) => {
    const array = expectArray(call, input === undefined ? null : evaluate(input, scope));
    const run = lambdaOf(call, lambda, scope, evaluate, 3);
    let value = initial === undefined ? null : evaluate(initial, scope);
    for (const [index, item] of array.entries()) value = run(value, item, index);
    return value;
  }),
  defineLazy('toObject', 2, 3, ([input, key, value], scope, evaluate, call) => {
    const array = expectArray(call, input === undefined ? null : evaluate(input, scope));
    const keyOf = lambdaOf(call, key, scope, evaluate, 1);
    const valueOf = value === undefined ? (item: Json) => item : lambdaOf(call, value, scope, evaluate, 1);
    return Object.fromEntries(array.map((item) => [expectString(call, keyOf(item)), valueOf(item)]));
  }),
];
