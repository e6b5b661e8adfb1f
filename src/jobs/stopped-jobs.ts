/** What the fences of runs saw of the old jobs and did to them, as the control store remembers it. */
import type { ControlStore } from '../control-store/store.ts';

/** An unfinished job that a fence set out to cancel, as it was before that. */
export interface StoppedJob {
  status: string;
  lineageRoot: string;
  hop: number;
  owner?: string;
  /** A part of another job, or a smoke job of ours: gone, it is nobody's loss. */
  minor?: true;
  /** ISO 8601: when it was seen canceled. Absent: it was asked to end, and nobody has seen that it did. */
  canceledAt?: string;
}

/** A job of the ledger that had ended by itself. */
export interface EndedJob {
  /** `gone`: the old workspace answered, and had no such job. */
  status: string;
  /** ISO 8601: when the fence saw it. Azure does not say when a job ended. */
  seenAt: string;
}

/** What the fence of one run found of the old jobs. */
export interface StoppedJobs {
  /** By name; written before the first is cancelled. */
  stopped: Record<string, StoppedJob>;
  ended: Record<string, EndedJob>;
}

/** What a fence knows of one job of the ledger. `unseen`: the old side did not answer, or not for long enough. */
export type Sight =
  | { saw: 'unseen' }
  | ({ saw: 'ended' } & EndedJob)
  | { saw: 'cancelled'; at: string }
  /** It was asked to end, and may run on all the same. */
  | { saw: 'asked' };

const recordName = (runId: string) => `runs/${runId}/stopped-jobs.json`;
const cancelledName = (region: string) => `fence/${region}/cancelled-jobs.json`;

/** A job of a region that the fence of some run set out to cancel: the last run whose fence saw it. */
export interface CancelledJob extends Pick<StoppedJob, 'lineageRoot' | 'hop'> {
  run: string;
}

/** What the fence of this run has written down, if it could look at all. */
export async function readStopped(store: ControlStore, runId: string): Promise<StoppedJobs | undefined> {
  return (await store.read<StoppedJobs>(recordName(runId)))?.value;
}

/** By name: jobs of a region that fences have set out to cancel. */
export async function readCancelled(
  store: ControlStore,
  region: string,
): Promise<Record<string, CancelledJob>> {
  return (await store.read<Record<string, CancelledJob>>(cancelledName(region)))?.value ?? {};
}

/** What the fence of this run knows of each job of the old workspace. */
export async function sightsOf(store: ControlStore, runId: string): Promise<(name: string) => Sight> {
  const record = await readStopped(store, runId);
  return (name) => {
    const ended = record?.ended[name];
    if (ended) return { saw: 'ended', ...ended };
    const stopped = record?.stopped[name];
    if (!stopped) return { saw: 'unseen' };
    return stopped.canceledAt === undefined ? { saw: 'asked' } : { saw: 'cancelled', at: stopped.canceledAt };
  };
}

/**
 * Writes what this fence sets out to cancel into the list of all fences, before the first is cancelled: to a later run these jobs have
 * not ended by themselves. Answers what the list said before.
 */
export async function rememberCancelled(
  store: ControlStore,
  region: string,
  jobs: Record<string, CancelledJob>,
): Promise<Record<string, CancelledJob>> {
  for (;;) {
    const found = await store.read<Record<string, CancelledJob>>(cancelledName(region));
    const before = found?.value ?? {};
    // A job that an earlier fence cancelled, and that this one found so, is from now on this run's to account for.
    if (Object.entries(jobs).every(([name, { run }]) => before[name]?.run === run)) return before;
    if (await store.swap(cancelledName(region), { ...before, ...jobs }, found?.etag)) return before;
  }
}

/** Adds to what an earlier attempt of the same fence wrote. */
export async function keepStopped(
  store: ControlStore,
  runId: string,
  seen: StoppedJobs,
): Promise<StoppedJobs> {
  for (;;) {
    const found = await store.read<StoppedJobs>(recordName(runId));
    const before = found?.value ?? { stopped: {}, ended: {} };
    const stopped = { ...before.stopped };
    for (const [name, job] of Object.entries(seen.stopped)) {
      const known = before.stopped[name];
      // Its status before it was asked to end is the first that was seen.
      stopped[name] = known ? { ...known, ...(job.canceledAt ? { canceledAt: job.canceledAt } : {}) } : job;
    }
    const record = { stopped, ended: { ...before.ended, ...seen.ended } };
    if (await store.swap(recordName(runId), record, found?.etag)) return record;
  }
}
