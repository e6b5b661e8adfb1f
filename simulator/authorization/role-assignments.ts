/** Role assignments on any scope: kept, listed, honoured after a delay, and for the same delay after their deletion. */

import { createHash, randomUUID } from 'node:crypto';
import { textOf } from '../resource/fields.ts';
import { parameter } from '../http/paging.ts';
import { ArmError, type Call, type Cloud, type ResourceType, type Stored } from '../contract/index.ts';
import { row } from '../resource/table.ts';
import { ASSIGNMENT, permissionsOf, REVOKED, ROLE_DEFINITION, roleIdOf } from './access.ts';
import { conditionOf, requireAssignable, requireType } from './assignment-checks.ts';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PRINCIPAL_TYPES = ['User', 'Group', 'ServicePrincipal', 'ForeignGroup', 'Device'];

export interface AssignmentParts {
  /**
   * Milliseconds on the cloud's clock from the making (or deletion) of an assignment to its effect, unless another was
   * set.
   */
  delayMs: number;
  /** Is there such a principal in the directory, or as a managed identity? */
  isPrincipal: (cloud: Cloud, objectId: string) => boolean;
}

export function roleAssignments(parts: AssignmentParts): ResourceType {
  return row(ASSIGNMENT, {
    region: 'global',
    verbs: ['get', 'put', 'delete', 'list'],
    showsDeleted: true,
    pageSize: 50,
    beforePut: (call, next) => prepare(parts, call, next),
    afterDelete: ({ cloud }, stored) => keepRevoked(cloud, stored, delayOf(cloud, parts.delayMs)),
    list: listAssignments,
  });
}

const DELAY = 'Microsoft.Authorization/roleDelays';
const DELAY_ID = `/providers/${DELAY}/current`;

/**
 * Sets, from now on, how long assignments take to be honoured, and to be honoured no more; undefined: as at the start.
 */
export function setRoleDelay(cloud: Cloud, milliseconds: number | undefined): void {
  if (milliseconds === undefined) return void cloud.store.remove(DELAY_ID);
  const now = cloud.clock.now();
  const resource = { id: DELAY_ID, name: 'current', type: DELAY, properties: { milliseconds } };
  cloud.store.put({ resource, hidden: {}, etag: '', region: null, createdAt: now, changedAt: now });
}

function delayOf(cloud: Cloud, unlessSet: number): number {
  const set = cloud.store.get(DELAY_ID)?.resource.properties.milliseconds;
  return typeof set === 'number' ? set : unlessSet;
}

/** Gives a principal a role that is effective at once, as one that was there before the cloud was started. */
export function grant(cloud: Cloud, principalId: string, roleId: string, scope: string): void {
  const name = guidOf(`${scope}|${principalId}|${roleId}`.toLowerCase());
  const now = cloud.clock.now();
  const at = new Date(now).toISOString();
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? '';
  cloud.store.put({
    resource: {
      id: `${scope}/providers/${ASSIGNMENT}/${name}`,
      name,
      type: ASSIGNMENT,
      properties: {
        roleDefinitionId: `${subscription}/providers/${ROLE_DEFINITION}/${roleId}`,
        principalId,
        principalType: 'ServicePrincipal',
        scope,
        condition: null,
        conditionVersion: null,
        createdOn: at,
        updatedOn: at,
        createdBy: '',
        updatedBy: '',
        delegatedManagedIdentityResourceId: null,
        description: null,
      },
    },
    hidden: { effectiveAt: now },
    etag: `"${randomUUID()}"`,
    region: null,
    createdAt: now,
    changedAt: now,
  });
}

function prepare({ delayMs, isPrincipal }: AssignmentParts, call: Call, next: Stored): void {
  const { id, existing, cloud, principal } = call;
  if (!GUID.test(id.name))
    throw new ArmError(
      400,
      'InvalidRoleAssignmentId',
      `The role assignment ID '${id.name}' is not valid. The role assignment ID must be a GUID.`,
    );
  const { properties } = next.resource;
  // Templates say in either way that the principal is of the type that it has.
  if (properties.principalType === null || properties.principalType === '') delete properties.principalType;
  const role = requireRole(cloud, next);
  const principalId = requirePrincipal(next);
  if (properties.principalType === undefined && !existing && !isPrincipal(cloud, principalId))
    throw new ArmError(
      400,
      'PrincipalNotFound',
      `Principal ${principalId.replaceAll('-', '')} does not exist in the directory ${cloud.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype`,
    );
  if (properties.principalType !== undefined && isPrincipal(cloud, principalId)) requireType(principalId, properties);
  requireAssignable(cloud, role, id.scope);
  const condition = conditionOf(properties);
  if (existing) requireUnchanged(existing, role, principalId);
  else {
    requireNew(cloud.store.children(id.scope, ASSIGNMENT), role, principalId);
    requireFreeName(cloud, id.name);
  }
  next.hidden.effectiveAt ??= existing ? 0 : next.changedAt + delayOf(cloud, delayMs);
  next.resource.properties = {
    ...properties,
    principalType: properties.principalType ?? 'ServicePrincipal',
    scope: id.scope === '' ? '/' : id.scope,
    ...condition,
    createdOn: new Date(next.createdAt).toISOString(),
    updatedOn: new Date(next.changedAt).toISOString(),
    createdBy: existing?.resource.properties.createdBy ?? principal.objectId,
    updatedBy: principal.objectId,
    delegatedManagedIdentityResourceId: null,
    description: properties.description ?? null,
  };
  delete next.resource.location;
}

