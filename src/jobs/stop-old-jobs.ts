/** Cancels what still runs in the old workspace, where that answers; the rest is owed. */
import { readLedgerSnapshot } from '../artifacts/recovery-point.ts';
import type { Azure, CallOptions } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { settleOrOwe } from '../fence/old-side.ts';
import { reconcile, type Counts, type StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Side } from '../topology/sides.ts';
import { cancelAll, surveyJobs, type Outcome, type Survey } from './cancel-jobs.ts';
import { showJob } from './job.ts';
import { submittedAs, type LedgerEntry } from './ledger.ts';
import {
  keepStopped,
  readCancelled,
  readStopped,
  rememberCancelled,
  type EndedJob,
  type StoppedJob,
} from './stopped-jobs.ts';

export type ReadLedger = (store: ControlStore, ref: RecoveryPointRef) => AsyncIterable<LedgerEntry>;

/** Action `stopOldJobs`. Idempotent: a job that is cancelled or finished is left alone. */
export async function stopOldJobs(
  context: StepContext,
  readLedger: ReadLedger = readLedgerSnapshot,
): Promise<StepResult> {
  const { azure, from, topology } = context;
  let done: { counts: Counts; lost: string[] } | undefined;
  const result = await settleOrOwe(
    context,
    { kind: 'jobs', what: `cancel the unfinished jobs of workspace "${from.workspace.name}"` },
    async (signal) => {
      const ledger = await ownersInLedger(context, readLedger);
      const seen = await surveyJobs(azure, from, { signal }, ledger);
      await remember(context, seen, ledger);
      const names = [...seen.unfinished.keys()];
      const outcome: Outcome = { cancelled: [], ended: {} };
      try {
        await cancelAll(
          {
            azure,
            side: from,
            names,
            options: { signal },
            // Half of the fence's time is for asking.
            patienceMs: (toSeconds(topology.policies.fenceDeadline) * 1000) / 2,
            progress: (count) => context.checkpoint({ unit: 'jobs', done: count, total: names.length }),
          },
          outcome,
        );
      } finally {
        // Also of what was broken off: which jobs have ended is known.
        await rememberOutcome(context, outcome);
      }
      done = { counts: countsOf(outcome, names.length), lost: linesOfUnknown(seen, outcome, ledger) };
      return describe(from, outcome);
    },
  );
  if (!done || result.owed) return result;
  return { ...result, counts: [done.counts], ...(done.lost.length > 0 ? { lost: done.lost } : {}) };
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
  const { unfinished } = await surveyJobs(azure, side, options);
  const outcome: Outcome = { cancelled: [], ended: {} };
  const names = [...unfinished.keys()];
  const progress = () => Promise.resolve();
  await cancelAll({ azure, side, names, options, patienceMs: patienceOfDebtMs, progress }, outcome);
  return describe(side, outcome);
}

/** Owners by name, of the jobs of the fenced side that the plan's recovery point has in its ledger. */
type Owners = Map<string, string | undefined>;

async function ownersInLedger({ store, plan, from }: StepContext, readLedger: ReadLedger): Promise<Owners> {
  const owners: Owners = new Map();
  if (!plan.recoveryPoint) return owners;
  for await (const { name, region, owner } of readLedger(store, plan.recoveryPoint))
    if (region === from.region) owners.set(name, owner);
  return owners;
}

/** Writes down what there is before anything is cancelled. */
async function remember(
  { store, from, run, now }: StepContext,
  { unfinished, finished }: Survey,
  ledger: Owners,
): Promise<void> {
  const seenAt = now().toISOString();
  const [earlier, ours] = [await readCancelled(store, from.region), await readStopped(store, run.runId)];
  const stopped: Record<string, StoppedJob> = {};
  const ended: Record<string, EndedJob> = {};
  for (const [name, job] of unfinished) {
    const byFence = (ours?.stopped[name] ?? earlier[name]) !== undefined;
    // Cancelled by a person: that is how it ends, whoever asks once more.
    if (job.status === 'CancelRequested' && !byFence) ended[name] = { status: job.status, seenAt };
    else stopped[name] = job;
  }
  for (const [name, owner] of ledger) {
    if (unfinished.has(name)) continue;
    const status = finished.get(name) ?? 'gone';
    const known = ours?.stopped[name] ?? earlier[name];
    // What a fence set out to cancel and is canceled now did not end by itself: of an earlier attempt, or of a run that was cancelled.
    if (status !== 'Canceled' || !known) ended[name] = { status, seenAt };
    else {
      const { lineageRoot, hop } = known;
      stopped[name] = {
        status,
        lineageRoot,
        hop,
        ...(owner === undefined ? {} : { owner }),
        canceledAt: seenAt,
      };
    }
  }
  const all = Object.entries(stopped).map(
    ([name, { lineageRoot, hop }]) => [name, { run: run.runId, lineageRoot, hop }] as const,
  );
  await rememberCancelled(store, from.region, Object.fromEntries(all));
  await keepStopped(store, run.runId, { stopped, ended });
}

async function rememberOutcome(
  { store, run, now }: StepContext,
  { cancelled, ended }: Outcome,
): Promise<void> {
  const seenAt = now().toISOString();
  const record = await readStopped(store, run.runId);
  const confirmed = cancelled.flatMap((name) => {
    const job = record?.stopped[name];
    return job ? [[name, { ...job, canceledAt: seenAt }] as const] : [];
  });
  await keepStopped(store, run.runId, {
    stopped: Object.fromEntries(confirmed),
    ended: Object.fromEntries(Object.entries(ended).map(([name, status]) => [name, { status, seenAt }])),
  });
}

function countsOf({ cancelled, ended }: Outcome, expected: number): Counts {
  const byItself = Object.keys(ended).length;
  return reconcile({
    kind: 'old jobs',
    expected,
    done: cancelled.length,
    skipped: byItself === 0 ? [] : [{ reason: 'ended by itself', count: byItself }],
    failed: [],
  });
}

const linesOfLoss = 20;

/** Jobs that were submitted after the recovery point: with them goes all that they did. */
function linesOfUnknown({ unfinished }: Survey, { cancelled }: Outcome, ledger: Owners): string[] {
  const lost = cancelled.flatMap((name) => {
    const job = unfinished.get(name);
    return !job || job.minor || job.status === 'CancelRequested' || ledger.has(name)
      ? []
      : [showJob({ name, owner: job.owner, ...submittedAs(job) })];
  });
  const lines = lost
    .slice(0, linesOfLoss)
    .map((job) => `${job} is not in the recovery point, and the fence cancelled it: submit it again`);
  const more = lost.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more jobs that are not in the recovery point`] : lines;
}

function describe({ workspace }: Side, { cancelled, ended }: Outcome): string {
  const byItself = Object.keys(ended).length;
  const count = cancelled.length;
  if (count + byItself === 0) return `no job was unfinished in workspace "${workspace.name}"`;
  const rest = byItself === 0 ? '' : `, ${byItself} had just ended`;
  return `${count} unfinished ${count === 1 ? 'job' : 'jobs'} of workspace "${workspace.name}" cancelled${rest}`;
}
