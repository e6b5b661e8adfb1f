/** Cancels what still runs in the old workspace, where that answers; the rest is owed. */
import { setTimeout as wait } from 'node:timers/promises';
import { readLedgerSnapshot } from '../artifacts/recovery-point.ts';
import { apiVersions, type Azure, type CallOptions } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { settleOrOwe } from '../fence/old-side.ts';
import { reconcile, type Counts, type StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { toSeconds } from '../topology/duration.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { isFinished, statusOf } from './job.ts';
import type { LedgerEntry, Settlement } from './ledger.ts';

export type ReadLedger = (store: ControlStore, ref: RecoveryPointRef) => AsyncIterable<LedgerEntry>;

/** What the fence of a run found of the old jobs; kept in the control store, for the same run's resubmission. */
interface StoppedJobs {
  /** Jobs that this run set out to cancel: written before the first is cancelled. */
  toCancel: string[];
  /** Jobs of the ledger that had ended by themselves: name → status. */
  ended: Record<string, string>;
}

const recordName = (runId: string) => `runs/${runId}/stopped-jobs.json`;
/** Names of all jobs of a region that the fence of any run set out to cancel. */
const cancelledName = (region: string) => `fence/${region}/cancelled-jobs.json`;

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
      const earlier = await rememberCancelled(store, from.region, seen.toCancel);
      const record = await keep(store, run.runId, seen, earlier);
      const outcome = await cancelAll({
        azure,
        side: from,
        names: seen.toCancel,
        options: { signal },
        // Half of the fence's time is for asking.
        patienceMs: (toSeconds(context.topology.policies.fenceDeadline) * 1000) / 2,
        progress: (done) => context.checkpoint({ unit: 'jobs', done, total: seen.toCancel.length }),
      });
      await keep(store, run.runId, { toCancel: record.toCancel, ended: outcome.ended });
      counts = countsOf(outcome, seen.toCancel.length);
      return describe(from, outcome);
    },
  );
  return counts && !result.owed ? { ...result, counts: [counts] } : result;
}

/** How long the payment of a debt waits for jobs to end: what has not ended then is owed a while longer. */
const patienceOfDebtMs = 10_000;

/**
 * Cancels every unfinished job of a workspace and says what was done. Errors: AzureUnavailable while the workspace does
 * not answer, NotYetError while jobs are still ending; AzureError, CredentialError where it refuses.
 */
export async function cancelUnfinishedJobs(
  azure: Azure,
  side: Side,
  options: CallOptions = {},
): Promise<string> {
  const { toCancel } = await survey(azure, side, new Set(), options);
  const progress = () => Promise.resolve();
  return describe(
    side,
    await cancelAll({ azure, side, names: toCancel, options, patienceMs: patienceOfDebtMs, progress }),
  );
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
 * Answers the names that earlier fences wrote, and adds to them before the first job is cancelled. A failover that was cancelled has
 * cancelled jobs: to the next one they have not ended by themselves, and are resumed.
 */
async function rememberCancelled(
  store: ControlStore,
  region: string,
  names: readonly string[],
): Promise<Set<string>> {
  for (;;) {
    const found = await store.read<string[]>(cancelledName(region));
    const before = new Set(found?.value);
    if (names.every((name) => before.has(name))) return before;
    const all = [...new Set([...before, ...names])].toSorted();
    if (await store.swap(cancelledName(region), all, found?.etag)) return before;
  }
}

/**
 * Adds to what an earlier attempt wrote. A job that an earlier attempt, or the fence of an `earlier` run, set out to cancel and that
 * is now canceled did not end by itself.
 */
async function keep(
  store: ControlStore,
  runId: string,
  seen: StoppedJobs,
  earlier: ReadonlySet<string> = new Set(),
): Promise<StoppedJobs> {
  for (;;) {
    const found = await store.read<StoppedJobs>(recordName(runId));
    const ours = new Set(found?.value.toCancel);
    const cancelled = Object.keys(seen.ended).filter((name) => seen.ended[name] === 'Canceled');
    for (const name of cancelled) if (earlier.has(name)) ours.add(name);
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

interface CancelAll {
  azure: Azure;
  side: Side;
  names: string[];
  options: CallOptions;
  /** How long the jobs may take to end once all are asked to. */
  patienceMs: number;
  progress: (done: number) => Promise<void>;
}

/** Requests side by side; the client paces itself below the subscription's limits. */
const window = 50;

/**
 * Asks all to end, then waits until they have: Azure's answer comes before its effect.
 * Errors: NotYetError when some are still ending.
 */
async function cancelAll({ azure, side, names, options, patienceMs, progress }: CancelAll): Promise<Outcome> {
  const outcome: Outcome = { cancelled: 0, ended: {} };
  for (let at = 0; at < names.length; at += window) {
    await progress(0);
    await Promise.all(names.slice(at, at + window).map((name) => askToEnd(azure, side, name, options)));
  }
  const until = Date.now() + patienceMs;
  for (let left = names, pause = 250; ; pause = Math.min(pause * 1.5, 5000)) {
    left = await stillEnding({ azure, side, names: left, options }, outcome);
    await progress(names.length - left.length);
    if (left.length === 0) return outcome;
    if (Date.now() > until) {
      const what = `${left.length} of ${names.length} jobs of workspace "${side.workspace.name}"`;
      throw new UnderstudyError('NotYetError', `${what} are still being cancelled, such as "${left[0]}"`);
    }
    await wait(pause, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Looks at each job once; those that have ended are counted. */
async function stillEnding(
  { azure, side, names, options }: Pick<CancelAll, 'azure' | 'side' | 'names' | 'options'>,
  outcome: Outcome,
): Promise<string[]> {
  const left: string[] = [];
  for (let at = 0; at < names.length; at += window) {
    const batch = names.slice(at, at + window);
    const jobs = await Promise.all(
      batch.map((name) => azure.arm.find(pathOf(side, name), apiVersions.machineLearning, options)),
    );
    for (const [index, job] of jobs.entries()) {
      const name = batch[index] ?? '';
      const status = job ? statusOf(job) : 'deleted';
      if (job && !isFinished(status)) left.push(name);
      else if (status === 'Canceled') outcome.cancelled++;
      else outcome.ended[name] = status;
    }
  }
  return left;
}

/** A job that ends at this very moment can no longer be cancelled: Azure refuses, and the job says how it ended. */
async function askToEnd({ arm }: Azure, side: Side, name: string, options: CallOptions): Promise<void> {
  try {
    await arm.post(`${pathOf(side, name)}/cancel`, apiVersions.machineLearning, undefined, options);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    const job = await arm.find(pathOf(side, name), apiVersions.machineLearning, options);
    if (job && !isFinished(statusOf(job))) throw error;
  }
}

function pathOf({ workspace }: Side, name: string): string {
  return `${workspaceId(workspace)}/jobs/${name}`;
}

function countsOf({ cancelled, ended }: Outcome, expected: number): Counts {
  const byItself = Object.keys(ended).length;
  return reconcile({
    kind: 'old jobs',
    expected,
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
