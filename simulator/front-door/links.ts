/**
 * What of Front Door leads to an origin group, and what Azure therefore refuses to take from it: no route is left
 * without an origin.
 */

import { ORIGIN, ROUTE, RULE } from './configuration.ts';
import { parseResourceId } from '../resource/ids.ts';
import { isObject } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type Stored } from '../contract/index.ts';

/** Azure links no route to a group that nothing stands in. Throws ArmError 400. */
export function requireServed(cloud: Cloud, group: string): void {
  if (enabledOrigins(cloud, group).length > 0) return;
  throw refused(
    'Please make sure that the originGroup is created successfully and at least one enabled origin is created under the origin group.',
  );
}

/**
 * Throws ArmError 400 if `origin`, to be disabled or deleted, is the last enabled one of a group that something leads
 * to. Source: Azure's answer as in terraform-provider-azurerm #27652.
 */
export function keepLastOrigin(cloud: Cloud, origin: Stored): void {
  const group = parseResourceId(origin.resource.id)?.parent;
  if (group === undefined || !isEnabled(origin)) return;
  const others = enabledOrigins(cloud, group).filter(({ resource }) => resource.id !== origin.resource.id);
  if (others.length > 0 || linksTo(cloud, group).length === 0) return;
  throw refused(
    'Cannot disable or delete the last origin when the origin group is still associated with a route or a rule. Please disassociate the origin group and try again.',
  );
}

/** Throws ArmError 400 if something leads to the group, which is to be deleted. */
export function keepOriginGroup(cloud: Cloud, { resource }: Stored): void {
  const links = linksTo(cloud, resource.id);
  if (links.length === 0) return;
  const names = links.map((link) => `'${link.resource.id}'`).join(', ');
  throw refused(
    `Cannot delete the origin group '${resource.name}' while it is still associated with a route or a rule: ${names}. Please disassociate the origin group and try again.`,
  );
}

function enabledOrigins(cloud: Cloud, group: string): Stored[] {
  return cloud.store.children(group, ORIGIN).filter((origin) => isEnabled(origin) && isStaying(origin));
}

/** The routes and rules that name the group. */
function linksTo(cloud: Cloud, group: string): Stored[] {
  const key = group.toLowerCase();
  const routes = cloud.store.ofType(ROUTE).filter(({ resource }) => idOf(resource.properties.originGroup) === key);
  const rules = cloud.store.ofType(RULE).filter(({ resource }) => groupsOf(resource.properties.actions).includes(key));
  return [...routes, ...rules].filter(isStaying);
}

/** The groups that a rule's actions lead to: RouteConfigurationOverride, and OriginGroupOverride before it. */
function groupsOf(actions: Json | undefined): string[] {
  const parameters = (Array.isArray(actions) ? actions : []).map((action) =>
    isObject(action) && isObject(action.parameters) ? action.parameters : {},
  );
  return parameters.flatMap(({ originGroup, originGroupOverride }) => [
    idOf(originGroup),
    idOf(isObject(originGroupOverride) ? originGroupOverride.originGroup : undefined),
  ]);
}

function idOf(reference: Json | undefined): string {
  return isObject(reference) && typeof reference.id === 'string' ? reference.id.toLowerCase() : '';
}

/** As management has it: a change counts when it is accepted. */
function isEnabled({ resource }: Stored): boolean {
  return resource.properties.enabledState !== 'Disabled';
}

function isStaying({ resource }: Stored): boolean {
  return resource.properties.provisioningState !== 'Deleting';
}

function refused(message: string): ArmError {
  return new ArmError(400, 'BadRequest', message);
}
