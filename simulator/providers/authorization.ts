/** Microsoft.Authorization: role assignments on any scope, and the built-in roles. They are kept, and not yet enforced. */

import { textOf } from '../http/fields.ts';
import { parameter } from '../http/paging.ts';
import { ArmError, type Call, type JsonObject, type Provider, type Stored } from '../provider.ts';
import { row } from './table.ts';

type RouteRequest = Parameters<NonNullable<Provider['route']>>[0];

const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PRINCIPAL_TYPES = ['User', 'Group', 'ServicePrincipal', 'ForeignGroup', 'Device'];

/** Azure's built-in roles with their own ids, as far as machine learning uses them. */
const BUILT_IN: Record<string, string> = {
  '8e3af657-a8ff-443c-a75c-2fe8c4bcb635': 'Owner',
  'b24988ac-6180-42a0-ab88-20f7382dd24c': 'Contributor',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7': 'Reader',
  '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9': 'User Access Administrator',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  '81a9662b-bebf-436f-a333-f67b29880f12': 'Storage Account Key Operator Service Role',
  '17d1049b-9a84-46fb-8f53-869881c3d3ab': 'Storage Account Contributor',
  '69566ab7-960f-475b-8e7c-b3118f30c6bd': 'Storage File Data Privileged Contributor',
  '00482a5a-887f-4fb3-b363-3b7fe8e74483': 'Key Vault Administrator',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7': 'Key Vault Secrets Officer',
  'f6c7c914-8db3-469d-8ca1-694a8f32e121': 'AzureML Data Scientist',
  'e503ece1-11d0-4e8e-8e2c-7a6c3bf38815': 'AzureML Compute Operator',
  '7f951dda-4ed3-4680-a7ca-43fe172d538d': 'AcrPull',
  '8311e382-0749-4cb8-b61a-304f252e45ec': 'AcrPush',
};

const assignments = row(ASSIGNMENT, {
  region: 'global',
  verbs: ['get', 'put', 'delete', 'list'],
  pageSize: 50,
  beforePut: prepareAssignment,
  list: listAssignments,
});

export const authorization: Provider = {
  namespace: 'Microsoft.Authorization',
  // Locks are kept, and not yet enforced.
  types: [assignments, row('Microsoft.Authorization/locks', { region: 'global' })],
  route: (request) => Promise.resolve(routeDefinitions(request)),
};

/** The built-in roles, to be read at any scope. */
function routeDefinitions({
  method,
  path,
  query,
}: RouteRequest): { status: number; body: JsonObject } | undefined {
  const match = /^(.*)\/providers\/Microsoft\.Authorization\/roleDefinitions(?:\/([^/]+))?$/i.exec(path);
  if (!match || method !== 'GET') return undefined;
  const [, scope = '', name] = match;
  if (name !== undefined) {
    if (!BUILT_IN[name.toLowerCase()])
      throw new ArmError(
        404,
        'RoleDefinitionDoesNotExist',
        `The specified role definition with ID '${name}' does not exist.`,
      );
    return { status: 200, body: definition(scope, name.toLowerCase()) };
  }
  const wanted = /roleName eq '([^']+)'/i.exec(parameter(query, '$filter') ?? '')?.[1]?.toLowerCase();
  const found = Object.keys(BUILT_IN).filter(
    (id) => wanted === undefined || BUILT_IN[id]?.toLowerCase() === wanted,
  );
  return { status: 200, body: { value: found.map((id) => definition(scope, id)) } };
}

function definition(scope: string, name: string): JsonObject {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? '';
  const type = 'Microsoft.Authorization/roleDefinitions';
  const properties = {
    roleName: BUILT_IN[name] ?? '',
    type: 'BuiltInRole',
    description: '',
    assignableScopes: ['/'],
    permissions: [],
  };
  return { id: `${subscription}/providers/${type}/${name}`, name, type, properties };
}

function prepareAssignment({ id, existing, cloud, principal }: Call, next: Stored): void {
  if (!GUID.test(id.name))
    throw new ArmError(
      400,
      'InvalidRoleAssignmentId',
      `The role assignment ID '${id.name}' is not valid. The role assignment ID must be a GUID.`,
    );
  const { properties } = next.resource;
  const { roleDefinitionId, principalId } = properties;
  const role =
    typeof roleDefinitionId === 'string'
      ? roleDefinitionId.slice(roleDefinitionId.lastIndexOf('/') + 1).toLowerCase()
      : '';
  if (!GUID.test(role))
    throw new ArmError(
      400,
      'BadRequestFormat',
      "The request was incorrectly formatted: 'properties.roleDefinitionId' must be the id of a role definition.",
    );
  if (!BUILT_IN[role])
    throw new ArmError(
      400,
      'RoleDefinitionDoesNotExist',
      `The specified role definition with ID '${role}' does not exist.`,
    );
  if (typeof principalId !== 'string' || !GUID.test(principalId))
    throw new ArmError(
      400,
      'InvalidPrincipalId',
      `A valid principal ID must be provided for role assignment, got '${textOf(principalId)}'.`,
    );
  const { principalType = 'ServicePrincipal' } = properties;
  if (!PRINCIPAL_TYPES.some((type) => type === principalType))
    throw new ArmError(
      400,
      'UnmatchedPrincipalType',
      `The PrincipalType '${textOf(principalType)}' is not one of ${PRINCIPAL_TYPES.join(', ')}.`,
    );
  if (existing) requireUnchanged(existing, role, principalId);
  else requireNew(cloud.store.children(id.scope, ASSIGNMENT), role, principalId);
  const now = new Date(next.changedAt).toISOString();
  next.resource.properties = {
    ...properties,
    principalType,
    scope: id.scope === '' ? '/' : id.scope,
    condition: properties.condition ?? null,
    conditionVersion: properties.conditionVersion ?? null,
    createdOn: new Date(next.createdAt).toISOString(),
    updatedOn: now,
    createdBy: principal.objectId,
    updatedBy: principal.objectId,
    delegatedManagedIdentityResourceId: null,
    description: properties.description ?? null,
  };
  delete next.resource.location;
}

function requireUnchanged(existing: Stored, role: string, principalId: string): void {
  if (!isSame(existing, role, principalId)) {
    throw new ArmError(
      400,
      'RoleAssignmentUpdateNotPermitted',
      'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
    );
  }
}

function requireNew(there: Stored[], role: string, principalId: string): void {
  if (there.some((one) => isSame(one, role, principalId)))
    throw new ArmError(409, 'RoleAssignmentExists', 'The role assignment already exists.');
}

function isSame({ resource }: Stored, role: string, principalId: string): boolean {
  const { roleDefinitionId, principalId: held } = resource.properties;
  return (
    textOf(roleDefinitionId).toLowerCase().endsWith(role) &&
    textOf(held).toLowerCase() === principalId.toLowerCase()
  );
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
