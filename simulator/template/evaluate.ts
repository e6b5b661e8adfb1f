/** Evaluation: of one expression, and of any JSON value with expressions and property loops in it. */

import type { Json, JsonObject } from '../contract/index.ts';
import { type Expression, isExpression, parseExpression, unescapeText } from './language/expression.ts';
import { functionNamed } from './functions/index.ts';
import { LanguageError, placed, type Subject, SyntaxFault } from './language/language-error.ts';
import { inCopy, type Scope } from './language/scope.ts';
import { isObject, keyOf, propertyOf, setMember, textOf, typeName } from './language/values.ts';

/** The most turns a loop may have. Source: Azure's template limits. */
const COPY_LIMIT = 800;

/** The most characters that a text may have. Source: Azure's template limits. */
const TEXT_LIMIT = 131_072;

export function evaluate(expression: Expression, scope: Scope): Json {
  scope.runtime.count(1);
  if (expression.kind === 'literal') return expression.value;
  if (expression.kind === 'call') return call(expression.name, expression.args, scope);
  const of = evaluate(expression.of, scope);
  return expression.kind === 'property'
    ? property(of, expression.name)
    : element(of, evaluate(expression.index, scope));
}

function property(of: Json, name: string): Json {
  if (!isObject(of)) {
    throw new LanguageError(
      `The language expression property '${name}' can't be evaluated, the value it is taken from is of type '${typeName(of)}'.`,
    );
  }
  const value = propertyOf(of, name);
  if (value === undefined) {
    throw new LanguageError(
      `The language expression property '${name}' doesn't exist, available properties are '${Object.keys(of).join(', ')}'.`,
    );
  }
  return value;
}

function element(of: Json, index: Json): Json {
  if (typeof index === 'string') return property(of, index);
  const at = textOf(index);
  if (typeof index !== 'number' || !(Array.isArray(of) || isObject(of)))
    throw new LanguageError(
      `The language expression property '${at}' can't be evaluated, the value it is taken from is of type '${typeName(of)}'.`,
    );
  if (!Array.isArray(of))
    throw new LanguageError(
      `The language expression property '${at}' can't be evaluated, property name must be a string.`,
    );
  const value = of[index];
  if (value === undefined)
    throw new LanguageError(`The language expression property array index '${at}' is out of bounds.`);
  return value;
}

function call(name: string, args: Expression[], scope: Scope): Json {
  if (name.includes('.')) return callUserFunction(name, args, scope);
  const known = functionNamed(name);
  if (known === undefined) {
    throw new SyntaxFault(
      `The template function '${name}' is not valid. Please see https://aka.ms/arm-functions for usage details.`,
    );
  }
  if (args.length < known.least || args.length > known.most) {
    throw new LanguageError(
      `Unable to evaluate template language function '${name}': function requires ${wanted(known.least, known.most)} argument(s) while ${args.length} were provided. Please see https://aka.ms/arm-functions#${name.toLowerCase()} for usage details.`,
    );
  }
  const value =
    known.lazy === undefined
      ? known.run(
          args.map((arg) => evaluate(arg, scope)),
          scope,
          name,
        )
      : known.lazy(args, scope, evaluate, name);
  return withinLimits(name, value, scope);
}

function withinLimits(name: string, value: Json, scope: Scope): Json {
  if (Array.isArray(value)) scope.runtime.count(value.length);
  if (typeof value === 'string' && value.length > TEXT_LIMIT) {
    throw new LanguageError(
      `Unable to evaluate template language function '${name}': its result of ${value.length} characters exceeds the limit of '${TEXT_LIMIT}'.`,
    );
  }
  return value;
}

function wanted(least: number, most: number): string {
  if (least === most) return String(least);
  return most === Infinity ? `at least ${least}` : `${least} to ${most}`;
}

