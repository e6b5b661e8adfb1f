/**
 * Jobs that a fence cancelled for a run that was then cancelled itself: they run nowhere, and nothing replaces them by
 * itself.
 */
import { mapBounded } from '../run/work/bounded.ts';
import { readLedgerSnapshot } from '../recovery-point/recovery-point.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Plan, RecoveryPointRef } from '../plan/plan.ts';
import { readRun } from '../run/journal.ts';
import { resumeTag, showJob, statusOf, type NamedJob, type RawJob } from '../workspace/jobs/job.ts';
import { lastSuccessor, submittedAs, type LedgerEntry, type Successor } from '../ledger/ledger.ts';
import { readCancelled, readFences, StoppedRecord, type StoppedJob } from './stopped-jobs.ts';

const window = 16;

/**
 * For an active region: names of the jobs, and the run whose fence cancelled each. Jobs whose successor was submitted
 * are left out. Errors: AzureUnavailable, ControlStoreError.
 */
export async function jobsLeftCancelled(store: ControlStore, region: string): Promise<Record<string, string>> {
  const runs = await readFences(store, region);
  const states = await mapBounded(runs, window, async (run) => (await readRun(store, run))?.state);
  const first = states.indexOf('cancelled');
  if (first < 0) return {};
  const cancelledRuns = new Set(runs.filter((_, index) => states[index] === 'cancelled'));
  // If a later fence has seen a job, that fence accounts for it.
  const jobs = Object.entries(await readCancelled(store, runs.slice(first)));
  const candidates = jobs.filter(([, { run }]) => cancelledRuns.has(run));
  const successors = await mapBounded(candidates, window, ([, job]) => lastSuccessor(store, job));
  // A successor that was planned and never submitted runs nowhere either.
  const isReplaced = (index: number) => (successors[index]?.state ?? 'planned') !== 'planned';
  return Object.fromEntries(
    candidates.flatMap(([name, { run }], index) => (isReplaced(index) ? [] : [[name, run] as const])),
  );
}

/** The run that left this job cancelled; undefined for a job that still runs, or ended otherwise. */
export function leftCancelledBy(job: RawJob, left: Readonly<Record<string, string>>): string | undefined {
  const status = statusOf(job);
  return status === 'Canceled' || status === 'CancelRequested' ? left[job.name] : undefined;
}

/** What to do with such a job that a recovery point found. */
export function lineOfLeftCancelled(job: NamedJob, run: string): string {
  return (
    `${showJob(job)} was cancelled by the fence of run ${run}, which was cancelled itself, and runs nowhere: ` +
    `submit it again if it has not been since, then give it the tag ${resumeTag}: never`
  );
}

/** A job that a cancelled run has left in another state than before. */
export interface TouchedJob extends NamedJob {
  /** Before the fence, or at the recovery point. */
  status: string;
  /** Name of the successor that the run submitted, or was about to. */
  successor?: string;
  situation: string;
  /** What a person has to do, as the end of a sentence. */
  action: string;
  /** The situation and the action, in one line. */
  reason: string;
  /** It may run in both regions until a person ends one of the two. */
  twice: boolean;
}

/** A run that was cancelled. */
interface CancelledRun {
  runId: string;
  plan: Plan;
  /** The recovery point from which it resumed jobs: of its plan, or sealed by itself. */
  point: RecoveryPointRef | undefined;
  /** Whether it began to. */
  resumed: boolean;
}

/**
 * All jobs that a cancelled run has cancelled on the old side, or submitted in the standby: nothing undoes that.
 * Errors: AzureUnavailable, ControlStoreError, RecoveryPointError.
 */
export async function jobsTouched(
  store: ControlStore,
  { runId, plan, point, resumed }: CancelledRun,
): Promise<TouchedJob[]> {
  const { stopped } = await StoppedRecord.open(store, runId);
  const known = new Map<string, Known>(Object.entries(stopped));
  // Only a run that reached phase `resume` has submitted anything; the fence may have seen none of the ledger's jobs.
  if (resumed && point) {
    for await (const entry of readLedgerSnapshot(store, point))
      if (!known.has(entry.name)) known.set(entry.name, { ...entry, unseen: true });
  }
  const jobs = [...known].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const successors = await mapBounded(jobs, window, async ([, job]) => {
    const last = await lastSuccessor(store, job);
    return last?.run === runId ? last : undefined;
  });
  return jobs.flatMap(([name, job], index) => {
    const left = leftOf(job, plan, successors[index]);
    if (left === undefined) return [];
    const successor = successors[index]?.name;
    return [
      {
        name,
        ...submittedAs(job),
        status: job.status,
        ...(job.owner === undefined ? {} : { owner: job.owner }),
        ...(successor === undefined ? {} : { successor }),
        ...left,
        reason: `${left.situation}: ${left.action}`,
      },
    ];
  });
}

type Known = Pick<StoppedJob, 'status' | 'lineageRoot' | 'hop' | 'canceledAt' | 'minor'> &
  Pick<LedgerEntry, 'owner'> & {
    /** The fence did not see it. */
    unseen?: true;
  };

function leftOf(
  { canceledAt, minor, unseen }: Known,
  { from, to }: Plan,
  successor: Successor | undefined,
): Pick<TouchedJob, 'situation' | 'action' | 'twice'> | undefined {
  if (minor) return undefined;
  // The undo has given it a successor where it ran.
  if (successor?.region === from && successor.state !== 'planned') return undefined;
  // A run that is cancelled between a submission and its record has submitted all the same.
  const there =
    successor?.state === 'planned'
      ? `its successor "${successor.name}" may have been submitted in ${to}`
      : `its successor "${successor?.name}" was submitted in ${to} and is not cancelled`;
  const hasEnded = canceledAt !== undefined;
  if (unseen)
    return (
      successor && {
        situation: `it may run on in ${from}, and ${there}`,
        action: 'cancel the successor, or the job runs twice',
        twice: true,
      }
    );
  const cancelled = hasEnded
    ? 'the fence cancelled it'
    : 'the fence set out to cancel it, and has not seen that it ended';
  if (successor)
    return {
      situation: `${cancelled}, and ${there}`,
      action: hasEnded
        ? `leave it, or cancel it and submit the job again in ${from}`
        : `see whether the job runs on in ${from}, and cancel the successor if it does, or the job runs twice`,
      twice: !hasEnded,
    };
  return hasEnded
    ? { situation: `${cancelled}, and it runs nowhere`, action: `submit it again in ${from}`, twice: false }
    : {
        situation: cancelled,
        action: `see whether it runs on in ${from}, and submit it again there if not`,
        twice: false,
      };
}
