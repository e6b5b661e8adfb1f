/**
 * What a run has stopped on the old side before it takes its last recovery point: the point has it as it was before,
 * for the standby to go on with.
 */
import type { ControlStore } from '../control-store/store.ts';
import { stillShutOut } from './shut-out-record.ts';
import { drainedBy } from './stopped-jobs.ts';

/**
 * Jobs that it set out to cancel, with their status before, and schedules that were enabled. Whether a job was seen to
 * end does not matter: a drain that a person gave up has not waited for that.
 */
export interface StoppedByRun {
  jobs: ReadonlyMap<string, { status: string }>;
  schedules: ReadonlySet<string>;
}

/** Nothing, for a run that stops nothing. Errors: AzureUnavailable, ControlStoreError. */
export async function stoppedByRun(
  store: ControlStore,
  { run, region }: { run: string; region: string },
): Promise<StoppedByRun> {
  const intake = await stillShutOut(store, region, 'intake');
  return {
    jobs: await drainedBy(store, run),
    schedules: new Set(intake?.run === run ? intake.schedules : []),
  };
}
