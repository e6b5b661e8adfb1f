/** Decides which successor of a job to submit, by its ledger and by what the standby has. */
import type { OldJobState } from '../fence/stopped-jobs.ts';
import { cameBack, planSuccessor, type LedgerEntry, type Successor } from '../ledger/ledger.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import type { Classification } from './classify.ts';
import type { JobRecord } from './job-record.ts';
import { settlementOf } from './settlement.ts';

/**
 * The later job of a lineage in the job's own region: it has left the region and come back, or was resubmitted there.
 * Undefined if there is none.
 */
export async function laterJob(entry: LedgerEntry, { store, to }: StepContext): Promise<Successor | undefined> {
  return entry.region === to.region ? undefined : cameBack(store, entry);
}

/**
 * The decision about a job that a later job of its lineage replaces, and of which the recovery point has that one too.
 */
export function replacedBy(later: Successor, entry: LedgerEntry): Classification {
  const group = 'an earlier job of its lineage';
  const reason = `an earlier job of its lineage, which came back to ${entry.region} as "${later.name}"`;
  return later.state === 'planned'
    ? { class: 'manual', group, reason: `${reason}, and that was never submitted` }
    : { class: 'skip', group, reason };
}

/** `before`: the job of this name, if it exists already. */
export type NextSuccessor =
  | { successor: Successor; before: RawJob | undefined }
  | { ended: Pick<JobRecord, 'class' | 'outcome' | 'reason' | 'group' | 'new'> };

/**
 * Plans the successor in the ledger. A successor that an earlier run submitted may have ended since. If a person
 * cancelled it, the next hop is planned.
 * Errors: those of `planSuccessor`; AzureUnavailable, AzureError.
 */
export async function nextSuccessor(
  entry: LedgerEntry,
  old: OldJobState,
  context: StepContext,
  jobs: Pick<AzureJobs, 'find'>,
): Promise<NextSuccessor> {
  const run = context.run.runId;
  const plan = { entry, to: context.to.region, run };
  const settled = settlementOf(old, entry, context);
  const successor = await planSuccessor(context.store, { ...plan, settled });
  const find = async (name: string) => jobs.find(name, { signal: context.signal });
  const before = await find(successor.name);
  const isEarlier = before !== undefined && successor.run !== run;
  const status = isEarlier ? before.status : 'Unknown';
  const isCancelled = status === 'Canceled' || status === 'CancelRequested';
  if (!(isEarlier && before.isFinished) && !isCancelled) return { successor, before: before?.raw };
  const reason = `its successor "${successor.name}", which run ${successor.run} had submitted, is ${status}`;
  const ended = { reason, new: successor.name, outcome: 'skipped' } as const;
  if (status === 'Completed') return { ended: { ...ended, class: 'skip', group: successorCompleted } };
  if (!isCancelled) return { ended: { ...ended, class: 'manual', group: 'its successor failed' } };
  const at = context.now().toISOString();
  const next = await planSuccessor(context.store, {
    ...plan,
    settled: { as: 'cancelled', at, reason },
    ended: successor.hop,
  });
  return { successor: next, before: (await find(next.name))?.raw };
}

/** The group of jobs whose work was completed by a successor of an earlier run. */
export const successorCompleted = 'its successor completed';
