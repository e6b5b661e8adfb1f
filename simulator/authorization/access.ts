/**
 * Who may do what: the roles of a principal at a scope and above it, as they are effective by the cloud's clock. Azure
 * honours an assignment some time after it was made, and goes on honouring one for some time after it was deleted.
 */

import { isObject, textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type Principal, type Stored } from '../contract/index.ts';
import { builtInRole, type Permissions } from './built-in-roles.ts';
import { holds, type Circumstances } from './conditions.ts';

export const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments';
export const ROLE_DEFINITION = 'Microsoft.Authorization/roleDefinitions';
/** Deleted assignments that are still honoured, each until its `hidden.endsAt`. */
export const REVOKED = 'Microsoft.Authorization/revokedRoleAssignments';

/** Who the cloud itself is: what it does within is not a client's to be allowed. */
export const CLOUD_ITSELF = '00000000-0000-0000-0000-000000000000';

type Place = Pick<Cloud, 'store' | 'clock'>;
export type Plane = 'management' | 'data';

const NO_CIRCUMSTANCES: Circumstances = { attributes: {} };

/**
 * May the principal do this at this scope (an ARM id)? `about` is what conditions of assignments ask for; a condition
 * that cannot be decided grants nothing.
 */
export function isAllowed(
  cloud: Place,
  principal: Principal,
  action: string,
  scope: string,
  plane: Plane = 'management',
  about: Circumstances = NO_CIRCUMSTANCES,
): boolean {
  return decided(cloud, principal, action, scope, plane, about).includes(true);
}

/**
 * The same before the request is known whose circumstances conditions ask for: one that is open may turn out to grant.
 */
export function mayBeAllowed(cloud: Place, principal: Principal, action: string, scope: string): boolean {
  const all = decided(cloud, principal, action, scope, 'management', NO_CIRCUMSTANCES);
  return all.some((one) => one !== false);
}

/** What each assignment that grants the action at the scope says, by its condition. */
function decided(
  cloud: Place,
  { objectId }: Principal,
  action: string,
  scope: string,
  plane: Plane,
  about: Circumstances,
): (boolean | undefined)[] {
  if (objectId === CLOUD_ITSELF) return [true];
  const [at, asked] = [scope.toLowerCase(), action.toLowerCase()];
  return grantsOf(cloud, objectId)
    .filter(({ scope: held, permissions }) => covers(held, at) && permissions.some((one) => permits(one, asked, plane)))
    .map(({ condition }) => {
      if (condition === '') return true;
      const attributes = { ...knownOf(cloud, at), ...about.attributes };
      return holds(condition, asked, { ...about, attributes });
    });
}

/** The attributes that every request has: its time, and the places that its scope names. */
function knownOf({ clock }: Place, scope: string): Circumstances['attributes'] {
  const storage = 'microsoft.storage/storageaccounts';
  const [, account, container] =
    /\/microsoft\.storage\/storageaccounts\/([^/]+)(?:\/blobservices\/default\/containers\/([^/]+))?/.exec(scope) ?? [];
  return {
    'environment|utcnow': [new Date(clock.now()).toISOString()],
    [`resource|${storage}:name`]: account === undefined ? [] : [account],
    [`resource|${storage}/blobservices/containers:name`]: container === undefined ? [] : [container],
  };
}

/** Has the principal any role that is effective at this scope, above it or below it? */
export function hasAnyRole(cloud: Place, { objectId }: Principal, scope: string): boolean {
  if (objectId === CLOUD_ITSELF) return true;
  const at = scope.toLowerCase();
  return grantsOf(cloud, objectId).some((grant) => covers(grant.scope, at) || covers(at, grant.scope));
}

/** What the roles of a principal at this scope, and above it, grant and withhold. */
export function permissionsAt(cloud: Place, { objectId }: Principal, scope: string): Permissions[] {
  const at = scope.toLowerCase();
  return grantsOf(cloud, objectId)
    .filter((grant) => covers(grant.scope, at))
    .flatMap((grant) => grant.permissions);
}

/** Throws ArmError 403 `AuthorizationFailed` in Azure's words unless the principal may do this. */
export function requireAllowed(
  cloud: Place,
  principal: Principal,
  action: string,
  scope: string,
  about?: Circumstances,
): void {
  if (isAllowed(cloud, principal, action, scope, 'management', about)) return;
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

/** Where a role may be assigned: everywhere, if it is built in. */
export function assignableScopesOf({ store }: Pick<Cloud, 'store'>, roleId: string): string[] {
  const custom = store.ofType(ROLE_DEFINITION).find(({ resource }) => resource.name === roleId.toLowerCase());
  const scopes = custom?.resource.properties.assignableScopes;
  return Array.isArray(scopes) ? scopes.map(textOf) : ['/'];
}

/** The GUID at the end of a role definition's id, in lower case. */
export function roleIdOf(roleDefinitionId: Json | undefined): string {
  const text = textOf(roleDefinitionId);
  return text.slice(text.lastIndexOf('/') + 1).toLowerCase();
}

interface Grant {
  scope: string;
  /** '': without one. */
  condition: string;
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
    condition: textOf(properties.condition),
    permissions: permissionsOf(cloud, roleIdOf(properties.roleDefinitionId)) ?? [],
  }));
}

/** Does an assignment at `held` count at `scope`? Both in lower case. */
export function covers(held: string, scope: string): boolean {
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

/**
 * A star stands for any text; one between two slashes for nothing, too: so roles name workspaces and all that is
 * within.
 */
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
