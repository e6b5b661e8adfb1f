/** Functions about the deployment itself, its parameters, its loops and where it deploys to. */

import { groupId } from '../language/ids.ts';
import { LanguageError, MisplacedFault } from '../language/language-error.ts';
import type { Scope } from '../language/scope.ts';
import { expectArray, expectInteger, expectString, isObject, propertyOf, textOf } from '../language/values.ts';
import type { Json, JsonObject } from '../../contract/index.ts';
import { define } from './define.ts';
import { publicCloud, zonesOf } from './azure-facts.ts';

function parameters([name]: Json[], scope: Scope, call: string): Json {
  const text = expectString(call, name);
  if (scope.functionArguments === undefined) return scope.deployment.parameter(text, scope);
  const value = scope.functionArguments.get(text.toLowerCase());
  if (value === undefined) {
    throw new LanguageError(`The template parameter '${text}' is not a parameter of the user-defined function.`);
  }
  return value;
}

/** `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')`, `copyIndex('loop', offset)`. */
function copyIndex(args: Json[], scope: Scope, call: string): number {
  const [name, offset] = typeof args[0] === 'string' ? args : [undefined, args[0]];
  const index = typeof name === 'string' ? scope.copies.get(name.toLowerCase()) : scope.copy;
  if (index === undefined)
    throw new MisplacedFault(
      call,
      '. The function can only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for usage details',
    );
  return index + (offset === undefined ? 0 : expectInteger(call, offset));
}

function deployment(scope: Scope): JsonObject {
  const { input } = scope.deployment;
  return {
    name: input.deploymentName,
    ...(input.scope.kind === 'subscription' ? { location: input.scope.location } : {}),
    properties: {
      ...(input.templateLink === undefined ? {} : { templateLink: input.templateLink }),
      template: input.template,
      parameters: input.parameters,
      mode: input.mode,
      provisioningState: 'Accepted',
    },
  };
}

function resourceGroup(scope: Scope, call: string): JsonObject {
  const { scope: where } = scope.deployment.input;
  // In capitals, as Azure has it.
  if (where.resourceGroup === undefined) throw new MisplacedFault(call.toUpperCase());
  const { name, location, tags, properties } = where.resourceGroup;
  return {
    id: groupId(where.subscriptionId, name),
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location,
    tags: tags ?? {},
    properties: { provisioningState: 'Succeeded', ...properties },
  };
}

function providers([namespace, type]: Json[], scope: Scope, call: string): Json {
  const wanted = expectString(call, namespace).toLowerCase();
  const found = scope.deployment.input.providers?.find(
    (each) => textOf(each['namespace'] ?? null).toLowerCase() === wanted,
  );
  if (found === undefined)
    throw new LanguageError(
      `The template language function '${call}': the resource provider '${textOf(namespace ?? null)}' is not known.`,
    );
  if (type === undefined) return found;
  const types = propertyOf(found, 'resourceTypes');
  const lower = expectString(call, type).toLowerCase();
  const match = Array.isArray(types)
    ? types.find((each) => isObject(each) && textOf(each['resourceType'] ?? null).toLowerCase() === lower)
    : undefined;
  if (match === undefined) {
    throw new LanguageError(
      `The template language function '${call}': the resource type '${textOf(namespace ?? null)}/${textOf(type ?? null)}' is not known.`,
    );
  }
  return match;
}

function pickZones([, , location, count, offset]: Json[], call: string): string[] {
  const zones = zonesOf(expectString(call, location));
  const from = offset === undefined ? 0 : expectInteger(call, offset);
  const wanted = count === undefined ? 1 : expectInteger(call, count);
  if (zones.length > 0 && (wanted < 1 || from < 0 || from + wanted > zones.length)) {
    throw new LanguageError(
      `The template language function '${call}': the region '${textOf(location ?? null)}' has ${zones.length} zone(s), too few for ${wanted} from offset ${from}.`,
    );
  }
  return zones.slice(from, from + wanted);
}

function regionOf(call: string, location: Json | undefined): string {
  return expectString(call, location).toLowerCase().replaceAll(' ', '');
}

/** '1' for 'eastus-az1': here all subscriptions number the zones alike. Empty where the region has no such zone. */
function logicalZone(call: string, location: Json | undefined, zone: Json | undefined): string {
  const region = regionOf(call, location);
  const physical = expectString(call, zone).toLowerCase();
  return zonesOf(region).find((each) => `${region}-az${each}` === physical) ?? '';
}

/** 'eastus-az1' for '1'; empty where the region has no such zone. */
function physicalZone(call: string, location: Json | undefined, zone: Json | undefined): string {
  const region = regionOf(call, location);
  const logical = expectString(call, zone);
  return zonesOf(region).includes(logical) ? `${region}-az${logical}` : '';
}

export const deploymentFunctions = [
  define('parameters', 1, 1, parameters),
  define('variables', 1, 1, ([name], scope, call) => {
    if (scope.functionArguments !== undefined) throw new MisplacedFault(call);
    return scope.deployment.variable(expectString(call, name), scope);
  }),
  define('copyIndex', 0, 2, copyIndex),
  define('deployment', 0, 0, (_, scope) => deployment(scope)),
  define('deployer', 0, 0, (_, scope, call) => {
    const { deployer } = scope.deployment.input;
    if (deployer === undefined) throw new MisplacedFault(call);
    // A service principal has no user's name.
    return { objectId: deployer.objectId, tenantId: deployer.tenantId, userPrincipalName: '' };
  }),
  define('environment', 0, 0, (_, scope) => scope.deployment.input.environment ?? publicCloud),
  define('resourceGroup', 0, 0, (_, scope, call) => resourceGroup(scope, call)),
  define('subscription', 0, 0, (_, scope) => {
    const { subscriptionId, tenantId, subscriptionName } = scope.deployment.input.scope;
    return {
      id: groupId(subscriptionId),
      subscriptionId,
      tenantId,
      displayName: subscriptionName ?? subscriptionId,
    };
  }),
  define('managementGroup', 0, 0, (_, _scope, call) => {
    throw new MisplacedFault(call);
  }),
  define('tenant', 0, 0, (_, scope) => {
    const { tenantId } = scope.deployment.input.scope;
    return { id: `/tenants/${tenantId}`, tenantId };
  }),
  define('providers', 1, 2, providers),
  define('toLogicalZone', 3, 3, ([, location, zone], _, call) => logicalZone(call, location, zone)),
  define('toLogicalZones', 3, 3, ([, location, zones], _, call) =>
    expectArray(call, zones).map((zone) => logicalZone(call, location, zone)),
  ),
  define('toPhysicalZone', 3, 3, ([, location, zone], _, call) => physicalZone(call, location, zone)),
  define('toPhysicalZones', 3, 3, ([, location, zones], _, call) =>
    expectArray(call, zones).map((zone) => physicalZone(call, location, zone)),
  ),
  define('pickZones', 3, 5, (args, _, call) => pickZones(args, call)),
];
