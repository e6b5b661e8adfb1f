/** Resource ids, from types and names. */

import { LanguageError } from './language-error.ts';
import type { DeploymentScope } from './types.ts';

const RESOURCE_GROUPS = 'microsoft.resources/resourcegroups';

/** '/subscriptions/s' or '/subscriptions/s/resourceGroups/g'. */
export function groupId(subscriptionId: string, resourceGroup?: string): string {
  const subscription = `/subscriptions/${subscriptionId}`;
  return resourceGroup === undefined ? subscription : `${subscription}/resourceGroups/${resourceGroup}`;
}

/** The id of what a deployment deploys to. */
export function scopeId(scope: DeploymentScope): string {
  return groupId(scope.subscriptionId, scope.resourceGroup?.name);
}

/**
 * The id of a resource of `type` below `parent` ('' is the tenant); `name` has a segment for each of the type's below
 * its namespace. Undefined if the counts differ.
 */
export function resourceIdOf(parent: string, type: string, name: string): string | undefined {
  const [namespace = '', ...types] = type.replace(/\/+$/, '').split('/');
  const names = name.split('/');
  if (types.length === 0 || types.length !== names.length) return undefined;
  const pairs = types.map((segment, index) => `${segment}/${names[index] ?? ''}`).join('/');
  if (`${namespace}/${types.join('/')}`.toLowerCase() === RESOURCE_GROUPS)
    return `${parent}/resourceGroups/${names[0] ?? ''}`;
  return `${parent}/providers/${namespace}/${pairs}`;
}

/** As `resourceIdOf`, for a function of the language: throws LanguageError where the counts differ. */
export function resourceIdFor(call: string, parent: string, type: string, names: string[]): string {
  // Names may be empty here: templates spell ids of what they then do not use.
  const id = resourceIdOf(parent, type, names.join('/'));
  if (id === undefined) {
    const wanted = type.replace(/\/+$/, '').split('/').length - 1;
    throw new LanguageError(
      `Unable to evaluate template language function '${call}': the type '${type}' requires '${wanted}' resource name argument(s). Please see https://aka.ms/arm-resource-functions/#${call.toLowerCase()} for usage details.`,
    );
  }
  return id;
}

/** The name by which the template around it knows a child that stands within its parent: 'ext' of 'vm/ext'. */
export function childName(resource: { path: string; name: string }): string | undefined {
  return /\/resources\/[^/]+\/resources\//.test(resource.path) ? resource.name.split('/').at(-1) : undefined;
}

/** The part of an id after its last '/providers/', in lower case: 'microsoft.storage/storageaccounts/x'. */
export function providerPart(id: string): string {
  const lower = id.toLowerCase();
  const at = lower.lastIndexOf('/providers/');
  return at < 0 ? lower : lower.slice(at + '/providers/'.length);
}

/** The full type in an id: 'Microsoft.Storage/storageAccounts'. */
export function typeOfId(id: string): string {
  const at = id.toLowerCase().lastIndexOf('/providers/');
  if (at < 0) return 'Microsoft.Resources/resourceGroups';
  const [namespace = '', ...rest] = id.slice(at + '/providers/'.length).split('/');
  return [namespace, ...rest.filter((_, index) => index % 2 === 0)].join('/');
}

/** The names in an id, joined: 'account/default'. */
export function nameOfId(id: string): string {
  const at = id.toLowerCase().lastIndexOf('/providers/');
  if (at < 0) return id.slice(id.lastIndexOf('/') + 1);
  const [, ...rest] = id.slice(at + '/providers/'.length).split('/');
  return rest.filter((_, index) => index % 2 === 1).join('/');
}
