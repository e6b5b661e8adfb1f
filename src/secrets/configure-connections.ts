/**
 * The action `configureConnections`: creates the connections that the standby lacks, with their secrets from escrow.
 */
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { rewriteReferences } from '../azure/ids.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { differences } from '../azure/body/compare.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { escrowed } from './escrowed.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import { secretless } from './secret-name.ts';
import { noneToRestore, requireBrought } from '../standby/require-brought.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, newTally, seen, skip, sum, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';

type Outcome = 'made' | 'already' | Omit<Finding, 'what'>;

/**
 * What Azure refuses is counted as failed.
 * Errors: AzureUnavailable, RecoveryPointError, PreconditionError.
 */
export async function configureConnections(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const heartbeat = startHeartbeat(context, 'connections');
  const tally = newTally();
  const findings: Finding[] = [];
  for await (const connection of standby.read('connections')) {
    const outcome = await configure(context, standby, connection);
    if (typeof outcome === 'string') {
      tally.done += 1;
      if (outcome === 'already') tally.already += 1;
    } else {
      (outcome.state === 'skipped' ? skip : fail)(tally, outcome.reason);
      findings.push({ what: `connection ${connection.name}`, ...outcome });
    }
    heartbeat.add(1, 0);
    await heartbeat.beat();
  }
  if (seen(tally) === 0) return noneToRestore(context, standby, 'connections');
  requireBrought(context, standby, findings);
  const notMade = sum(tally.skipped) + sum(tally.failed);
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'connection')} in ${context.to.region}, ${tally.already} of them already there${notMade > 0 ? `; ${notMade} not` : ''}`,
    counts: [toCounts(tally, 'connections', await standby.count('connections'))],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/** Fields that Azure sets, or that only `listsecrets` returns: those come from escrow. */
const notWritten = new Set(['createdByWorkspaceArmId', 'group', 'provisioningState', 'error', 'credentials', 'value']);

/** Returns what can be written back of a connection. The caller adds its credentials. */
export function writableOf({ properties }: ArmResource): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !notWritten.has(key)));
}

async function configure(context: StepContext, standby: Standby, connection: ArmResource): Promise<Outcome> {
  try {
    return await bring(context, standby, connection);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return { state: 'failed', reason: messageOf(error) };
  }
}

async function bring(context: StepContext, standby: Standby, connection: ArmResource): Promise<Outcome> {
  const { azure, signal } = context;
  const { value: properties, unmapped } = rewriteReferences(writableOf(connection), standby.mapping);
  const first = unmapped[0];
  if (first) return { state: 'failed', reason: `${first.place}: ${first.reason}` };
  const path = `${standby.workspace.id}/connections/${encodeURIComponent(connection.name)}`;
  const held = await azure.arm.find(path, apiVersions.machineLearning, { signal });
  if (held && differences(properties, held.properties, '').length === 0) return 'already';
  const { authType } = properties;
  let secrets: JsonObject = {};
  if (typeof authType === 'string' && !secretless.has(authType)) {
    const found = await escrowed(context, standby.point.sealed, 'connection', connection.name);
    if ('reason' in found) return { state: 'skipped', reason: found.reason };
    secrets = found.value;
  }
  const body = { properties: { ...properties, ...secrets } };
  await azure.arm.put(path, apiVersions.machineLearning, body, { signal });
  return 'made';
}