function requireRole(cloud: Cloud, { resource }: Stored): string {
  const role = roleIdOf(resource.properties.roleDefinitionId);
  if (!GUID.test(role))
    throw new ArmError(
      400,
      'BadRequestFormat',
      "The request was incorrectly formatted: 'properties.roleDefinitionId' must be the id of a role definition.",
    );
  if (!permissionsOf(cloud, role))
    throw new ArmError(
      400,
      'RoleDefinitionDoesNotExist',
      `The specified role definition with ID '${role}' does not exist.`,
    );
  return role;
}

function requirePrincipal({ resource }: Stored): string {
  const { principalId, principalType = 'ServicePrincipal' } = resource.properties;
  if (typeof principalId !== 'string' || !GUID.test(principalId))
    throw new ArmError(
      400,
      'InvalidPrincipalId',
      `A valid principal ID must be provided for role assignment, got '${textOf(principalId)}'.`,
    );
  if (!PRINCIPAL_TYPES.some((type) => type === principalType))
    throw new ArmError(
      400,
      'UnmatchedPrincipalType',
      `The PrincipalType '${textOf(principalType)}' is not one of ${PRINCIPAL_TYPES.join(', ')}.`,
    );
  return principalId;
}

/** The name of an assignment is one in the whole tenant, whatever its scope. */
function requireFreeName(cloud: Cloud, name: string): void {
  const wanted = name.toLowerCase();
  if (cloud.store.ofType(ASSIGNMENT).some(({ resource }) => resource.name.toLowerCase() === wanted))
    throw updateRefused();
}

function requireUnchanged(existing: Stored, role: string, principalId: string): void {
  if (!isSame(existing, role, principalId)) throw updateRefused();
}

function updateRefused(): ArmError {
  return new ArmError(
    400,
    'RoleAssignmentUpdateNotPermitted',
    'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
  );
}

function requireNew(there: Stored[], role: string, principalId: string): void {
  if (there.some((one) => isSame(one, role, principalId)))
    throw new ArmError(409, 'RoleAssignmentExists', 'The role assignment already exists.');
}

function isSame({ resource }: Stored, role: string, principalId: string): boolean {
  const { roleDefinitionId, principalId: held } = resource.properties;
  return roleIdOf(roleDefinitionId) === role && textOf(held).toLowerCase() === principalId.toLowerCase();
}

/** What was effective when it was deleted is honoured on; the memories of others that are over go. */
function keepRevoked(cloud: Cloud, { resource, hidden }: Stored, delayMs: number): void {
  const now = cloud.clock.now();
  for (const past of cloud.store.ofType(REVOKED))
    if (Number(past.hidden.endsAt) <= now) cloud.store.remove(past.resource.id);
  if (Number(hidden.effectiveAt ?? 0) > now || delayMs === 0) return;
  const { scope = '', principalId = '', roleDefinitionId = '' } = resource.properties;
  const name = randomUUID();
  cloud.store.put({
    resource: {
      id: `/providers/${REVOKED}/${name}`,
      name,
      type: REVOKED,
      properties: { scope, principalId, roleDefinitionId },
    },
    hidden: { endsAt: now + delayMs },
    etag: '',
    region: null,
    createdAt: now,
    changedAt: now,
  });
}

/** Assignments at the scope and below it, or with `atScope()` at it and above; `principalId eq '…'` narrows both. */
function listAssignments({ cloud, id, query }: Call): Stored[] {
  const filter = parameter(query, '$filter') ?? '';
  const principalId = /(?:principalId eq|assignedTo\()\s*'([^']+)'/i.exec(filter)?.[1]?.toLowerCase();
  if (filter !== '' && principalId === undefined && !/atScope\(\)/i.test(filter)) {
    throw new ArmError(
      400,
      'InvalidFilter',
      `The filter '${filter}' is not supported: use atScope(), principalId eq '…' or assignedTo('…').`,
    );
  }
  const scope = id.key.replace(/\/+$/, '');
  const inScope = ({ resource }: Stored): boolean => {
    const held = textOf(resource.properties.scope).toLowerCase();
    const isAbove = held === '/' || scope === held || scope.startsWith(`${held}/`);
    return isAbove || (!/atScope\(\)/i.test(filter) && held.startsWith(`${scope}/`));
  };
  const isTheirs = ({ resource }: Stored): boolean =>
    principalId === undefined || textOf(resource.properties.principalId).toLowerCase() === principalId;
  return cloud.store.ofType(ASSIGNMENT).filter(inScope).filter(isTheirs);
}

function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
