/**
 * The action `resubmitFound`: jobs that only the region that was left had, and that the move knew nothing of. They go on
 * there once it is the writer again.
 */
import { UnderstudyError } from '../../errors/error.ts';
import type { OldJobState } from '../../fence/stopped-jobs.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import { mergeOfRun } from '../../merge/decide-merge.ts';
import { isJob, leaveBehind, Selection } from '../../merge/selection.ts';
import { openByRef, readLedger } from '../../recovery-point/recovery-point.ts';
import { mapBounded } from '../../run/work/bounded.ts';
import type { StepResult } from '../../run/work/outcome.ts';
import type { StepContext } from '../../run/work/step-context.ts';
import { azureJobs } from '../../workspace/jobs/azure-jobs.ts';
import { isFinished, statusOf, type RawJob } from '../../workspace/jobs/job.ts';
import { aboutJob, type JobRecord } from '../job-record.ts';
import { resubmitInPlace, type InterruptedJob } from './resubmit-in-place.ts';
import { ResubmittedJobs } from '../resubmitted-jobs.ts';

/** How many jobs are read concurrently. */
const window = 16;

/** Idempotent. Errors: those of `resubmitInPlace`; RecoveryPointError. */
export async function resubmitFound(context: StepContext): Promise<StepResult> {
  const { store, azure, to, signal } = context;
  const merge = await mergeOfRun(context);
  if (!merge) throw new UnderstudyError('ControlStoreError', 'the run has decided no merge');
  const wanted = new Set(merge.items.filter((each) => isJob(each) && !leaveBehind(each)).map(({ item }) => item));
  if (wanted.size === 0) return { state: 'skipped', detail: `no job was submitted in ${to.region} alone` };
  const found = await openByRef(store, merge.divergence);
  const entries: LedgerEntry[] = [];
  for await (const entry of readLedger(store, found)) if (wanted.has(`jobs/${entry.name}`)) entries.push(entry);
  const jobs = azureJobs(azure.arm, to.workspace);
  const looked = await mapBounded(entries, window, async (entry) => {
    await context.checkpoint({ unit: 'jobs', done: 0, total: entries.length });
    const raw = (await jobs.find(entry.name, { signal }))?.raw;
    return { entry, raw };
  });
  const selection = await Selection.open(store, found.sealed, merge.items);
  const evidence = new ResubmittedJobs(context, entries.length);
  const gone = looked.flatMap(({ entry, raw }) => (raw ? [] : [recordOfGone(entry)]));
  const interrupted = looked.flatMap(({ entry, raw }) => (raw ? [interruptedOf(entry, raw, context.now())] : []));
  const records = await resubmitInPlace(context, to, interrupted, selection.versions);
  await evidence.add([...gone, ...records], 1);
  return evidence.tally.result(entries.length, to.region);
}

function recordOfGone(entry: LedgerEntry): JobRecord {
  const reason = 'it is gone since the region was found';
  return { ...aboutJob(entry), class: 'manual', outcome: 'skipped', reason, group: reason };
}

function interruptedOf({ status, lastSeenAt }: LedgerEntry, raw: RawJob, now: Date): InterruptedJob {
  return { raw, status, lastSeenAt, old: stateOf(statusOf(raw), lastSeenAt, now.toISOString()) };
}

/** It was cancelled when the region was made a standby; or was left to end. */
function stateOf(status: string, lastSeenAt: string, seenAt: string): OldJobState {
  if (status === 'Canceled') return { is: 'interrupted', endedAs: status, seenAt, lastSeenAt };
  if (isFinished(status)) return { is: 'ended', status, seenAt };
  return { is: 'unconfirmed', reason: `it is ${status}` };
}
