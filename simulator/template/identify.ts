/** What a resource of a template is called: its type, name and id, and what it is deployed to. */

import type { JsonObject } from '../provider.ts';
import { evaluateAt } from './evaluate.ts';
import { groupId, nameOfId, resourceIdOf, scopeId } from './ids.ts';
import { invalidTemplate } from './language-error.ts';
import type { Scope } from './scope.ts';
import type { PlannedResource } from './types.ts';
import { propertyOf, textOf } from './values.ts';

export const DEPLOYMENTS = 'microsoft.resources/deployments';

/** The resource that a child stands in. */
export interface Parent {
  type: string;
  name: string;
}

export type Identity = Pick<PlannedResource, 'id' | 'type' | 'name' | 'apiVersion' | 'location'>;

/** What a resource is called. `type` is as the template has it; the id's own last type may differ (extensions). */
export function identify(raw: JsonObject, path: string, scope: Scope, parent: Parent | undefined): Identity {
  const what = `the template resource at '${path}'`;
  const text = (member: string): string => requiredText(raw, member, path, what, scope);
  const { type, name } = fullName(raw, path, scope, parent);
  const id = idOf(raw, type, name, path, scope);
  const location =
    raw['location'] === undefined ? undefined : evaluateAt(what, `${path}/location`, raw['location'], scope);
  return {
    id,
    type,
    name: nameOfId(id),
    apiVersion: profileVersion(raw, scope) ?? text('apiVersion'),
    ...(typeof location === 'string' ? { location } : {}),
  };
}

/** With an API profile, the template's or its own, a resource may have no version: the profile's date stands for it. */
function profileVersion(raw: JsonObject, scope: Scope): string | undefined {
  const profile = raw['apiProfile'] ?? propertyOf(scope.deployment.input.template, 'apiProfile');
  if (raw['apiVersion'] !== undefined || typeof profile !== 'string') return undefined;
  return /^\d{4}-\d\d-\d\d/.exec(profile)?.[0];
}

/** Type and name with those of the resource around it, if it is a child; a child may also spell both in full. */
export function fullName(
  raw: JsonObject,
  path: string,
  scope: Scope,
  parent: Parent | undefined,
): { type: string; name: string } {
  const what = `the template resource at '${path}'`;
  const type = requiredText(raw, 'type', path, what, scope);
  const name = requiredText(raw, 'name', path, what, scope);
  const isFull = type.split('/', 1)[0]?.includes('.') === true;
  return parent === undefined || isFull
    ? { type, name }
    : { type: `${parent.type}/${type}`, name: `${parent.name}/${name}` };
}

function requiredText(raw: JsonObject, member: string, path: string, what: string, scope: Scope): string {
  const value =
    raw[member] === undefined ? undefined : evaluateAt(what, `${path}/${member}`, raw[member], scope);
  if (typeof value === 'string' && value !== '') return value;
  const got = value === undefined ? 'it is missing' : `got '${textOf(value)}'`;
  throw invalidTemplate(
    `The template resource at '${path}' is not valid: expected '${member}' to be a text that is not empty, ${got}. Please see https://aka.ms/arm-syntax-resources for usage details.`,
  );
}

function idOf(raw: JsonObject, type: string, name: string, path: string, scope: Scope): string {
  const id = resourceIdOf(parentId(raw, type, path, scope), type, name);
  if (id !== undefined && !name.split('/').includes('')) return id;
  throw invalidTemplate(
    `The template resource '${name}' for type '${type}' at '${path}' has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.`,
  );
}

/** What a resource is deployed to: its `scope`, the group that a nested deployment or an existing resource names, or the deployment's scope. */
function parentId(raw: JsonObject, type: string, path: string, scope: Scope): string {
  const here = scope.deployment.input.scope;
  const optional = (member: string): string | undefined => {
    if (raw[member] === undefined) return undefined;
    const value = evaluateAt(`the template resource at '${path}'`, `${path}/${member}`, raw[member], scope);
    if (typeof value === 'string' && value !== '') return value;
    throw invalidTemplate(
      `The '${member}' of the template resource at '${path}' is not valid: expected a text, got '${textOf(value)}'`,
    );
  };
  const to = optional('scope');
  if (to !== undefined) {
    const trimmed = to.replace(/\/+$/, '');
    return to.startsWith('/') ? trimmed : `${scopeId(here)}/providers/${trimmed}`;
  }
  const lower = type.toLowerCase();
  const subscription = optional('subscriptionId') ?? here.subscriptionId;
  const group = optional('resourceGroup');
  if (lower === 'microsoft.resources/resourcegroups') return groupId(subscription);
  const mayBeElsewhere = lower === DEPLOYMENTS || raw['existing'] === true;
  if (mayBeElsewhere && (group !== undefined || subscription !== here.subscriptionId))
    return groupId(subscription, group);
  return scopeId(here);
}
