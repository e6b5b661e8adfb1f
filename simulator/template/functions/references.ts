/** Functions whose answer only the cloud has: `reference` and its kin, and `list*`. */

import { scopeId } from '../language/ids.ts';
import { LanguageError, MisplacedFault, ReferenceFault } from '../language/language-error.ts';
import type { Scope } from '../language/scope.ts';
import type { PlannedResource } from '../language/types.ts';
import { expectObject, expectString, isObject, textOf } from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define, type TemplateFunction } from './define.ts';
import { fullReference } from './full-reference.ts';

/** Is this a function whose first argument is a resource that must be there first? */
export function refersToResource(call: string): boolean {
  const name = call.toLowerCase();
  return name === 'reference' || name === 'references' || name.startsWith('list');
}

function notHere(scope: Scope, call: string): void {
  if (scope.place !== 'body' && scope.place !== 'output') throw new MisplacedFault(call);
}

/** 'Microsoft.Storage/storageAccounts/x' or deeper: an id below what the deployment deploys to. */
const RELATIVE = /^\w+(?:\.\w+)+(?:\/[^/]+\/[^/]+)+$/;

function target(text: string, scope: Scope): { id: string; planned: PlannedResource | undefined } {
  const planned = scope.deployment.resource(text);
  if (planned !== undefined) return { id: planned.id, planned };
  if (text.startsWith('/')) return { id: text, planned };
  if (RELATIVE.test(text)) return { id: `${scopeId(scope.deployment.input.scope)}/providers/${text}`, planned };
  throw new ReferenceFault(
    `The template reference '${text}' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.`,
  );
}

interface Asked {
  id: string;
  planned: PlannedResource | undefined;
  apiVersion: string | undefined;
  full: boolean;
}

function isFull(call: string, value: Json | undefined): boolean {
  if (value === undefined) return false;
  if (expectString(call, value).toLowerCase() === 'full') return true;
  throw new LanguageError(
    `The template language function '${call}' expects 'Full' as its last parameter. The provided value is '${textOf(value ?? null)}'. Please see https://aka.ms/arm-resource-functions/#${call.toLowerCase()} for usage details.`,
  );
}

function ask(scope: Scope, { id, planned, apiVersion, full }: Asked): Json {
  const answer = scope.runtime.ask(`reference('${id.toLowerCase()}', '${apiVersion ?? ''}', ${full})`, (environment) =>
    environment.reference(id, apiVersion, full),
  );
  return full && isObject(answer) ? fullReference(answer, { id, planned, apiVersion }) : answer;
}

function reference([resource, version, full]: Json[], scope: Scope, call: string): Json {
  notHere(scope, call);
  const text = expectString(call, resource);
  const { id, planned } = target(text, scope);
  const apiVersion = version === undefined || version === null ? planned?.apiVersion : expectString(call, version);
  if (apiVersion === undefined) {
    throw new LanguageError(
      `The template reference '${text}' is not valid: the resource is not defined in the template, so its API version must be given. Please see https://aka.ms/arm-function-reference for usage details.`,
    );
  }
  return ask(scope, { id, planned, apiVersion, full: isFull(call, full) });
}

function noSymbol(call: string, name: string): LanguageError {
  return new LanguageError(
    `The template language function '${call}': the symbolic name '${name}' is not defined in the template, or its condition is false.`,
  );
}

function information(planned: PlannedResource): JsonObject {
  return {
    id: planned.id,
    name: planned.name,
    type: planned.type,
    apiVersion: planned.apiVersion,
    ...(planned.location === undefined ? {} : { location: planned.location }),
  };
}

export const referenceFunctions: TemplateFunction[] = [
  define('reference', 1, 3, reference),
  define('references', 1, 2, ([name, full], scope, call) => {
    notHere(scope, call);
    const text = expectString(call, name);
    const instances = scope.deployment.instances(text);
    if (instances === undefined) throw noSymbol(call, text);
    return instances.map((planned) =>
      ask(scope, { id: planned.id, planned, apiVersion: planned.apiVersion, full: isFull(call, full) }),
    );
  }),
  define('resourceInfo', 1, 1, ([name], scope, call) => {
    const text = expectString(call, name);
    const planned = scope.deployment.resource(text);
    if (planned === undefined) throw noSymbol(call, text);
    return information(planned);
  }),
];

/** `listKeys(resource, apiVersion, body?)` and every other action whose name begins with 'list'. */
export const listFunction: TemplateFunction = define('list*', 1, 3, ([resource, version, body], scope, call) => {
  notHere(scope, call);
  const { id, planned } = target(expectString(call, resource), scope);
  const apiVersion = version === undefined ? planned?.apiVersion : expectString(call, version);
  if (apiVersion === undefined) {
    throw new LanguageError(`The template language function '${call}' needs an API version as its second parameter.`);
  }
  const content = body === undefined ? undefined : expectObject(call, body);
  return scope.runtime.ask(
    `${call}('${id.toLowerCase()}', '${apiVersion}', ${JSON.stringify(content)})`,
    (environment) => environment.action(id, apiVersion, call, content),
  );
});
