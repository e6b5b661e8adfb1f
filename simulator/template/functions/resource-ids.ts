/** Functions that build resource ids. */

import { groupId, resourceIdFor, scopeId } from '../language/ids.ts';
import { LanguageError } from '../language/language-error.ts';
import type { Scope } from '../language/scope.ts';
import { expectString } from '../language/values.ts';
import type { Json } from '../../contract/index.ts';
import { define } from './define.ts';

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Splits the arguments at the resource type: the first one with a '/' in it. */
function aroundType(call: string, args: Json[], most: number): { before: string[]; type: string; names: string[] } {
  const words = args.map((arg) => expectString(call, arg));
  const at = words.findIndex((word) => word.includes('/'));
  const type = words[at];
  if (type === undefined || at > most) {
    throw new LanguageError(
      `Unable to evaluate template language function '${call}': the resource type is missing or not in the form 'namespace/type' (arguments: '${words.join("', '")}'). Please see https://aka.ms/arm-resource-functions/#${call.toLowerCase()} for usage details.`,
    );
  }
  return { before: words.slice(0, at), type, names: words.slice(at + 1) };
}

function resourceId(args: Json[], scope: Scope, call: string): string {
  const { before, type, names } = aroundType(call, args, 2);
  const here = scope.deployment.input.scope;
  const [first, second] = before;
  let parent = scopeId(here);
  if (first !== undefined && second !== undefined) parent = groupId(first, second);
  else if (first !== undefined) {
    // One argument before the type is a subscription if it looks like one, else a resource group.
    parent = GUID.test(first) ? groupId(first) : groupId(here.subscriptionId, first);
  }
  if (/^microsoft\.resources\/resourcegroups\/?$/i.test(type)) parent = groupId(first ?? here.subscriptionId);
  return resourceIdFor(call, parent, type, names);
}

export const resourceIdFunctions = [
  define('resourceId', 2, Infinity, resourceId),
  define('subscriptionResourceId', 2, Infinity, (args, scope, call) => {
    const { before, type, names } = aroundType(call, args, 1);
    return resourceIdFor(call, groupId(before[0] ?? scope.deployment.input.scope.subscriptionId), type, names);
  }),
  define('tenantResourceId', 2, Infinity, (args, _, call) => {
    const { type, names } = aroundType(call, args, 0);
    return resourceIdFor(call, '', type, names);
  }),
  define('managementGroupResourceId', 2, Infinity, (args, _, call) => {
    const { before, type, names } = aroundType(call, args, 1);
    const parent = `/providers/Microsoft.Management/managementGroups/${before[0] ?? ''}`;
    if (before[0] === undefined) {
      throw new LanguageError(
        `The template function '${call}' is not expected at this location: the deployment has no management group.`,
      );
    }
    return resourceIdFor(call, parent, type, names);
  }),
  define('extensionResourceId', 3, Infinity, ([base, type, ...names], _, call) =>
    resourceIdFor(
      call,
      expectString(call, base).replace(/\/+$/, ''),
      expectString(call, type),
      names.map((name) => expectString(call, name)),
    ),
  ),
];
