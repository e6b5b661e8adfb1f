/** How a function of the template language is written down: its name, how many arguments it takes, and what it does. */

import type { Json } from '../../contract/index.ts';
import type { Expression } from '../language/expression.ts';
import type { Scope } from '../language/scope.ts';

/** Arguments are evaluated first; `call` is the name as the template spells it, for messages. */
export type Run = (args: Json[], scope: Scope, call: string) => Json;
/** Arguments are handed over as they stand: the function decides which are evaluated, and in which scope. */
export type Lazy = (
  args: Expression[],
  scope: Scope,
  evaluate: (expression: Expression, scope: Scope) => Json,
  call: string,
) => Json;

export type TemplateFunction = { name: string; least: number; most: number } & (
  | { run: Run; lazy?: never }
  | { lazy: Lazy; run?: never }
);

export function define(name: string, least: number, most: number, run: Run): TemplateFunction {
  return { name, least, most, run };
}

export function defineLazy(name: string, least: number, most: number, lazy: Lazy): TemplateFunction {
  return { name, least, most, lazy };
}
