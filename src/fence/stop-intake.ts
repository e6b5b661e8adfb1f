/** Disables the schedules of the old side, so that no new work starts there. */
import { apiVersions, type Azure, type CallOptions } from '../azure/azure.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { isEnabled, setEnabled } from '../workspace/schedules.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { doOrOwe } from './old-side.ts';
import type { Ask } from './fence-deadline.ts';
import { recordRestored, recordStoppedIntake, stillShutOut } from './shut-out-record.ts';

interface IntakeUndo {
  schedules: string[];
}

/** Action `stopOldIntake`: disables the old side's schedules, or owes that. */
export function stopOldIntake(context: StepContext): Promise<StepResult> {
  const { azure, from, run } = context;
  const debt = { kind: 'intake', what: `disable the schedules of ${from.region}` } as const;
  return doOrOwe(context, debt, async (ask) => {
    const { schedules } = await context.recordUndo<IntakeUndo>(async () => ({
      schedules: await ask((options) => enabledSchedules(azure, from, options)),
    }));
    return stopSchedules(context, { side: from, run: run.runId, schedules }, ask);
  });
}

/**
 * Disables the schedules of a side, by default all that are enabled now, and records which; `run`: the run whose fence
 * it is.
 */
export async function stopSchedules(
  { azure, store, now }: Pick<StepContext, 'azure' | 'store' | 'now'>,
  { side, run, schedules }: { side: Side; run: string; schedules?: string[] },
  ask: Ask,
): Promise<string> {
  const names = schedules ?? (await ask((options) => enabledSchedules(azure, side, options)));
  await recordStoppedIntake(store, { region: side.region, run, schedules: names }, now());
  return disableSchedules(azure, side, names, ask);
}

/** Names of the schedules of a side that are enabled now. */
export async function enabledSchedules(azure: Azure, side: Side, options: CallOptions): Promise<string[]> {
  const path = `${workspaceId(side.workspace)}/schedules?listViewType=All`;
  const names: string[] = [];
  for await (const schedule of azure.arm.list(path, apiVersions.machineLearning, options))
    if (isEnabled(schedule)) names.push(schedule.name);
  return names;
}

/** Schedules that a run has stopped, and that are disabled still. */
export interface StoppedIntake {
  run: string;
  schedules: string[];
}

/** Undefined if there are none. Where the region does not answer, they count as disabled. */
export async function stillStopped(
  { azure, store }: Pick<StepContext, 'azure' | 'store'>,
  side: Side,
): Promise<StoppedIntake | undefined> {
  const stopped = await stillShutOut(store, side.region, 'intake');
  if (!stopped || stopped.schedules.length === 0) return undefined;
  const enabled = await enabledSchedules(azure, side, {}).catch((error: unknown): string[] => {
    if (!isUnderstudyError(error)) throw error;
    return [];
  });
  const schedules = stopped.schedules.filter((name) => !enabled.includes(name));
  return schedules.length === 0 ? undefined : { run: stopped.run, schedules };
}

/** Returns what was done, in one line. Disabling twice is disabling once. */
export async function disableSchedules(azure: Azure, side: Side, names: string[], ask: Ask): Promise<string> {
  for (const name of names) await ask((options) => setEnabled(azure, side, name, false, options));
  return names.length === 0 ? 'no schedule was enabled' : `disabled ${names.join(', ')}`;
}

/**
 * For a cancelled run: enables the schedules again that were enabled before, whether this run disabled them or another
 * that paid its debt. If none was disabled, a region that did not answer is not asked again.
 */
export async function startOldIntake({ azure, store, from, now }: StepContext): Promise<string> {
  const schedules = (await stillShutOut(store, from.region, 'intake'))?.schedules ?? [];
  for (const name of schedules) await setEnabled(azure, from, name, true, {});
  await recordRestored(store, from.region, 'intake', now());
  return schedules.length === 0 ? 'no schedule to enable' : `enabled ${schedules.join(', ')} again`;
}
