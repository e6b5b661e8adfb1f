/**
 * The action `useDatastores`: uses each datastore of the workspace as its clients do, with the credentials that the
 * workspace itself has. Understudy's own access to storage proves nothing about these.
 */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { isOutage } from '../azure/errors.ts';
import { sameName } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { fail, newTally, skip, sum, toCounts } from '../run/work/tally.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { findWorkspace, nameOfId } from '../workspace/workspace.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { nameOfThing, type SharedThing } from '../workspace/sharing.ts';
import { useDatastore, type Use } from './use-datastore.ts';

/**
 * Errors: PreconditionError if a datastore on the workspace's own storage cannot be used, because the whole workspace
 * depends on it. One elsewhere is counted as failed. One that cannot be tried from here is skipped, with the reason; so
 * is one on shared storage that does not answer, which was reported before the failover began.
 */
export async function useDatastores(context: StepContext): Promise<StepResult> {
  const { azure, to, signal } = context;
  const workspace = await findWorkspace(azure.arm, to, signal);
  const datastores: ArmResource[] = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/datastores`, apiVersions.machineLearning, { signal }),
  );
  const shared = (await recoveryPointOf(context)) ? (await openPointOfRun(context)).sealed.sharing.things : [];
  const tally = newTally();
  const findings: Finding[] = [];
  /** The refused ones on the workspace's own storage. */
  const refused: Finding[] = [];
  for (const [done, datastore] of datastores.entries()) {
    await context.checkpoint({ unit: 'datastores', done, total: datastores.length });
    const tried = await tryOne(context, workspace, datastore);
    if (tried.state === 'used') {
      tally.done += 1;
      continue;
    }
    const { own, ...use } = unlessShared(tried, datastore, shared);
    (use.state === 'skipped' ? skip : fail)(tally, use.reason);
    const finding = { what: `datastore ${datastore.name}`, ...use };
    findings.push(finding);
    if (own && use.state === 'failed') refused.push(finding);
  }
  const evidence = await writeFindings(context, 'list', findings);
  if (refused.length > 0) {
    throw new UnderstudyError(
      'PreconditionError',
      `workspace "${workspace.name}" cannot use ${refused.length} of its ${datastores.length} datastores: ${showFindings(refused, 3).join('; ')}`,
      {
        ...(evidence[0] ? { place: evidence[0].blob } : {}),
        next: 'Renew the key or signature that it holds ("az ml workspace sync-keys" for those that Azure made), or give its identity a role for the data of its storage account; then retry the run.',
      },
    );
  }
  const [failed, skipped] = [sum(tally.failed), sum(tally.skipped)];
  return {
    state: 'completed',
    detail:
      `${tally.done} of ${datastores.length} datastores used with the credentials that workspace "${workspace.name}" holds` +
      `${failed > 0 ? `, ${failed} refused` : ''}${skipped > 0 ? `, ${skipped} not tried` : ''}`,
    counts: [toCounts(tally, 'datastores used', datastores.length)],
    evidence,
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

async function tryOne(...[context, workspace, datastore]: Parameters<typeof useDatastore>): Promise<Use> {
  try {
    return await useDatastore(context, workspace, datastore);
  } catch (error) {
    const account = textAt(datastore.properties, 'accountName');
    const own = sameName(account, nameOfId(workspace.storageAccountId));
    // Resource Manager does not answer for resources in a lost region.
    if (!own && isOutage(error))
      return {
        own,
        state: 'failed',
        reason: `"${account}" does not answer: ${messageOf(error)}`,
        silent: true,
      };
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return { own: false, state: 'skipped', reason: `it cannot be read: ${messageOf(error)}` };
  }
}

type NotUsed = Exclude<Use, { state: 'used' }>;

function unlessShared(
  { silent, ...use }: NotUsed,
  { properties }: ArmResource,
  shared: readonly SharedThing[],
): Omit<NotUsed, 'silent'> {
  const name = textAt(properties, 'accountName');
  const thing = shared.find((each) => each.kind === 'storage' && sameName(each.name, name));
  if (!silent || !thing) return use;
  return {
    ...use,
    state: 'skipped',
    reason: `${nameOfThing(thing)}, which both sides use, does not answer now`,
  };
}
