/** Expansion of a template's resources: loops, conditions, children; names and ids. */

import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import type { Context } from './context.ts';
import { copyCountAt, evaluateAt } from './evaluate.ts';
import { DEPLOYMENTS, fullName, identify, type Identity, type Parent, resourceAt } from './identify.ts';
import { scopeId, typeOfId } from './language/ids.ts';
import { invalidTemplate, PLACE, wrongValue } from './language/language-error.ts';
import { inCopy, rootScope, type Scope } from './language/scope.ts';
import type { Runtime } from './language/runtime.ts';
import type { PlannedResource } from './language/types.ts';
import { isObject, textOf, typeName } from './language/values.ts';

/** Source: Azure's template limits. */
const RESOURCE_LIMIT = 800;
export { DEPLOYMENTS };

/** A resource as it stands in the template, for one turn of its loop. */
export interface Entry {
  planned: PlannedResource;
  raw: JsonObject;
  scope: Scope;
  /** False: not deployed, but others may say that they depend on it. */
  condition: boolean;
  /** The loop this is an instance of, if it runs in batches. */
  batch?: { name: string; size: number };
}

/**
 * All resources of the template in its order, children after their parents; its loops; and the types of what is not
 * deployed and has no name to be known by. Throws ArmError InvalidTemplate.
 */
export function expandResources(
  context: Context,
  runtime: Runtime,
): { entries: Entry[]; loops: Set<string>; nameless: Set<string> } {
  const { resources } = context.sections;
  const scope = rootScope(context, runtime, 'static');
  const loops = new Set<string>();
  const nameless = new Set<string>();
  const entries = Array.isArray(resources)
    ? resources.flatMap((raw, index) => expand(raw, `/resources/${index}`, scope, { loops, nameless }))
    : Object.entries(resources).flatMap(([symbol, raw]) =>
        expand(raw, `/resources/${symbol}`, scope, { loops, nameless, symbol }),
      );
  const made = entries.filter((entry) => entry.condition && !entry.planned.existing);
  if (made.length > RESOURCE_LIMIT) {
    throw invalidTemplate(
      `The number of template resources limit exceeded. Limit: '${RESOURCE_LIMIT}' and actual: '${made.length}'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    );
  }
  refuseDuplicates(made);
  return { entries, loops, nameless };
}

interface Around {
  /** The names of all loops, in lower case, to be added to: a loop may have no turns and still be depended on. */
  loops: Set<string>;
  /**
   * The types, in lower case, of loops without turns and of undeployed resources whose name makes no sense; to be added
   * to.
   */
  nameless: Set<string>;
  symbol?: string;
  parent?: Parent;
}

function expand(raw: Json, path: string, scope: Scope, around: Around): Entry[] {
  if (!isObject(raw)) throw wrongValue(raw, 'Entities.TemplateResource', path);
  const copy = raw['copy'];
  const what = resourceAt(raw, path);
  if (!isObject(copy)) return instance(raw, path, scope, around, undefined);
  if (around.parent !== undefined)
    throw refuse(raw, `${path}/copy`, 'A copy loop cannot be used for a resource within its parent');
  const name = textOf(evaluateAt(what, `${path}/copy/name`, copy['name'] ?? around.symbol ?? null, scope));
  if (name === '') throw refuse(raw, `${path}/copy`, 'The name of its copy loop cannot be null or empty');
  around.loops.add(name.toLowerCase());
  if (around.symbol !== undefined) around.loops.add(around.symbol.toLowerCase());
  const count = copyCountAt(what, `${path}/copy/count`, copy['count'], scope);
  if (count === 0) noteNameless(raw, around);
  const batch = batchOf(raw, copy, name, path, scope);
  return Array.from({ length: count }, (_, index) => {
    const loop = { name, index, count };
    const entries = instance(raw, path, inCopy(scope, name, index, true), around, loop);
    return entries.map((entry) => (batch !== undefined && entry.planned.copy === loop ? { ...entry, batch } : entry));
  }).flat(1);
}

function noteNameless(raw: JsonObject, { nameless, parent }: Around): void {
  const type = textOf(raw['type'] ?? null).toLowerCase();
  const isFull = type.split('/', 1)[0]?.includes('.') === true;
  nameless.add(parent === undefined || isFull ? type : `${parent.type.toLowerCase()}/${type}`);
}

function batchOf(
  raw: JsonObject,
  copy: JsonObject,
  name: string,
  path: string,
  scope: Scope,
): { name: string; size: number } | undefined {
  const mode = textOf(copy['mode'] ?? 'parallel').toLowerCase();
  if (mode !== 'serial' && mode !== 'parallel') {
    throw refuse(raw, `${path}/copy/mode`, `The copy mode '${mode}' is neither 'serial' nor 'parallel'`);
  }
  if (mode === 'parallel') return undefined;
  const at = `${path}/copy/batchSize`;
  const size = evaluateAt(resourceAt(raw, path), at, copy['batchSize'] ?? 1, scope);
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1) {
    throw refuse(raw, at, `The batch size '${textOf(size)}' of its copy loop is no positive integer`);
  }
  return { name, size };
}

function instance(raw: JsonObject, path: string, scope: Scope, around: Around, copy: PlannedResource['copy']): Entry[] {
  const condition = conditionOf(raw, path, scope);
  const entry = (identity: Identity): Entry => {
    const { type, ...own } = identity;
    const rest = { existing: raw['existing'] === true, dependsOn: [], ...nestedOf(raw, type), path };
    const symbol = around.symbol === undefined ? {} : { symbolicName: around.symbol };
    const planned = {
      ...own,
      type: typeOfId(own.id),
      ...rest,
      ...symbol,
      ...(copy === undefined ? {} : { copy }),
    };
    return { planned, raw, scope, condition };
  };
  if (!condition) {
    // Who is not deployed need not have a name that makes sense; who depends on it may still spell its id.
    const identity = attempt(() => identify(raw, path, scope, around.parent));
    if (identity === undefined) noteNameless(raw, around);
    const self = entry(
      identity ?? {
        id: `${scopeId(scope.deployment.input.scope)}/providers/#${path}`,
        type: '',
        name: '',
        apiVersion: '',
      },
    );
    return identity === undefined
      ? [self]
      : [self, ...children(raw, path, scope, childrenOf(raw, path, scope, around))];
  }
  return [
    entry(identify(raw, path, scope, around.parent)),
    ...children(raw, path, scope, childrenOf(raw, path, scope, around)),
  ];
}

