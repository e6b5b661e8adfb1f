/** The body of a resource: evaluated for real, previewed for what-if, or only looked through while planning. */

import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import { requireContentVersion } from './content-version.ts';
import { evaluateText, type Leaf, walk } from './evaluate.ts';
import { DEPLOYMENTS, type Entry, isInner } from './expand.ts';
import { callsIn, isExpression, parseExpression } from './language/expression.ts';
import { refersToResource } from './functions/references.ts';
import { invalidTemplate, LanguageError, PLACE, placed, type Subject } from './language/language-error.ts';
import { foldTemplate } from './nested.ts';
import { Pending, Runtime } from './language/runtime.ts';
import type { Scope } from './language/scope.ts';
import type { Environment, PlannedResource } from './language/types.ts';
import { isObject, textOf } from './language/values.ts';
import { evaluate } from './evaluate.ts';

/** Members of a template resource that say how it is deployed, and are no part of what is sent. */
const NOT_SENT = new Set(
  'type name apiVersion dependsOn condition copy scope resources comments existing asserts apiProfile'.split(' '),
);
/** `reference()` may stand in these members only while nothing decides the resource's identity by them. */
const STATIC = new Set(['location', 'sku', 'kind', 'plan', 'zones']);

function sent(entry: Entry): JsonObject {
  const isDeployment = entry.planned.type.toLowerCase() === DEPLOYMENTS;
  return Object.fromEntries(
    Object.entries(entry.raw).filter(
      ([key]) => !NOT_SENT.has(key) && !(isDeployment && (key === 'resourceGroup' || key === 'subscriptionId')),
    ),
  );
}

function build(entry: Entry, runtime: Runtime, leaf: Leaf): JsonObject {
  const scope: Scope = { ...entry.scope, runtime, place: 'body' };
  const body: JsonObject = {};
  for (const [key, value] of Object.entries(sent(entry))) {
    const path = `${entry.planned.path}/${key}`;
    const there: Scope = STATIC.has(key) ? { ...scope, place: 'static' } : scope;
    body[key] =
      key === 'properties' && isObject(value) && entry.planned.nested !== undefined
        ? nestedProperties(entry, value, there, path, leaf)
        : placed(what(entry), path, () => walk(value, there, path, leaf));
  }
  return body;
}

/** A nested deployment's template is not evaluated here: inner, it is another deployment's; outer, it is folded. */
function nestedProperties(entry: Entry, value: JsonObject, scope: Scope, path: string, leaf: Leaf): JsonObject {
  const { template, ...others } = value;
  // One that an expression gives is whole: what is left of expressions in it is the other deployment's.
  if (typeof template === 'string') return objectOf(placed(what(entry), path, () => walk(value, scope, path, leaf)));
  const properties = placed(what(entry), path, () => walk(others, scope, path, leaf));
  if (!isObject(properties) || !isObject(template)) return objectOf(properties);
  if (isInner(entry.raw)) return { ...properties, template };
  const at = `${path}/template`;
  return { ...properties, template: foldTemplate(template, scope, at, leaf, what(entry)) };
}

