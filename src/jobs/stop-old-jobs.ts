/** Cancels what still runs in the old workspace, where that answers; the rest is owed. */
import { readLedgerSnapshot } from '../artifacts/recovery-point.ts';
import { apiVersions, type Azure, type CallOptions } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { settleOrOwe } from '../fence/old-side.ts';
import { reconcile, type Counts, type StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { isFinished, statusOf } from './job.ts';
import type { LedgerEntry, Settlement } from './ledger.ts';

export type ReadLedger = (store: ControlStore, ref: RecoveryPointRef) => AsyncIterable<LedgerEntry>;

/** What the fence of a run found of the old jobs; kept in the control store, for the same run's resubmission. */
export interface StoppedJobs {
  /** Jobs that this run set out to cancel: written before the first is cancelled. */
  toCancel: string[];
  /** Jobs of the ledger that had ended by themselves: name → status. */
  ended: Record<string, string>;
}

const recordName = (runId: string) => `runs/${runId}/stopped-jobs.json`;

/** Action `stopOldJobs`. Idempotent: a job that is cancelled or finished is left alone. */
export async function stopOldJobs(
  context: StepContext,
  readLedger: ReadLedger = readLedgerSnapshot,
): Promise<StepResult> {
  const { azure, from, store, run } = context;
  let counts: Counts | undefined;
  const result = await settleOrOwe(
    context,
    { kind: 'jobs', what: `cancel the unfinished jobs of workspace "${from.workspace.name}"` },
    async (signal) => {
      const names = await namesInLedger(context, readLedger);
      const seen = await survey(azure, from, names, { signal });
      const record = await keep(store, run.runId, seen);
      const outcome = await cancelAll(azure, from, seen.toCancel, { signal }, (done) =>
        context.checkpoint({ unit: 'jobs', done, total: seen.toCancel.length }),
      );
      await keep(store, run.runId, { toCancel: record.toCancel, ended: outcome.ended });
      counts = countsOf(outcome);
      return describe(from, outcome);
    },
  );
  return counts && !result.owed ? { ...result, counts: [counts] } : result;
}

/**
 * Cancels every unfinished job of a workspace and says what was done. Errors: AzureUnavailable while the workspace does
 * not answer; AzureError, CredentialError where it refuses.
 */
export async function cancelUnfinishedJobs(
  azure: Azure,
  side: Side,
  options: CallOptions = {},
): Promise<string> {
  const { toCancel } = await survey(azure, side, new Set(), options);
  return describe(side, await cancelAll(azure, side, toCancel, options));
}

/** How the job of this name in the old workspace was settled, as far as the fence could see. */
export async function settlements(
  store: ControlStore,
  runId: string,
): Promise<(name: string) => Settlement['as']> {
  const record = (await store.read<StoppedJobs>(recordName(runId)))?.value;
  const cancelled = new Set(record?.toCancel);
  return (name) => (record && name in record.ended ? 'finished' : cancelled.has(name) ? 'cancelled' : 'lost');
}

/** The status in which a job of the old workspace ended by itself, if the fence saw that. */
export async function endedJobs(store: ControlStore, runId: string): Promise<Record<string, string>> {
  return (await store.read<StoppedJobs>(recordName(runId)))?.value.ended ?? {};
}

async function namesInLedger({ store, plan }: StepContext, readLedger: ReadLedger): Promise<Set<string>> {
  const names = new Set<string>();
  if (!plan.recoveryPoint) return names;
  for await (const entry of readLedger(store, plan.recoveryPoint)) names.add(entry.name);
  return names;
}

async function survey(
  azure: Azure,
  side: Side,
  ledger: Set<string>,
  options: CallOptions,
): Promise<StoppedJobs> {
  const seen: StoppedJobs = { toCancel: [], ended: {} };
  const jobs = `${workspaceId(side.workspace)}/jobs?listViewType=All`;
  for await (const job of azure.arm.list(jobs, apiVersions.machineLearning, options)) {
    const status = statusOf(job);
    if (!isFinished(status)) seen.toCancel.push(job.name);
    else if (ledger.has(job.name)) seen.ended[job.name] = status;
  }
  return seen;
}

/**
 * Adds to what an earlier attempt wrote. A job that an earlier attempt set out to cancel and that is now canceled did not
 * end by itself.
 */
async function keep(store: ControlStore, runId: string, seen: StoppedJobs): Promise<StoppedJobs> {
  for (;;) {
    const found = await store.read<StoppedJobs>(recordName(runId));
    const ours = new Set(found?.value.toCancel);
    const ended = Object.entries(seen.ended).filter(
      ([name, status]) => status !== 'Canceled' || !ours.has(name),
    );
    const record: StoppedJobs = {
      toCancel: [...new Set([...ours, ...seen.toCancel])].toSorted(),
      ended: { ...found?.value.ended, ...Object.fromEntries(ended) },
    };
    if (await store.swap(recordName(runId), record, found?.etag)) return record;
  }
}

interface Outcome {
  cancelled: number;
  /** Ended by themselves just before: name → status. */
  ended: Record<string, string>;
}

/** Each cancellation is waited for, so a few go side by side. */
const window = 8;

async function cancelAll(
  azure: Azure,
  side: Side,
  names: string[],
  options: CallOptions,
  progress: (done: number) => Promise<void> = () => Promise.resolve(),
): Promise<Outcome> {
  const outcome: Outcome = { cancelled: 0, ended: {} };
  for (let at = 0; at < names.length; at += window) {
    await progress(at);
    const batch = names.slice(at, at + window);
    const states = await Promise.all(batch.map((name) => cancelOne(azure, side, name, options)));
    for (const [index, status] of states.entries()) {
      if (status === undefined) outcome.cancelled++;
      else outcome.ended[batch[index] ?? ''] = status;
    }
  }
  return outcome;
}

/** Undefined when it is cancelled; the status in which it ended by itself, where that came first. */
async function cancelOne(
  { arm }: Azure,
  side: Side,
  name: string,
  options: CallOptions,
): Promise<string | undefined> {
  const path = `${workspaceId(side.workspace)}/jobs/${name}`;
  try {
    await arm.post(`${path}/cancel`, apiVersions.machineLearning, undefined, options);
    return undefined;
  } catch (error) {
    // A job that ends at this very moment can no longer be cancelled: Azure refuses, and the job says how it ended.
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    const job = await arm.find(path, apiVersions.machineLearning, options);
    const status = job ? statusOf(job) : 'deleted';
    if (job && !isFinished(status)) throw error;
    return status === 'Canceled' ? undefined : status;
  }
}

function countsOf({ cancelled, ended }: Outcome): Counts {
  const byItself = Object.keys(ended).length;
  return reconcile({
    kind: 'old jobs',
    expected: cancelled + byItself,
    done: cancelled,
    skipped: byItself === 0 ? [] : [{ reason: 'ended by itself', count: byItself }],
    failed: [],
  });
}

function describe({ workspace }: Side, { cancelled, ended }: Outcome): string {
  const byItself = Object.keys(ended).length;
  if (cancelled + byItself === 0) return `no job was unfinished in workspace "${workspace.name}"`;
  const rest = byItself === 0 ? '' : `, ${byItself} had just ended`;
  return `${cancelled} unfinished ${cancelled === 1 ? 'job' : 'jobs'} of workspace "${workspace.name}" cancelled${rest}`;
}
