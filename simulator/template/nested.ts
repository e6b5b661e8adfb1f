/**
 * Nested templates of outer scope. Their expressions belong to the template around them, but their resources are
 * another deployment's. So the template is folded: whatever the outer deployment knows is put in as a value, and what
 * only the inner one can know (its own loops, its own resources) stays an expression. The result stands by itself.
 */

import type { Json, JsonObject } from '../contract/index.ts';
import type { Leaf } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import { escapeText, type Expression, isExpression, parseExpression, toText } from './language/expression.ts';
import { refersToResource } from './functions/references.ts';
import { LanguageError, placed, type Subject } from './language/language-error.ts';
import type { Scope } from './language/scope.ts';
import type { PlannedResource } from './language/types.ts';
import { isObject, setMember, textOf } from './language/values.ts';

/** The loops of the nested template around an expression: their indexes are not known out here. */
interface Loops {
  names: ReadonlySet<string>;
  /** Does an unnamed `copyIndex()` mean one of them? */
  unnamed: boolean;
  /** Must references to the outer template's resources wait as well? They are not there to be read. */
  absent?: boolean;
}

/** The template with all that `scope` knows put in. Parameters and variables of its own are ignored, as in Azure. */
export function foldTemplate(
  template: JsonObject,
  scope: Scope,
  path: string,
  leaf: Leaf,
  around: Subject,
): JsonObject {
  const { parameters: _parameters, variables: _variables, functions: _functions, ...rest } = template;
  const folded = fold(rest, { names: new Set(), unnamed: false }, path, (text, loops, at) =>
    placed(around, at, () => leafOf(text, loops, scope, at, leaf)),
  );
  return isObject(folded) ? folded : {};
}

type Fold = (text: string, loops: Loops, at: string) => Json;

function fold(value: Json, loops: Loops, path: string, each: Fold): Json {
  if (typeof value === 'string') return each(value, loops, path);
  if (Array.isArray(value)) return value.map((item, index) => fold(item, loops, `${path}/${index}`, each));
  if (!isObject(value)) return value;
  const inside = loopsIn(value, loops);
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const ownTemplate = key === 'template' && isInnerDeployment(value);
    const name = isExpression(key) ? each(key, inside, `${path}/${key}`) : key;
    const folded = ownTemplate
      ? item
      : fold(item, key === 'copy' && isObject(item) ? loops : inside, `${path}/${key}`, each);
    setMember(result, textOf(name), folded);
  }
  return result;
}

/** The properties of a nested deployment whose expressions are its own. */
function isInnerDeployment(properties: JsonObject): boolean {
  const options = properties['expressionEvaluationOptions'];
  return isObject(options) && textOf(options['scope'] ?? null).toLowerCase() === 'inner';
}

function loopsIn(value: JsonObject, around: Loops): Loops {
  const { copy } = value;
  if (isObject(copy)) {
    const names = new Set(around.names);
    if (typeof copy['name'] === 'string') names.add(copy['name'].toLowerCase());
    return { names, unnamed: true };
  }
  if (!Array.isArray(copy)) return around;
  const names = new Set(around.names);
  for (const loop of copy)
    if (isObject(loop) && typeof loop['name'] === 'string') names.add(loop['name'].toLowerCase());
  return { names, unnamed: around.unnamed };
}

function leafOf(text: string, loops: Loops, scope: Scope, at: string, leaf: Leaf): Json {
  if (!isExpression(text)) return text;
  const expression = parseExpression(text);
  if (!isLate(expression, loops, scope, 0)) {
    const value = leaf(text, scope, at);
    // What is not known yet comes back as it was written.
    if (value === text) return `[${toText(reduce(expression, { ...loops, absent: true }, scope))}]`;
    return typeof value === 'string' ? escapeText(value) : value;
  }
  return `[${toText(reduce(expression, loops, scope))}]`;
}

/** Must this wait for the nested deployment? `lambdas`: how many lambdas around it belong to the expression. */
function isLate(expression: Expression, loops: Loops, scope: Scope, lambdas: number): boolean {
  if (expression.kind === 'literal') return false;
  if (expression.kind !== 'call') {
    const parts = expression.kind === 'index' ? [expression.of, expression.index] : [expression.of];
    return parts.some((part) => isLate(part, loops, scope, lambdas));
  }
  const name = expression.name.toLowerCase();
  if (name === 'lambdavariables' && lambdas === 0) return true;
  if (name === 'copyindex' && isOwnLoop(expression.args[0], loops)) return true;
  const inside = lambdas + (name === 'lambda' ? 1 : 0);
  if (expression.args.some((arg) => isLate(arg, loops, scope, inside))) return true;
  return refersToResource(name) && (loops.absent === true || outerResource(expression.args[0], scope) === undefined);
}

function isOwnLoop(name: Expression | undefined, loops: Loops): boolean {
  if (name?.kind === 'literal' && typeof name.value === 'string') return loops.names.has(name.value.toLowerCase());
  return loops.unnamed;
}

/** The outer template's resource that this names; of a loop, its first. */
function outerResource(name: Expression | undefined, scope: Scope): PlannedResource | undefined {
  if (name === undefined) return undefined;
  const value = evaluate(name, scope);
  if (typeof value !== 'string') return undefined;
  return scope.deployment.resource(value) ?? scope.deployment.instances(value)?.[0];
}

/** Evaluates the parts of an expression that need not wait. */
function reduce(expression: Expression, loops: Loops, scope: Scope): Expression {
  if (!isLate(expression, loops, scope, 0)) return constant(evaluate(expression, scope));
  const each = (part: Expression): Expression => reduce(part, loops, scope);
  if (expression.kind === 'literal') return expression;
  if (expression.kind === 'property') return { ...expression, of: each(expression.of) };
  if (expression.kind === 'index') return { kind: 'index', of: each(expression.of), index: each(expression.index) };
  if (expression.name.includes('.')) {
    throw new LanguageError(
      `The user-defined function '${expression.name}' cannot be given what only the nested deployment knows. Use inner scope for the nested template.`,
    );
  }
  const args = expression.args.map(each);
  if (refersToResource(expression.name)) spellOut(args, scope);
  return { ...expression, args };
}

/** A resource of the outer template is not known by name to the inner one: it gets its id and API version. */
function spellOut(args: Expression[], scope: Scope): void {
  const [name] = args;
  const resource = name?.kind === 'literal' ? outerResource(name, scope) : undefined;
  if (resource === undefined) return;
  args[0] = { kind: 'literal', value: resource.id };
  args[1] ??= { kind: 'literal', value: resource.apiVersion };
}

function constant(value: Json): Expression {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value)))
    return { kind: 'literal', value };
  if (typeof value === 'boolean' || value === null) return { kind: 'call', name: String(value), args: [] };
  return { kind: 'call', name: 'json', args: [{ kind: 'literal', value: JSON.stringify(value) }] };
}