function objectOf(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

function what({ planned, raw }: Entry): Subject {
  const name = planned.symbolicName ?? textOf(raw['name'] ?? '');
  return { kind: 'body', id: planned.id, name, place: planned.path };
}

/** The body, every expression evaluated; `reference()` and its kin ask `environment`. */
export async function evaluateBody(entry: Entry, environment: Environment): Promise<JsonObject> {
  const runtime = new Runtime();
  const body = await runtime.settle(environment, () =>
    build(entry, runtime, (text, scope, at) => placed(what(entry), at, () => evaluateText(text, scope))),
  );
  return loadLinks(entry, body, environment);
}

/** As `evaluateBody`, but an expression about what is not there stays as it is written. */
export async function previewBody(entry: Entry, environment: Environment): Promise<JsonObject> {
  const runtime = new Runtime();
  const body = await runtime.settle(environment, () =>
    build(entry, runtime, (text, scope, at) => {
      try {
        return placed(what(entry), at, () => evaluateText(text, scope));
      } catch (error) {
        // What it refers to may be there without what it will have.
        if (error instanceof ArmError && (error.status === 404 || asksTheCloud(text))) return text;
        throw error;
      }
    }),
  );
  return loadLinks(entry, body, environment);
}

function asksTheCloud(text: string): boolean {
  return isExpression(text) && [...callsIn(parseExpression(text))].some(({ name }) => refersToResource(name));
}

/** Evaluates what can be known while planning, and gathers the planned resources that the body refers to. */
export function examineBody(entry: Entry, runtime: Runtime): PlannedResource[] {
  const found = new Set<PlannedResource>();
  const body = build(entry, runtime, (text, scope, at) =>
    placed(what(entry), at, () => {
      for (const each of referredTo(text, scope)) found.add(each);
      try {
        return evaluateText(text, scope);
      } catch (error) {
        if (error instanceof Pending) return text;
        throw error;
      }
    }),
  );
  requireTags(entry, body['tags']);
  return [...found];
}

/** A tag is a text, or what can be one. */
function requireTags({ planned, raw }: Entry, tags: Json | undefined): void {
  const wrong = isObject(tags)
    ? Object.keys(tags).find((key) => isObject(tags[key]) || Array.isArray(tags[key]))
    : undefined;
  if (wrong === undefined) return;
  throw invalidTemplate(
    `The template resource '${textOf(raw['name'] ?? '')}' ${PLACE} has an invalid tag '${wrong}'`,
    `${planned.path}/tags/${wrong}`,
    planned.path,
  );
}

/** The planned resources that the references in a text name, as far as their names are known while planning. */
function referredTo(text: string, scope: Scope): PlannedResource[] {
  if (!isExpression(text)) return [];
  const found: PlannedResource[] = [];
  for (const call of callsIn(parseExpression(text))) {
    const [first] = call.args;
    if (!refersToResource(call.name) || first === undefined) continue;
    const name = knownNow(() => evaluate(first, scope));
    if (typeof name !== 'string') continue;
    const one = scope.deployment.resource(name);
    found.push(...(one === undefined ? (scope.deployment.instances(name) ?? []) : [one]));
  }
  return found;
}

/** A name that needs a lambda's variable or the cloud is no dependency; if it is wrong, evaluation will say so. */
function knownNow(compute: () => Json): Json | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof Pending || error instanceof LanguageError || error instanceof ArmError) return undefined;
    throw error;
  }
}

/** Puts linked templates and parameter files into a nested deployment's body, where they can be loaded. */
async function loadLinks(entry: Entry, body: JsonObject, environment: Environment): Promise<JsonObject> {
  const { properties } = body;
  if (entry.planned.nested === undefined || !isObject(properties) || environment.loadLinkedTemplate === undefined)
    return body;
  const linked: JsonObject = { ...properties };
  const template = linkOf(entry, properties['templateLink']);
  if (template !== undefined) {
    const loaded = await environment.loadLinkedTemplate(template.uri + template.query);
    requireContentVersion(properties['templateLink'], loaded, 'templateLink');
    linked['template'] = loaded;
    // What is linked in there is found from here, and secured as this is.
    linked['templateLink'] = {
      ...(isObject(properties['templateLink']) ? properties['templateLink'] : {}),
      uri: template.uri,
      ...(template.query === '' ? {} : { queryString: template.query }),
    };
  }
  const parameters = linkOf(entry, properties['parametersLink']);
  if (parameters !== undefined) {
    const file = await environment.loadLinkedTemplate(parameters.uri + parameters.query);
    requireContentVersion(properties['parametersLink'], file, 'parametersLink');
    linked['parameters'] = isObject(file['parameters']) ? file['parameters'] : file;
  }
  return { ...body, properties: linked };
}

/**
 * The address of a link; a relative path is relative to the template it stands in, and has its query unless it has its
 * own.
 */
function linkOf(entry: Entry, link: Json | undefined): { uri: string; query: string } | undefined {
  if (!isObject(link)) return undefined;
  if (typeof link['uri'] === 'string') return { uri: link['uri'], query: queryOf(link) ?? '' };
  const around = entry.scope.deployment.input.templateLink;
  const base = around?.['uri'];
  if (typeof link['relativePath'] !== 'string') return undefined;
  const url = typeof base === 'string' ? URL.parse(link['relativePath'], base) : null;
  if (url !== null) return { uri: url.toString(), query: queryOf(link) ?? queryOf(around) ?? '' };
  throw invalidTemplate(
    `The template link of resource '${entry.planned.id}' is not valid: its relative path '${link['relativePath']}' needs a deployment whose own template was linked. Please see https://aka.ms/arm-deploy for usage details.`,
    `${entry.planned.path}/properties/templateLink`,
  );
}

function queryOf(link: JsonObject | undefined): string | undefined {
  const query = link?.['queryString'];
  return typeof query === 'string' && query !== '' ? `?${query.replace(/^\?/, '')}` : undefined;
}