function conditionOf(raw: JsonObject, path: string, scope: Scope): boolean {
  if (raw['condition'] === undefined) return true;
  const at = `${path}/condition`;
  const condition = evaluateAt(resourceAt(raw, path), at, raw['condition'], scope);
  if (typeof condition === 'boolean') return condition;
  throw refuse(
    raw,
    at,
    `The condition must be of type 'Boolean', but '${textOf(condition)}' is of type '${typeName(condition)}'`,
  );
}

function refuse(raw: JsonObject, path: string, problem: string): Error {
  return invalidTemplate(
    `The template resource '${textOf(raw['name'] ?? '')}' ${PLACE} is not valid. ${problem}. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    path,
  );
}

function childrenOf(raw: JsonObject, path: string, scope: Scope, around: Around): Around {
  const { loops, nameless } = around;
  return { loops, nameless, parent: fullName(raw, path, scope, around.parent) };
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ArmError) return undefined;
    throw error;
  }
}

function children(raw: JsonObject, path: string, scope: Scope, around: Around): Entry[] {
  const nested = raw['resources'];
  if (nested === undefined) return [];
  if (Array.isArray(nested))
    return nested.flatMap((child, index) => expand(child, `${path}/resources/${index}`, scope, around));
  if (!isObject(nested)) throw wrongValue(nested, 'Entities.TemplateResource[]', `${path}/resources`);
  return Object.entries(nested).flatMap(([symbol, child]) =>
    expand(child, `${path}/resources/${symbol}`, scope, { ...around, symbol }),
  );
}

function nestedOf(raw: JsonObject, type: string): Pick<PlannedResource, 'nested'> {
  if (type.toLowerCase() !== DEPLOYMENTS) return {};
  return { nested: { expressionScope: isInner(raw) ? 'inner' : 'outer' } };
}

/** Are the expressions of a nested deployment its own? The default is outer. */
export function isInner(raw: JsonObject): boolean {
  const properties = isObject(raw['properties']) ? raw['properties'] : {};
  const options = isObject(properties['expressionEvaluationOptions']) ? properties['expressionEvaluationOptions'] : {};
  return textOf(options['scope'] ?? null).toLowerCase() === 'inner';
}

function refuseDuplicates(entries: Entry[]): void {
  const seen = new Set<string>();
  for (const { planned } of entries) {
    const id = planned.id.toLowerCase();
    if (seen.has(id)) {
      throw invalidTemplate(
        `The resource '${planned.type}/${planned.name}' ${PLACE} is defined multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage details.`,
        planned.path,
      );
    }
    seen.add(id);
  }
}