function callUserFunction(name: string, args: Expression[], scope: Scope): Json {
  const known = scope.deployment.userFunction(name);
  if (known === undefined) {
    throw new SyntaxFault(
      `The template function '${name}' is not valid. Please see https://aka.ms/arm-functions for usage details.`,
    );
  }
  if (args.length !== known.parameters.length) {
    throw new LanguageError(
      `Unable to evaluate template language function '${name}': function requires ${known.parameters.length} argument(s) while ${args.length} were provided.`,
    );
  }
  const values = args.map((arg) => evaluate(arg, scope));
  const functionArguments = new Map(known.parameters.map((p, i) => [p.name.toLowerCase(), values[i] ?? null]));
  return evaluateJson(known.output, {
    deployment: scope.deployment,
    runtime: scope.runtime,
    place: scope.place,
    copies: new Map(),
    lambda: new Map(),
    functionArguments,
  });
}

/** A string of a template: an expression's value, or the text it stands for. */
export function evaluateText(text: string, scope: Scope): Json {
  return isExpression(text) ? evaluate(parseExpression(text), scope) : unescapeText(text);
}

/** Evaluates what is below `value`; LanguageErrors come out without a place. */
function evaluateJson(value: Json, scope: Scope): Json {
  return walk(value, scope, '', (text, inner) => evaluateText(text, inner));
}

/** Evaluates what is below `value`, which stands at `path` and belongs to `what`; throws TemplateFault naming both. */
export function evaluateAt(what: Subject, path: string, value: Json, scope: Scope): Json {
  return placed(what, path, () =>
    walk(value, scope, path, (text, inner, at) => placed(what, at, () => evaluateText(text, inner))),
  );
}

/** What becomes of each string; `at` is its path. */
export type Leaf = (text: string, scope: Scope, at: string) => Json;

/** Rebuilds `value`: every string and key through `leaf`, every `copy` of properties unrolled. */
export function walk(value: Json, scope: Scope, path: string, leaf: Leaf): Json {
  if (typeof value === 'string') return leaf(value, scope, path);
  if (Array.isArray(value)) return value.map((item, index) => walk(item, scope, `${path}/${index}`, leaf));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === 'copy' && isPropertyCopy(item)) continue;
    const name = isExpression(key) ? leaf(key, scope, `${path}/${key}`) : unescapeText(key);
    setMember(result, textOf(name), walk(item, scope, `${path}/${key}`, leaf));
  }
  const copy = value['copy'];
  if (copy !== undefined && isPropertyCopy(copy)) {
    for (const [index, loop] of copy.entries()) {
      setMember(result, loop.name, unroll(loop, scope, `${path}/copy/${index}`, leaf));
    }
  }
  return result;
}

type PropertyCopy = { name: string; count: Json; input: Json };

function isPropertyCopy(value: Json): value is PropertyCopy[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (loop) =>
        isObject(loop) && typeof loop['name'] === 'string' && keyOf(loop, 'count') !== undefined && 'input' in loop,
    )
  );
}

function unroll(loop: PropertyCopy, scope: Scope, path: string, leaf: Leaf): Json[] {
  const count = copyCount(walk(loop.count, scope, `${path}/count`, leaf));
  return Array.from({ length: count }, (_, index) =>
    walk(loop.input, inCopy(scope, loop.name, index, false), `${path}/input`, leaf),
  );
}

/** A loop's count, checked. Throws LanguageError. */
export function copyCount(value: Json): number {
  // A count may be written as a text.
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= COPY_LIMIT) return count;
  throw new LanguageError(
    `The specified copy count '${textOf(value)}' is not valid: it must be an integer from 0 to ${COPY_LIMIT}. Please see https://aka.ms/arm-copy for usage details.`,
  );
}

/** The count of a loop that stands at `path` and belongs to `what`. Throws TemplateFault. */
export function copyCountAt(what: Subject, path: string, value: Json | undefined, scope: Scope): number {
  const count = evaluateAt(what, path, value ?? null, scope);
  return placed(what, path, () => copyCount(count));
}
