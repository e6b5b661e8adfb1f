/**
 * Who may do what: the roles of a principal at a scope and above it, as they are effective by the cloud's clock. Azure honours an
 * assignment some time after it was made, and goes on honouring one for some time after it was deleted.
 */

import { isObject, textOf } from '../../http/fields.ts';
import { ArmError, type Cloud, type Json, type Principal, type Stored } from '../../provider.ts';
import { builtInRole, type Permissions } from './built-in-roles.ts';

export const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments';
export const ROLE_DEFINITION = 'Microsoft.Authorization/roleDefinitions';
/** Deleted assignments that are still honoured, each until its `hidden.endsAt`. */
export const REVOKED = 'Microsoft.Authorization/revokedRoleAssignments';

/** Who the cloud itself is: what it does within is not a client's to be allowed. */
export const CLOUD_ITSELF = '00000000-0000-0000-0000-000000000000';

type Place = Pick<Cloud, 'store' | 'clock'>;
export type Plane = 'management' | 'data';

/** May the principal do this at this scope (an ARM id)? */
export function isAllowed(
  cloud: Place,
  { objectId }: Principal,
  action: string,
  scope: string,
  plane: Plane = 'management',
): boolean {
  if (objectId === CLOUD_ITSELF) return true;
  const at = scope.toLowerCase();
  return grantsOf(cloud, objectId).some(
    (grant) =>
      covers(grant.scope, at) && grant.permissions.some((one) => permits(one, action.toLowerCase(), plane)),
  );
}

/** Has the principal any role that is effective at this scope, above it or below it? */
export function hasAnyRole(cloud: Place, { objectId }: Principal, scope: string): boolean {
  if (objectId === CLOUD_ITSELF) return true;
  const at = scope.toLowerCase();
  return grantsOf(cloud, objectId).some((grant) => covers(grant.scope, at) || covers(at, grant.scope));
}

/** Throws ArmError 403 `AuthorizationFailed` in Azure's words unless the principal may do this. */
export function requireAllowed(cloud: Place, principal: Principal, action: string, scope: string): void {
  if (isAllowed(cloud, principal, action, scope)) return;
  throw new ArmError(
    403,
    'AuthorizationFailed',
    `The client '${principal.clientId}' with object id '${principal.objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/** The permissions of a role by its GUID, built-in or custom; undefined if there is no such role. */
export function permissionsOf(cloud: Pick<Cloud, 'store'>, roleId: string): Permissions[] | undefined {
  const id = roleId.toLowerCase();
  const known = builtInRole(id);
  if (known) return [known];
  const custom = cloud.store.ofType(ROLE_DEFINITION).find(({ resource }) => resource.name === id);
  if (!custom) return undefined;
  const { permissions } = custom.resource.properties;
  return Array.isArray(permissions) ? permissions.filter(isObject).map(permissionOf) : [];
}

/** The GUID at the end of a role definition's id, in lower case. */
export function roleIdOf(roleDefinitionId: Json | undefined): string {
  const text = textOf(roleDefinitionId);
  return text.slice(text.lastIndexOf('/') + 1).toLowerCase();
}

interface Grant {
  scope: string;
  permissions: Permissions[];
}

function grantsOf(cloud: Place, principalId: string): Grant[] {
  const now = cloud.clock.now();
  const theirs = ({ resource }: Stored): boolean =>
    textOf(resource.properties.principalId).toLowerCase() === principalId.toLowerCase();
  // An assignment from before assignments were enforced has no such time: it is effective.
  const made = cloud.store
    .ofType(ASSIGNMENT)
    .filter((one) => theirs(one) && Number(one.hidden.effectiveAt ?? 0) <= now);
  const revoked = cloud.store.ofType(REVOKED).filter((one) => theirs(one) && Number(one.hidden.endsAt) > now);
  return [...made, ...revoked].map(({ resource: { properties } }) => ({
    scope: textOf(properties.scope).toLowerCase(),
    permissions: permissionsOf(cloud, roleIdOf(properties.roleDefinitionId)) ?? [],
  }));
}

function covers(held: string, scope: string): boolean {
  return held === '/' || held === '' || scope === held || scope.startsWith(`${held}/`);
}

function permits(permissions: Permissions, action: string, plane: Plane): boolean {
  const [granted, withheld] =
    plane === 'management'
      ? [permissions.actions, permissions.notActions]
      : [permissions.dataActions, permissions.notDataActions];
  return granted.some((one) => matches(one, action)) && !withheld.some((one) => matches(one, action));
}

const PATTERNS = new Map<string, RegExp>();

/** A star stands for any text; one between two slashes for nothing, too: so roles name workspaces and all that is within. */
function matches(pattern: string, action: string): boolean {
  let compiled = PATTERNS.get(pattern);
  if (!compiled) {
    const parts = pattern
      .toLowerCase()
      .split('/*/')
      .map((part) => part.split('*').map(escaped).join('.*'));
    PATTERNS.set(pattern, (compiled = new RegExp(`^${parts.join('/(?:.*/)?')}$`)));
  }
  return compiled.test(action);
}

function escaped(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function permissionOf(value: { [key: string]: Json }): Permissions {
  const list = (name: string): string[] => (Array.isArray(value[name]) ? value[name].map(textOf) : []);
  return {
    actions: list('actions'),
    notActions: list('notActions'),
    dataActions: list('dataActions'),
    notDataActions: list('notDataActions'),
  };
}
