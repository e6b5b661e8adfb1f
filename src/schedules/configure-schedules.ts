/**
 * The action `configureSchedules`: creates the active workspace's schedules in the standby. All are disabled, because
 * those of the other side may still fire. `enableSchedules` enables them at the switch.
 */
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { isObject } from '../azure/body/json.ts';
import { rewriteSpec } from '../jobs/spec/rewrite-spec.ts';
import { differences } from '../azure/body/compare.ts';
import { rewriteReferences, type ReferenceMapping } from '../azure/ids.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import { lostAssets, whyLost } from '../standby/lost-assets.ts';
import { isEnabled, schedulePath, setEnabled, writable } from '../workspace/schedules.ts';
import { enabledSchedules } from '../fence/stop-intake.ts';
import { noneToRestore, requireBrought } from '../standby/require-brought.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, newTally, seen, skip, sum, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';

const whatIsLost = 'what its jobs read is not whole';

interface UndoSchedules {
  /** Schedules that were enabled in the standby before the run. */
  enabledBefore: string[];
  /** Schedules of the recovery point. */
  names: string[];
}

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError. */
export async function configureSchedules(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const { sealed } = standby.point;
  await context.recordUndo(async () => stateBefore(context, standby));
  const heartbeat = startHeartbeat(context, 'schedules');
  const lost = await lostAssets(context, sealed);
  const tally = newTally();
  const findings: Finding[] = [];
  for await (const schedule of standby.read('schedules')) {
    const { name, properties } = schedule;
    const why = whyLost(lost, { name: `schedules/${name}`, json: properties, workspace: sealed.workspace });
    const outcome =
      why === undefined ? await configure(context, standby, schedule) : { reason: `${whatIsLost}: ${why}` };
    if ('reason' in outcome) {
      (why === undefined ? fail : skip)(tally, outcome.reason);
      findings.push({ what: `schedule ${schedule.name}`, state: 'failed', reason: outcome.reason });
    } else {
      tally.done += 1;
      if (outcome.already) tally.already += 1;
    }
    heartbeat.add(1, 0);
    await heartbeat.beat();
  }
  if (seen(tally) === 0) return noneToRestore(context, standby, 'schedules');
  requireBrought(context, standby, findings);
  const failed = sum(tally.failed);
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'schedule')} in ${context.to.region}, disabled until the switch${failed > 0 ? `; ${failed} failed` : ''}`,
    counts: [toCounts(tally, 'schedules', await standby.count('schedules'))],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/**
 * The undo of `configureSchedules`: enables the schedules that were enabled in the standby before the run. Idempotent.
 */
export async function enableAsBefore(context: StepContext, undo: unknown): Promise<string> {
  const { names, enabledBefore } = undo as UndoSchedules;
  let enabled = 0;
  for (const name of names.filter((each) => enabledBefore.includes(each)))
    if (await setEnabled(context.azure, context.to, name, true, { signal: context.signal })) enabled += 1;
  return `${showCount(enabled, 'schedule')} enabled again in ${context.to.region}`;
}

async function stateBefore({ azure, to, signal }: StepContext, { read }: Standby): Promise<UndoSchedules> {
  const names: string[] = [];
  for await (const { name } of read('schedules')) names.push(name);
  return { enabledBefore: await enabledSchedules(azure, to, { signal }), names };
}

async function configure(
  { azure, signal }: StepContext,
  { workspace, mapping, selection }: Standby,
  schedule: ArmResource,
): Promise<{ already: boolean } | { reason: string }> {
  const desired = rewriteSchedule(schedule, mapping);
  if ('reason' in desired) return desired;
  const { properties } = desired;
  const path = schedulePath(workspace.id, schedule.name);
  const options = { signal };
  try {
    const held = await azure.arm.find(path, apiVersions.machineLearning, options);
    // What is brought to the writer goes on firing there, or not, as it did.
    const wanted = { ...properties, isEnabled: selection !== undefined && held !== undefined && isEnabled(held) };
    if (held && differences(wanted, held.properties, '').length === 0) return { already: true };
    await azure.arm.put(path, apiVersions.machineLearning, { properties: wanted }, options);
    const made = await azure.arm.get(path, apiVersions.machineLearning, options);
    const different = differences(wanted, made.properties, '');
    if (different.length > 0)
      return { reason: `Azure stored it differently: ${different.map(({ place }) => place).join(', ')}` };
    return { already: false };
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return { reason: messageOf(error) };
  }
}

/** Rewrites a schedule: the job that it creates as any job, its other references as any reference. */
function rewriteSchedule(
  schedule: ArmResource,
  mapping: ReferenceMapping,
): { properties: JsonObject } | { reason: string } {
  const properties = writable(schedule);
  const { action } = properties;
  const definition = isObject(action) ? action['jobDefinition'] : undefined;
  const { action: _, ...rest } = properties;
  const outer = rewriteReferences(rest, mapping);
  if (!isObject(action)) return unmappedReason(outer.unmapped) ?? { properties: outer.value };
  const { jobDefinition: __, ...restOfAction } = action;
  const inner = rewriteReferences(restOfAction, mapping);
  const job = isObject(definition)
    ? rewriteSpec({ id: '', name: schedule.name, type: '', properties: definition }, { mapping })
    : undefined;
  const reason = unmappedReason([...outer.unmapped, ...inner.unmapped, ...(job?.unmapped ?? [])]);
  if (reason) return reason;
  return {
    properties: {
      ...outer.value,
      action: { ...inner.value, ...(job ? { jobDefinition: job.properties } : {}) },
    },
  };
}

function unmappedReason(unmapped: readonly { place: string; reason: string }[]): { reason: string } | undefined {
  if (unmapped.length === 0) return undefined;
  return {
    reason: `it cannot be rewritten: ${unmapped.map(({ place, reason }) => `${place}: ${reason}`).join('; ')}`,
  };
}
