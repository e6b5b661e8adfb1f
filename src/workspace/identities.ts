/**
 * The identities that a workspace or a compute runs as, and what their roles allow them to do with a storage account's
 * data.
 */
import { apiVersions, type Azure, type ArmResource, type CallOptions } from '../azure/azure.ts';

/** Returns the identity that Azure made for the resource, and those that people assigned. */
export function principalsOf({ identity }: ArmResource): string[] {
  const { principalId, userAssignedIdentities } = (identity ?? {}) as {
    principalId?: string;
    userAssignedIdentities?: Record<string, { principalId?: string } | null> | null;
  };
  const assigned = Object.values(userAssignedIdentities ?? {}).map((each) => each?.principalId);
  return [principalId, ...assigned].filter((each) => each !== undefined);
}

/** Returns the identities of a workspace and of its computes. */
export async function principalsWithin(
  azure: Azure,
  workspace: ArmResource,
  options: CallOptions,
): Promise<Set<string>> {
  const principals = new Set(principalsOf(workspace));
  const computes = `${workspace.id}/computes`;
  for await (const compute of azure.arm.list(computes, apiVersions.machineLearning, options))
    for (const principal of principalsOf(compute)) principals.add(principal);
  return principals;
}

interface Permissions {
  dataActions?: string[];
  notDataActions?: string[];
}

/**
 * Whether a role at `scope`, or above it, grants the principal this data action. `conditional`: a role grants it under
 * a condition, which is not evaluated here.
 * Errors: AzureError if roles cannot be read.
 */
export async function dataAccess(
  azure: Azure,
  { principal, scope, action }: { principal: string; scope: string; action: string },
  options: CallOptions,
): Promise<'granted' | 'conditional' | 'none'> {
  const filter = encodeURIComponent(`atScope() and assignedTo('${principal}')`);
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments?$filter=${filter}`;
  let found: 'conditional' | 'none' = 'none';
  for await (const { properties } of azure.arm.list(path, apiVersions.roleAssignments, options)) {
    const { roleDefinitionId, condition } = properties;
    if (typeof roleDefinitionId !== 'string') continue;
    const role = await azure.arm.find(roleDefinitionId, apiVersions.roleAssignments, options);
    const permissions = (role?.properties.permissions ?? []) as unknown as Permissions[];
    if (!permissions.some((each) => permits(each, action))) continue;
    if (typeof condition !== 'string' || condition === '') return 'granted';
    found = 'conditional';
  }
  return found;
}

function permits({ dataActions = [], notDataActions = [] }: Permissions, action: string): boolean {
  const isNamed = (patterns: string[]) => patterns.some((pattern) => matches(pattern, action));
  return isNamed(dataActions) && !isNamed(notDataActions);
}

/** A star matches any text. */
function matches(pattern: string, action: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(action);
}
