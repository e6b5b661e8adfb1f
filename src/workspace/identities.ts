/** The identities that a workspace or a compute acts as, and what their roles let them do with the data of a storage account. */
import { apiVersions, type Azure, type ArmResource, type CallOptions } from '../azure/azure.ts';

/** The identity that Azure made for it, and those that people assigned. */
export function principalsOf({ identity }: ArmResource): string[] {
  const { principalId, userAssignedIdentities } = (identity ?? {}) as {
    principalId?: string;
    userAssignedIdentities?: Record<string, { principalId?: string } | null> | null;
  };
  const assigned = Object.values(userAssignedIdentities ?? {}).map((each) => each?.principalId);
  return [principalId, ...assigned].filter((each) => each !== undefined);
}

/** The identities of a workspace, and of the computes in it. */
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
 * Whether a role at `scope`, or above it, gives the principal this data action. `conditional`: one does under a condition, and whether that
 * holds is not known here. Errors: AzureError where roles may not be read.
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

/** A star stands for any text. */
function matches(pattern: string, action: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(action);
}
