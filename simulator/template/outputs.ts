/** A deployment's outputs. */

import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import type { Context } from './context.ts';
import { copyCount, evaluateText, type Leaf, walk } from './evaluate.ts';
import {
  invalidContent,
  LanguageError,
  MisplacedFault,
  placed,
  ReferenceFault,
  SyntaxFault,
  wrongValue,
} from './language/language-error.ts';
import { checkValue, declaredType, isSecure, shownType } from './parameters.ts';
import { Pending, Runtime } from './language/runtime.ts';
import { inCopy, rootScope, type Scope } from './language/scope.ts';
import type { Environment } from './language/types.ts';
import { isObject, textOf } from './language/values.ts';

/** Faults of an expression that no value can mend. */
const ALWAYS_WRONG = [SyntaxFault, ReferenceFault, MisplacedFault, RangeError];
const OUTPUT_FAILED = 'DeploymentOutputEvaluationFailed';

/**
 * `{ name: { type, value } }`; secure ones as `{ type }`. Throws ArmError 400 `DeploymentOutputEvaluationFailed` that
 * names, as its details, each output that has no value.
 */
export async function evaluateOutputs(context: Context, environment: Environment): Promise<JsonObject> {
  const runtime = new Runtime();
  const shown: JsonObject = {};
  const failed: { code: string; target: string; message: string }[] = [];
  for (const [name, declaration] of Object.entries(context.sections.outputs)) {
    try {
      // One by one: what the cloud refuses to tell is then the failure of the output that asked for it.
      const output = await runtime.settle(environment, () =>
        evaluateOutput(context, runtime, name, declaration, evaluateText),
      );
      if (output !== undefined) shown[name] = output;
    } catch (error) {
      failed.push({ target: name, ...problemOf(name, error) });
    }
  }
  if (failed.length === 0) return shown;
  const names = failed.map(({ target }) => target).join(', ');
  throw new ArmError(
    400,
    OUTPUT_FAILED,
    `Unable to evaluate template outputs: '${names}'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.`,
    { details: failed },
  );
}

function problemOf(name: string, error: unknown): { code: string; message: string } {
  if (error instanceof LanguageError || error instanceof RangeError)
    return { code: OUTPUT_FAILED, message: `The template output '${name}' is not valid: ${error.message}.` };
  if (!(error instanceof ArmError)) throw error;
  const { code, message } = error;
  return { code: code === 'InvalidTemplate' ? OUTPUT_FAILED : code, message };
}

/**
 * Finds what is wrong with the outputs whatever their values: what cannot be read, functions out of place, and
 * references to what is not there. All else fails when the resources are made, as in Azure.
 */
export function examineOutputs(context: Context, runtime: Runtime): void {
  for (const [name, declaration] of Object.entries(context.sections.outputs)) {
    const leaf: Leaf = (text, scope, at) => examine(name, at, () => evaluateText(text, scope));
    try {
      evaluateOutput(context, runtime, name, declaration, leaf);
    } catch (error) {
      if (!(error instanceof Pending || error instanceof LanguageError)) throw error;
    }
  }
}

function examine(name: string, at: string, work: () => Json): Json {
  try {
    return work();
  } catch (error) {
    if (!ALWAYS_WRONG.some((kind) => error instanceof kind)) throw error;
    return placed({ kind: 'output', name }, at, () => {
      throw error;
    });
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
  if (!isObject(declaration)) throw wrongValue(declaration, 'Entities.TemplateOutputParameter', path);
  const scope = rootScope(context, runtime, 'output');
  const condition =
    declaration['condition'] === undefined ? true : walk(declaration['condition'], scope, `${path}/condition`, leaf);
  if (typeof condition !== 'boolean') {
    throw new LanguageError(`its condition is no boolean, but '${textOf(condition)}'`);
  }
  if (!condition) return undefined;
  const type = declaredType(declaration, context.sections.definitions, path);
  const value = valueOf(declaration, scope, path, leaf);
  checkValue('output', value, type, context.checks);
  return isSecure(type) ? { type: shownType(type) } : { type: shownType(type, value), value };
}

function valueOf(declaration: JsonObject, scope: Scope, path: string, leaf: Leaf): Json {
  const { copy, value } = declaration;
  if (isObject(copy)) {
    const count = copyCount(walk(copy['count'] ?? null, scope, `${path}/copy/count`, leaf));
    return Array.from({ length: count }, (_, index) =>
      walk(copy['input'] ?? null, inCopy(scope, textOf(copy['name'] ?? ''), index, true), `${path}/copy/input`, leaf),
    );
  }
  if (value === undefined) throw invalidContent("Required property 'value' not found in JSON", path);
  return walk(value, scope, `${path}/value`, leaf);
}
