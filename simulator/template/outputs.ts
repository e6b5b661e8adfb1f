/** A deployment's outputs. */

import type { Json, JsonObject } from '../provider.ts';
import type { Context } from './context.ts';
import { copyCount, evaluateText, type Leaf, walk } from './evaluate.ts';
import { invalidTemplate, placed } from './language-error.ts';
import { checkValue, declaredType, isSecure, shownType } from './parameters.ts';
import { Pending, Runtime } from './runtime.ts';
import { inCopy, rootScope, type Scope } from './scope.ts';
import type { Environment } from './types.ts';
import { isObject, textOf } from './values.ts';

/** `{ name: { type, value } }`; secure ones as `{ type }`. */
export async function evaluateOutputs(context: Context, environment: Environment): Promise<JsonObject> {
  const runtime = new Runtime();
  return runtime.settle(environment, () => {
    const shown: JsonObject = {};
    for (const [name, declaration] of Object.entries(context.sections.outputs)) {
      const output = evaluateOutput(context, runtime, name, declaration, strict(name));
      if (output !== undefined) shown[name] = output;
    }
    return shown;
  });
}

function strict(name: string): Leaf {
  return (text, scope, at) => placed(`output '${name}'`, at, () => evaluateText(text, scope));
}

/** Finds what is wrong with the outputs while planning; what only the cloud knows is left for later. */
export function examineOutputs(context: Context, runtime: Runtime): void {
  for (const [name, declaration] of Object.entries(context.sections.outputs)) {
    try {
      evaluateOutput(context, runtime, name, declaration, strict(name));
    } catch (error) {
      if (!(error instanceof Pending)) throw error;
    }
  }
}

function evaluateOutput(
  context: Context,
  runtime: Runtime,
  name: string,
  declaration: Json,
  leaf: Leaf,
): JsonObject | undefined {
  const path = `/outputs/${name}`;
  if (!isObject(declaration))
    throw invalidTemplate(`The template output '${name}' at '${path}' is not an object`);
  const scope = rootScope(context, runtime, 'output');
  const condition =
    declaration['condition'] === undefined
      ? true
      : walk(declaration['condition'], scope, `${path}/condition`, leaf);
  if (typeof condition !== 'boolean') {
    throw invalidTemplate(
      `The condition of the template output '${name}' is not valid: expected a boolean, got '${textOf(condition)}'`,
    );
  }
  if (!condition) return undefined;
  const type = declaredType(declaration, context.sections.definitions, path);
  const value = valueOf(declaration, scope, path, leaf);
  checkValue(`template output '${name}'`, value, type, context.sections.definitions);
  return isSecure(type) ? { type: shownType(type) } : { type: shownType(type, value), value };
}

function valueOf(declaration: JsonObject, scope: Scope, path: string, leaf: Leaf): Json {
  const { copy, value } = declaration;
  if (isObject(copy)) {
    const count = copyCount(
      walk(copy['count'] ?? null, scope, `${path}/copy/count`, leaf),
      `${path}/copy/count`,
    );
    return Array.from({ length: count }, (_, index) =>
      walk(
        copy['input'] ?? null,
        inCopy(scope, textOf(copy['name'] ?? ''), index, true),
        `${path}/copy/input`,
        leaf,
      ),
    );
  }
  if (value === undefined)
    throw invalidTemplate(`The template output at '${path}' has neither 'value' nor 'copy'`);
  return walk(value, scope, `${path}/value`, leaf);
}
