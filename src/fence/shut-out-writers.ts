/**
 * Removes the write access of the old side's writers: the roles on its storage of the identities of its workspace and
 * computes are deleted, and the storage account's keys are rotated, so that every earlier key, SAS and mounted
 * datastore is refused. What is removed is recorded first, for the run that makes that side the writer again.
 */
import { principalsWithin } from '../workspace/identities.ts';
import { apiVersions, type ArmResource, type Azure, type CallOptions, type JsonObject } from '../azure/azure.ts';
import { nameOfId } from '../workspace/workspace.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { untilJobsAreListed } from './watch-fence.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { accountsOf, readUsed } from '../workspace/find-sharing.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { restoreAccess } from './restore-access.ts';
import { doOrOwe } from './old-side.ts';
import { GaveUp, type Ask } from './fence-deadline.ts';
import { recordRestored, recordRemovedAccess, stillShutOut } from './shut-out-record.ts';

interface Writers {
  storageAccount: string;
  roles: { id: string; properties: JsonObject }[];
  /**
   * Roles assigned above the storage account (its resource group, its subscription) stay: others depend on them too.
   */
  inherited: number;
  /** What the other side uses the account as: keys and roles there stay. */
  sharedWith?: string[];
  /** Roles of identities that the other side uses too: they stay. */
  rolesOfBoth?: number;
}

/** Action `shutOutOldWriters`: removes the write access of the old side's writers, or owes that. */
export function shutOutOldWriters(context: StepContext): Promise<StepResult> {
  const { azure, from, to, run } = context;
  const what = `rotate the storage keys of ${from.region} and remove the roles of its workspace`;
  return doOrOwe(context, { kind: 'writers', what }, async (ask, deadline) => {
    const writers = await context.recordUndo(() =>
      ask((options) => writersOf(azure, { side: from, other: to }, options)),
    );
    // A job that has lost its write access fails. If it is recorded by then, the reason is known.
    const late = 'the jobs of the region are not listed yet, and would seem to have failed by themselves';
    if (!(await untilJobsAreListed(context, () => deadline.checkEnd(late)))) throw new GaveUp(late, false);
    deadline.progress();
    return shutOut(context, { region: from.region, run: run.runId, writers }, ask);
  });
}

/**
 * What the workspace of a side writes with: its storage account, and the roles there of its identities and of its
 * computes'.
 */
export async function writersOf(
  azure: Azure,
  { side, other }: { side: Side; other: Side },
  options: CallOptions,
): Promise<Writers> {
  const workspace = await azure.arm.get(workspaceId(side.workspace), apiVersions.machineLearning, options);
  const { storageAccount } = workspace.properties;
  if (typeof storageAccount !== 'string') {
    throw new UnderstudyError('AzureError', `workspace "${side.workspace.name}" names no storage account`);
  }
  // The other side depends on what both use. It must answer: what it uses is not guessed.
  const used = await readUsed(azure.arm, other, options);
  const sharedWith = used && accountsOf(used).get(nameOfId(storageAccount).toLowerCase());
  if (sharedWith) return { storageAccount, roles: [], inherited: 0, sharedWith };
  const principals = await principalsWithin(azure, workspace, options);
  const ofOther = used ? await principalsWithin(azure, used.workspace, options) : new Set<string>();
  const roles: Writers['roles'] = [];
  let inherited = 0;
  let rolesOfBoth = 0;
  const path = `${storageAccount}/providers/Microsoft.Authorization/roleAssignments`;
  for await (const role of azure.arm.list(path, apiVersions.roleAssignments, options)) {
    const { principalId } = role.properties;
    if (typeof principalId !== 'string' || !principals.has(principalId)) continue;
    if (!isWithin(role, storageAccount)) inherited += 1;
    else if (ofOther.has(principalId)) rolesOfBoth += 1;
    else roles.push({ id: role.id, properties: role.properties });
  }
  return { storageAccount, roles, inherited, ...(rolesOfBoth > 0 ? { rolesOfBoth } : {}) };
}

/** At the account, or at a container of it. */
function isWithin(role: ArmResource, account: string): boolean {
  const at = role.properties.scope;
  return typeof at === 'string' && `${at}/`.toLowerCase().startsWith(`${account}/`.toLowerCase());
}

/** The tag that says which run rotated the keys: a second attempt of that run leaves the new keys alone. */
const rotationTag = 'understudy-keys-rotated-by';

/** `run`: the run whose fence it is, possibly an earlier one that owed it. */
export async function shutOut(
  { azure, store, now }: { azure: Azure; store: ControlStore; now: () => Date },
  { region, run, writers }: { region: string; run: string; writers: Writers },
  ask: Ask,
): Promise<string> {
  const { storageAccount, roles, inherited, sharedWith, rolesOfBoth = 0 } = writers;
  if (sharedWith)
    return `left the keys and roles of ${nameOfId(storageAccount)} as they are: the other workspace uses it (${sharedWith.join(', ')}), so the old writers can still write there`;
  await recordRemovedAccess(store, { region, run, storageAccount, roles }, now());
  for (const { id } of roles) await ask((options) => azure.arm.remove(id, apiVersions.roleAssignments, options));
  const account = await ask((options) => azure.arm.get(storageAccount, apiVersions.storage, options));
  if (account.tags?.[rotationTag] !== run) {
    const path = `${storageAccount}/regenerateKey`;
    for (const keyName of ['key1', 'key2'])
      await ask((options) => azure.arm.post(path, apiVersions.storage, { keyName }, options));
    const tags = { ...account.tags, [rotationTag]: run };
    await ask((options) => azure.arm.patch(storageAccount, apiVersions.storage, { tags }, options));
  }
  const left =
    (inherited > 0 ? `; ${inherited} given above it left: remove them by hand` : '') +
    (rolesOfBoth > 0 ? `; ${rolesOfBoth} left, of identities that the other workspace uses, too` : '');
  return `rotated both keys of ${account.name}; removed ${roles.length} roles${left}`;
}

/**
 * Roles are created again under their own names. Rotated keys cannot be restored, so the workspace gets the new ones. A
 * debt of this run may have been paid by another run. If nothing was taken, a region that did not answer is not asked
 * again. Errors: PreconditionError for what could not be restored.
 */
export async function restoreOldWriters(context: StepContext): Promise<string> {
  const { azure, from, store, now } = context;
  const taken = await stillShutOut(store, from.region, 'writers');
  if (!taken) return 'nothing was rotated or removed';
  const { detail, left } = await restoreAccess(azure, from, taken, {}, now());
  // The record stays open: another attempt, or the next move that makes this region the writer, tries again.
  if (left.length > 0) throw new UnderstudyError('PreconditionError', [detail, ...left].join('; '));
  await recordRestored(store, from.region, 'writers', now());
  return detail;
}
