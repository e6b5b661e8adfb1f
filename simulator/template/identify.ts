/** What a resource of a template is called: its type, name and id, and what it is deployed to. */

import type { JsonObject } from '../contract/index.ts';
import { evaluateAt } from './evaluate.ts';
import { isExpression } from './language/expression.ts';
import { groupId, nameOfId, resourceIdOf, scopeId } from './language/ids.ts';
import { invalidTemplate, PLACE, type Subject } from './language/language-error.ts';
import type { Scope } from './language/scope.ts';
import type { PlannedResource } from './language/types.ts';
import { propertyOf, textOf, typeName } from './language/values.ts';

export const DEPLOYMENTS = 'microsoft.resources/deployments';

/** The resource that a child stands in. */
export interface Parent {
  type: string;
  name: string;
}

export type Identity = Pick<PlannedResource, 'id' | 'type' | 'name' | 'apiVersion' | 'location'>;

/** What a resource is called. `type` is as the template has it; the id's own last type may differ (extensions). */
export function identify(raw: JsonObject, path: string, scope: Scope, parent: Parent | undefined): Identity {
  const { type, name } = fullName(raw, path, scope, parent);
  const id = idOf(raw, type, name, path, scope);
  const location =
    raw['location'] === undefined
      ? undefined
      : evaluateAt(memberOf('location', path), `${path}/location`, raw['location'], scope);
  return {
    id,
    type,
    name: nameOfId(id),
    apiVersion: profileVersion(raw, scope) ?? requiredText(raw, 'apiVersion', path, scope),
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
  const type = requiredText(raw, 'type', path, scope);
  const name = requiredText(raw, 'name', path, scope);
  const isFull = type.split('/', 1)[0]?.includes('.') === true;
  return parent === undefined || isFull
    ? { type, name }
    : { type: `${parent.type}/${type}`, name: `${parent.name}/${name}` };
}

/** A resource in messages about what it is declared to be, by its name as the template spells it. */
export function resourceAt(raw: JsonObject, path: string): Subject {
  return { kind: 'declaration', name: textOf(raw['name'] ?? ''), place: path };
}

/** A member of a resource that has a place of its own in messages. */
function memberOf(member: string, path: string): Subject {
  return { kind: 'declaration', name: member, place: `${path}/${member}` };
}

function requiredText(raw: JsonObject, member: string, path: string, scope: Scope): string {
  const at = `${path}/${member}`;
  const refuse = (problem: string): Error =>
    invalidTemplate(
      `The template resource '${textOf(raw['name'] ?? '')}' ${PLACE} is not valid. ${problem}. Please see https://aka.ms/arm-syntax-resources for usage details.`,
      at,
      path,
    );
  const written = raw[member] ?? '';
  if (member === 'type' && isExpression(textOf(written))) throw refuse('The type property cannot be an expression');
  const value = evaluateAt(resourceAt(raw, path), at, written, scope);
  if (value === '' || value === null) throw refuse(`The ${member} property cannot be null or empty`);
  if (typeof value === 'string') return value;
  throw refuse(`The ${member} property must be a string, but is of type '${typeName(value)}'`);
}

function idOf(raw: JsonObject, type: string, name: string, path: string, scope: Scope): string {
  const id = resourceIdOf(parentId(raw, type, path, scope), type, name);
  if (id !== undefined && !name.split('/').includes('')) return id;
  throw invalidTemplate(
    `The template resource '${name}' for type '${type}' ${PLACE} has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.`,
    `${path}/type`,
  );
}

/**
 * What a resource is deployed to: its `scope`, the group or subscription that a nested deployment or an existing
 * resource names, or the deployment's scope.
 */
function parentId(raw: JsonObject, type: string, path: string, scope: Scope): string {
  const here = scope.deployment.input.scope;
  const optional = (member: string): string | undefined => {
    if (raw[member] === undefined) return undefined;
    const value = evaluateAt(memberOf(member, path), `${path}/${member}`, raw[member], scope);
    if (typeof value === 'string' && value !== '') return value;
    throw invalidTemplate(
      `The template resource '${textOf(raw['name'] ?? '')}' ${PLACE} is not valid. The ${member} property must be a string that is not empty, but is '${textOf(value)}'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
      `${path}/${member}`,
    );
  };
  const to = optional('scope');
  if (to !== undefined) {
    const trimmed = to.replace(/\/+$/, '');
    return to.startsWith('/') ? trimmed : `${scopeId(here)}/providers/${trimmed}`;
  }
  const lower = type.toLowerCase();
  const named = optional('subscriptionId');
  const subscription = named ?? here.subscriptionId;
  const group = namesNoGroup(raw, path, scope) ? undefined : optional('resourceGroup');
  if (lower === 'microsoft.resources/resourcegroups') return groupId(subscription);
  const mayBeElsewhere = lower === DEPLOYMENTS || raw['existing'] === true;
  // A subscription without a group is meant itself, be it the one around this deployment's group.
  if (mayBeElsewhere && (group !== undefined || named !== undefined)) return groupId(subscription, group);
  return scopeId(here);
}

/** Modules name the deployment's own group by an empty text: `resourceGroup: coalesce(…, '')`. */
function namesNoGroup(raw: JsonObject, path: string, scope: Scope): boolean {
  const written = raw['resourceGroup'] ?? null;
  const member = memberOf('resourceGroup', path);
  return evaluateAt(member, `${path}/resourceGroup`, written, scope) === '';
}
