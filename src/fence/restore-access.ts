/** Restores to a region what a fence took from its writers: their roles, and the current credentials of its storage. */
import { principalsWithin } from '../workspace/identities.ts';
import { renewCredentials } from '../secrets/renew-credentials.ts';
import { apiVersions, type Azure, type CallOptions, type JsonObject } from '../azure/azure.ts';
import { textAt } from '../azure/body/json.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import type { RemovedAccess } from './shut-out-record.ts';

/** What was restored to a region, and what was not. */
export interface RestoredAccess {
  detail: string;
  /** What could not be restored, one line each: for a person. */
  left: string[];
  counts: { kind: string; expected: number; done: number }[];
}

/**
 * Idempotent. Errors: AzureUnavailable; AzureError if the workspace or its storage does not exist, or its keys are
 * refused.
 */
export async function restoreAccess(
  azure: Azure,
  side: Side,
  { roles, storageAccount }: RemovedAccess,
  options: CallOptions,
  now: Date,
): Promise<RestoredAccess> {
  const workspace = workspaceId(side.workspace);
  const left: string[] = [];
  const found = await azure.arm.get(workspace, apiVersions.machineLearning, options);
  const principals = await principalsWithin(azure, found, options);
  for (const role of roles) {
    // A workspace or a compute that was created again has another identity: a role for the old one would give nobody
    // access.
    const isHeld = principals.has(textAt(role.properties, 'principalId') ?? '');
    const refusal = isHeld ? await restoreRole(azure, role, options) : nobodys;
    if (refusal !== undefined) left.push(`role ${role.id}: ${refusal}`);
  }
  const roleCount = roles.length - left.length;
  await azure.arm.post(`${workspace}/resyncKeys`, apiVersions.machineLearning, undefined, options);
  const renewed = await renewCredentials({ azure, workspace, accountId: storageAccount }, options, now);
  left.push(...renewed.left.map(({ what, reason }) => `${what}: ${reason}`));
  return {
    detail:
      `gave back ${roleCount} of ${roles.length} roles; workspace "${side.workspace.name}" holds the new keys; ` +
      `${renewed.done} credentials of its datastores and connections are of now`,
    left,
    counts: [
      { kind: 'roles given back', expected: roles.length, done: roleCount },
      { kind: 'credentials renewed', expected: renewed.done + renewed.left.length, done: renewed.done },
    ],
  };
}

const nobodys =
  'its principal is no identity of the workspace or of its computes any more: give the role to the one that is';

/** The properties that a client may set on an assignment; leaving a condition out would grant more than was taken. */
const writable = ['roleDefinitionId', 'principalId', 'principalType', 'description', 'condition', 'conditionVersion'];

/** Why it could not be restored; undefined: it is. */
async function restoreRole(
  azure: Azure,
  { id, properties }: { id: string; properties: JsonObject },
  options: CallOptions,
): Promise<string | undefined> {
  const kept = Object.entries(properties).filter(([key, value]) => writable.includes(key) && value !== null);
  const body: JsonObject = { principalType: 'ServicePrincipal', ...Object.fromEntries(kept) };
  try {
    await azure.arm.put(id, apiVersions.roleAssignments, { properties: body }, options);
    return undefined;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    // Somebody, or the template, has assigned the same role under another name.
    return error.details.azure?.code === 'RoleAssignmentExists' ? undefined : messageOf(error);
  }
}
