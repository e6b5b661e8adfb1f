/** Role definitions: the built-in ones, to be read at any scope, and custom ones. */

import { isObject, textOf } from '../resource/fields.ts';
import { parameter } from '../http/paging.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Principal,
  type ResourceId,
  type Stored,
} from '../contract/index.ts';
import { row } from '../resource/table.ts';
import { registered } from '../resource/registered-types.ts';
import { ASSIGNMENT, isAllowed, ROLE_DEFINITION, roleIdOf } from './access.ts';
import { builtInRole, builtInRoles, type BuiltInRole } from './built-in-roles.ts';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** One part of a `$filter`. */
const FILTER = /^(atScopeAndBelow\(\)|atScope\(\)|(roleName|type)\s+eq\s+'[^']*')$/i;
const LISTS = ['actions', 'notActions', 'dataActions', 'notDataActions'];

export const roleDefinitions = row(ROLE_DEFINITION, {
  region: 'global',
  verbs: ['get', 'put', 'delete', 'list'],
  showsDeleted: true,
  pageSize: 1000,
  createdStatus: 201,
  updatedStatus: 201,
  alias: findRole,
  beforePut: prepareRole,
  beforeDelete: requireUnassigned,
  list: listRoles,
});

/** A role is found from any scope, whichever it was made at. */
function findRole(cloud: Cloud, id: ResourceId): Stored {
  const known = builtInRole(id.name.toLowerCase());
  if (known) return shown(known, id.scope);
  const custom = cloud.store.ofType(ROLE_DEFINITION).find(({ resource }) => resource.name === id.name.toLowerCase());
  if (custom) return custom;
  throw new ArmError(
    404,
    'RoleDefinitionDoesNotExist',
    `The specified role definition with ID '${id.name.toLowerCase().replaceAll('-', '')}' does not exist.`,
  );
}

function shown({ id, roleName, description, ...permissions }: BuiltInRole, scope: string): Stored {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? '';
  const lists = Object.fromEntries(LISTS.map((name) => [name, [...permissions[name as 'actions']]]));
  return {
    resource: {
      id: `${subscription}/providers/${ROLE_DEFINITION}/${id}`,
      name: id,
      type: ROLE_DEFINITION,
      properties: {
        roleName,
        type: 'BuiltInRole',
        description,
        assignableScopes: ['/'],
        permissions: [lists],
      },
    },
    hidden: {},
    etag: '',
    region: null,
    createdAt: 0,
    changedAt: 0,
  };
}

function prepareRole({ cloud, id, principal }: Call, next: Stored): void {
  const name = id.name.toLowerCase();
  if (!GUID.test(name))
    throw new ArmError(
      400,
      'InvalidRoleDefinitionId',
      `The role definition ID '${id.name}' is not valid. The role definition ID must be a GUID.`,
    );
  if (builtInRole(name))
    throw new ArmError(403, 'RoleDefinitionUpdateNotPermitted', `The built-in role '${id.name}' cannot be changed.`);
  const { properties } = next.resource;
  const { roleName, permissions, assignableScopes } = properties;
  if (typeof roleName !== 'string' || roleName === '')
    throw malformed("'properties.roleName' must be a text that is not empty");
  if (!Array.isArray(permissions) || permissions.length !== 1 || !permissions.every(isPermission))
    throw malformed(
      `'properties.permissions' must be a list of one object whose ${LISTS.join(', ')} are lists of texts`,
    );
  if (!Array.isArray(assignableScopes) || assignableScopes.length === 0 || !assignableScopes.every(isScope))
    throw malformed("'properties.assignableScopes' must be a list of subscriptions or resource groups");
  requireActions(permissions.filter(isObject));
  requireNewName(cloud, roleName, name);
  requireLinked(cloud, principal, assignableScopes.map(textOf), id);
  const lists = permissions
    .filter(isObject)
    .map((one) => Object.fromEntries(LISTS.map((list) => [list, one[list] ?? []])));
  next.resource.name = name;
  next.resource.properties = {
    roleName,
    type: 'CustomRole',
    description: textOf(properties.description),
    assignableScopes,
    permissions: lists,
    createdOn: new Date(next.createdAt).toISOString(),
    updatedOn: new Date(next.changedAt).toISOString(),
    updatedBy: principal.objectId,
  };
}

/**
 * Services that roles name and `registered` does not have: templates make nothing of them (most built-in roles name the
 * first three), or all of their types are rows of this cloud.
 */
const NAMED_BY_ROLES = new Set(
  'machinelearningservices resources resourcehealth support management billing advisor features marketplace marketplaceordering capacity classicstorage classiccompute classicnetwork intune help quota'
    .split(' ')
    .map((name) => `microsoft.${name}`),
);

