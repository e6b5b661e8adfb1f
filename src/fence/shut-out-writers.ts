/**
 * The old side's writers lose what they write with: the roles on its storage of its workspace's and its computes' identities are
 * removed, and the storage account's keys rotated, so that every key, SAS and mounted datastore of before is refused.
 */
import {
  apiVersions,
  type ArmResource,
  type Azure,
  type CallOptions,
  type JsonObject,
} from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { settleOrOwe } from './old-side.ts';

interface WritersUndo {
  storageAccount: string;
  roles: { id: string; properties: JsonObject }[];
  /** Roles given above the storage account (its group, its subscription): others live by them too, so they stay. */
  inherited: number;
}

export function shutOutOldWriters(context: StepContext): Promise<StepResult> {
  const { azure, from, run } = context;
  const what = `rotate the storage keys of ${from.region} and remove the roles of its workspace`;
  return settleOrOwe(context, { kind: 'writers', what }, async (signal) => {
    const undo = await context.keepUndo(() => writersOf(azure, from, { signal }));
    return shutOut(azure, undo, run.runId, { signal });
  });
}

/** What the workspace of a side writes with: its storage account, and the roles there of its identities and of its computes'. */
export async function writersOf(azure: Azure, side: Side, options: CallOptions): Promise<WritersUndo> {
  const workspace = await azure.arm.get(workspaceId(side.workspace), apiVersions.machineLearning, options);
  const { storageAccount } = workspace.properties;
  if (typeof storageAccount !== 'string') {
    throw new UnderstudyError('AzureError', `workspace "${side.workspace.name}" names no storage account`);
  }
  const principals = new Set(principalsOf(workspace));
  const computes = `${workspaceId(side.workspace)}/computes`;
  for await (const compute of azure.arm.list(computes, apiVersions.machineLearning, options))
    for (const principal of principalsOf(compute)) principals.add(principal);
  const roles: WritersUndo['roles'] = [];
  let inherited = 0;
  const path = `${storageAccount}/providers/Microsoft.Authorization/roleAssignments`;
  for await (const role of azure.arm.list(path, apiVersions.roleAssignments, options)) {
    const { principalId } = role.properties;
    if (typeof principalId !== 'string' || !principals.has(principalId)) continue;
    if (isAt(role, storageAccount)) roles.push({ id: role.id, properties: role.properties });
    else inherited += 1;
  }
  return { storageAccount, roles, inherited };
}

/** The identity that the system made, and those that people assigned. */
function principalsOf({ identity }: ArmResource): string[] {
  const { principalId, userAssignedIdentities } = (identity ?? {}) as {
    principalId?: string;
    userAssignedIdentities?: Record<string, { principalId?: string } | null> | null;
  };
  const assigned = Object.values(userAssignedIdentities ?? {}).map((each) => each?.principalId);
  return [principalId, ...assigned].filter((each) => each !== undefined);
}

function isAt(role: ArmResource, scope: string): boolean {
  const at = role.properties.scope;
  return typeof at === 'string' && at.toLowerCase() === scope.toLowerCase();
}

/** The tag that says which run rotated the keys: a second attempt of that run leaves the new keys alone. */
const rotationTag = 'understudy-keys-rotated-by';

export async function shutOut(
  azure: Azure,
  writers: WritersUndo,
  runId: string,
  options: CallOptions,
): Promise<string> {
  for (const role of writers.roles) await azure.arm.remove(role.id, apiVersions.roleAssignments, options);
  const account = await azure.arm.get(writers.storageAccount, apiVersions.storage, options);
  if (account.tags?.[rotationTag] !== runId) {
    for (const keyName of ['key1', 'key2']) {
      await azure.arm.post(
        `${writers.storageAccount}/regenerateKey`,
        apiVersions.storage,
        { keyName },
        options,
      );
    }
    await azure.arm.patch(
      writers.storageAccount,
      apiVersions.storage,
      { tags: { ...account.tags, [rotationTag]: runId } },
      options,
    );
  }
  const left = writers.inherited > 0 ? `; ${writers.inherited} given above it left: remove them by hand` : '';
  return `rotated both keys of ${account.name}; removed ${writers.roles.length} roles${left}`;
}

/** Roles come back under their own names; rotated keys cannot, so the workspace is told to read the new ones. */
export async function letOldWritersIn({ azure, from }: StepContext, undo: unknown): Promise<string> {
  // What was owed from the start has changed nothing, and the region that did not answer is not asked again.
  if (undo === undefined) return 'nothing was rotated or removed';
  const { roles } = undo as WritersUndo;
  for (const { id, properties } of roles) {
    const { roleDefinitionId, principalId, principalType } = properties;
    await azure.arm.put(id, apiVersions.roleAssignments, {
      properties: {
        roleDefinitionId: roleDefinitionId ?? null,
        principalId: principalId ?? null,
        principalType: principalType ?? 'ServicePrincipal',
      },
    });
  }
  await azure.arm.post(`${workspaceId(from.workspace)}/resyncKeys`, apiVersions.machineLearning);
  return `gave back ${roles.length} roles; the workspace reads the new keys`;
}