/** Azure knows every action there is; here it is known which services there are, and what an action looks like. */
function requireActions(permissions: JsonObject[]): void {
  const all = permissions.flatMap((one) =>
    LISTS.flatMap((list) => (Array.isArray(one[list]) ? one[list].map(textOf) : [])),
  );
  for (const action of all) {
    const [namespace = ''] = action.split('/');
    const isShaped = /^[\w.*-]+(\/[\w.*$-]+)*$/.test(action) && (action.includes('/') || action.includes('*'));
    const service = namespace.toLowerCase();
    const isKnown = namespace.includes('*') || registered.has(service) || NAMED_BY_ROLES.has(service);
    if (isShaped && isKnown) continue;
    throw new ArmError(
      400,
      'InvalidActionOrNotAction',
      isShaped
        ? `The resource provider referenced in the action '${action}' is not returned in the list of providers from Azure Resource Manager.`
        : `'${action}' does not match any of the actions supported by the providers.`,
    );
  }
}

/** Who makes a role needs the right to at each scope where it can be assigned. */
function requireLinked(cloud: Cloud, principal: Principal, scopes: string[], { id }: ResourceId): void {
  const action = `${ROLE_DEFINITION}/write`;
  const refused = scopes.filter((scope) => !isAllowed(cloud, principal, action, scope.replace(/\/+$/, '')));
  if (refused.length === 0) return;
  const { clientId, objectId } = principal;
  throw new ArmError(
    403,
    'LinkedAuthorizationFailed',
    `The client '${clientId}' with object id '${objectId}' has permission to perform action '${action}' on scope '${id}'; however, it does not have permission to perform action(s) '${action}' on the linked scope(s) '${refused.join(',')}' (respectively) or the linked scope(s) are invalid.`,
  );
}

function requireNewName(cloud: Cloud, roleName: string, id: string): void {
  const same = (name: Json | undefined): boolean => textOf(name).toLowerCase() === roleName.toLowerCase();
  const taken =
    builtInRoles().some((one) => same(one.roleName)) ||
    cloud.store
      .ofType(ROLE_DEFINITION)
      .some(({ resource }) => resource.name !== id && same(resource.properties.roleName));
  if (taken)
    throw new ArmError(
      409,
      'RoleDefinitionWithSameNameExists',
      `A custom role with the same name already exists in this directory. Use a different name: '${roleName}'.`,
    );
}

function isPermission(value: Json): boolean {
  if (!isObject(value)) return false;
  return LISTS.every((name) => {
    const list = value[name] ?? [];
    return Array.isArray(list) && list.every((one) => typeof one === 'string');
  });
}

function isScope(value: Json): boolean {
  return typeof value === 'string' && /^\/(subscriptions|providers)\/[^/]+/i.test(value);
}

function malformed(what: string): ArmError {
  return new ArmError(400, 'BadRequestFormat', `The request was incorrectly formatted: ${what}.`);
}

function requireUnassigned({ cloud, id }: Call): void {
  const assigned = cloud.store
    .ofType(ASSIGNMENT)
    .some(({ resource }) => roleIdOf(resource.properties.roleDefinitionId) === id.name.toLowerCase());
  if (assigned)
    throw new ArmError(
      400,
      'RoleDefinitionHasAssignments',
      'There are existing role assignments referencing role: remove them before deleting the role.',
    );
}

/** Built-in and custom roles together; `roleName eq '…'` and `type eq 'BuiltInRole' | 'CustomRole'` narrow them. */
function listRoles({ cloud, id, query }: Call): Stored[] {
  const filter = parameter(query, '$filter') ?? '';
  if (filter !== '' && !filter.split(/\s+and\s+/i).every((one) => FILTER.test(one.trim())))
    throw new ArmError(
      400,
      'InvalidFilter',
      `The filter '${filter}' is not supported: use atScopeAndBelow(), roleName eq '…' and type eq 'BuiltInRole' or 'CustomRole'.`,
    );
  const wanted = (field: string): string | undefined =>
    new RegExp(String.raw`\b${field}\s+eq\s+'([^']+)'`, 'i').exec(filter)?.[1]?.toLowerCase();
  const [roleName, type] = [wanted('roleName'), wanted('type')];
  const is = (value: Json | undefined, text: string | undefined): boolean =>
    text === undefined || textOf(value).toLowerCase() === text;
  return [...builtInRoles().map((one) => shown(one, id.id)), ...cloud.store.ofType(ROLE_DEFINITION)].filter(
    ({ resource: { properties } }) => is(properties.roleName, roleName) && is(properties.type, type),
  );
}
