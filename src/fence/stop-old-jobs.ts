/** Cancels what still runs in the old workspace, if that answers; the rest is owed. */
import { readLedgerSnapshot } from '../recovery-point/recovery-point.ts';
import type { Azure, CallOptions } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { owe, pay } from './old-side.ts';
import { fenceBegan, GaveUp, isRefusal, FenceDeadline, fenceDeadlineOf } from './fence-deadline.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Side } from '../topology/sides.ts';
import { answersStill, cancelAll, surveyLate, surveyOf, type Asking, type Survey } from './cancel-jobs.ts';
import { everySecond } from '../run/work/every-second.ts';
import { showJob } from '../workspace/jobs/job.ts';
import { cameBack, ledgerName, submittedAs, type LedgerEntry } from '../ledger/ledger.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { StopNotes, type Owners } from './stop-notes.ts';
import type { StoppingEnd } from './stopped-jobs.ts';
import { byUrgency } from '../ledger/urgency.ts';
import { untilIntakeIsStopped } from './watch-fence.ts';

export type ReadLedger = (store: ControlStore, ref: RecoveryPointRef) => AsyncIterable<LedgerEntry>;

/**
 * Action `stopOldJobs`. Idempotent: a job that is cancelled or finished stays as it is. Only the resumption of the jobs
 * waits for it, job by job: it reads what this step records while it still runs.
 */
export async function stopOldJobs(
  context: StepContext,
  readLedger: ReadLedger = readLedgerSnapshot,
): Promise<StepResult> {
  const { from, store } = context;
  const notes = await StopNotes.open(context);
  const work = await begin(context, readLedger, notes);
  const end = await stopAll(context, work);
  await work.finish(end);
  const owed = end.as === 'silent' ? 'the region does not answer' : 'their end is not confirmed';
  const found: Pick<StepResult, 'counts' | 'lost'> = {
    ...(work.seen ? { counts: [notes.counts(owed)] } : {}),
    ...linesOfUnknown(notes, work.ledger),
  };
  if (end.as === 'silent' || end.as === 'unconfirmed') {
    const what = `cancel the unfinished jobs of workspace "${from.workspace.name}"`;
    return { ...(await owe(context, { kind: 'jobs', what, reason: end.reason })), ...found };
  }
  await pay(store, { region: from.region, kind: 'jobs' }, context.now());
  return { state: 'completed', detail: end.reason, ...found };
}

interface Work {
  deadline: FenceDeadline;
  ledger: Owners;
  notes: StopNotes;
  beat: () => Promise<void>;
  finish: (end: StoppingEnd) => Promise<void>;
  seen?: Survey;
}

async function begin(context: StepContext, readLedger: ReadLedger, notes: StopNotes): Promise<Work> {
  const { topology } = context;
  const ledger = await ownersInLedger(context, readLedger);
  const since = await fenceBegan(context);
  const { progressAt, heard, spentMs } = await notes.begin(since);
  const endsInMs = toSeconds(topology.policies.jobStopDeadline) * 1000 - spentMs;
  const deadline = await fenceDeadlineOf(context, { progressAt, heard, endsInMs });
  const work: Work = {
    deadline,
    ledger,
    notes,
    beat: everySecond(async () => {
      await context.checkpoint({ unit: 'jobs', ...notes.progress(work.seen !== undefined) });
      await notes.flushIfDue(deadline);
    }),
    async finish(end) {
      // An execution that has lost its lease must not record how it ended.
      await context.checkpoint({ unit: 'jobs', ...notes.progress(true) });
      await notes.end(end);
    },
  };
  return work;
}

/** Errors: those that are neither the region's refusal nor its silence. */
async function stopAll(context: StepContext, work: Work): Promise<StoppingEnd> {
  const { azure, from: side, signal } = context;
  const { notes, deadline, beat } = work;
  const asking = { azure, side, deadline, beat };
  try {
    const refused = await cancelKnown(asking, work);
    for (const each of await cancelOthers(asking, context, work)) refused.set(...each);
    await notes.flush(deadline);
    const [first] = refused;
    if (!first) return { as: 'stopped', reason: describe(side, notes.count()) };
    const reason = `${refused.size} jobs of workspace "${side.workspace.name}" are not cancelled, such as "${first[0]}": ${first[1]}`;
    return { as: 'unconfirmed', reason };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof GaveUp) {
      // A region that accepts no cancellation but lists its jobs is not silent: they still run.
      const requestMs = toSeconds(context.topology.policies.requestTimeout) * 1000;
      const isSilent = error.isSilent && !(await answersStill(asking, requestMs));
      return { as: isSilent ? 'silent' : 'unconfirmed', reason: error.message };
    }
    if (!isRefusal(error)) throw error;
    return error.details.azure?.status === 404
      ? { as: 'gone', reason: `workspace "${side.workspace.name}" is gone, and its jobs with it` }
      : { as: 'unconfirmed', reason: messageOf(error) };
  } finally {
    // Also if it was interrupted: which jobs have ended is known.
    await notes.flush(deadline);
  }
}

/** The jobs that Azure refuses to cancel, and why. */
type Refused = Map<string, string>;

/** First what can be resumed elsewhere, and what an earlier attempt set out to cancel. */
async function cancelKnown(asking: Asking, work: Work): Promise<Refused> {
  const { ledger, notes } = work;
  const seen = await surveyOf(asking, new Set([...ledger.keys(), ...notes.open()]));
  await notes.remember(seen, ledger);
  work.seen = seen;
  return cancelSeen(asking, work, seen);
}

/**
 * How many times jobs are cancelled that were submitted meanwhile: there is no waiting for somebody who keeps
 * submitting.
 */
const rounds = 3;

/** Then all others: what was submitted since the recovery point, and what still is, until the intake is stopped. */
async function cancelOthers(asking: Asking, context: StepContext, work: Work): Promise<Refused> {
  const { notes } = work;
  const refused: Refused = new Map();
  const look = (isWhole: boolean) => surveyLate(asking, (name) => notes.knows(name), { isWhole });
  let late = await look(true);
  let isIntakeStopped = false;
  for (let round = 1; ;) {
    if (late.unfinished.size === 0) {
      if (isIntakeStopped) return refused;
      await untilIntakeIsStopped(context);
      isIntakeStopped = true;
    } else {
      if (round++ > rounds) break;
      await notes.rememberLate(late);
      for (const each of await cancelSeen(asking, work, late)) refused.set(...each);
    }
    late = await look(false);
  }
  for (const name of late.unfinished.keys())
    refused.set(name, 'it was submitted while the others were being stopped, and more kept coming');
  return refused;
}

function cancelSeen(asking: Asking, { ledger, notes }: Work, seen: Survey): Promise<Refused> {
  const ended = (name: string, status: string) => notes.noteEnd(name, status);
  return cancelAll({ ...asking, names: inOrder(seen, ledger), pages: seen.pages, ended, waitForAll: true });
}

/** First those that will be resumed, in that order; parts of other jobs last. */
function inOrder({ unfinished }: Survey, ledger: Owners): string[] {
  const known = [...ledger.keys()].filter((name) => unfinished.has(name));
  const others = [...unfinished].filter(([name]) => !ledger.has(name));
  const [minor, major] = [true, undefined].map((is) => others.filter(([, job]) => job.minor === is));
  return [...known, ...[...(major ?? []), ...(minor ?? [])].map(([name]) => name)];
}

/** How long paying a debt waits for jobs to end: those that have not ended then stay owed. */
const patienceOfDebtMs = 10_000;

/**
 * Cancels every unfinished job of a workspace and returns what was done, in one line. Errors: AzureUnavailable while
 * the workspace does not answer, NotYetError while jobs are still ending; AzureError, CredentialError if it refuses.
 */
export async function cancelUnfinishedJobs(
  azure: Azure,
  side: Side,
  {
    signal = new AbortController().signal,
    beat = () => Promise.resolve(),
  }: Pick<CallOptions, 'signal'> & Partial<Pick<Asking, 'beat'>> = {},
): Promise<string> {
  const deadline = new FenceDeadline({ signal, limitMs: patienceOfDebtMs, isHasty: true });
  const asking = { azure, side, deadline, beat };
  const { unfinished, pages } = await surveyLate(asking, () => false, { isWhole: true });
  const names = [...unfinished.keys()];
  const counted = { done: 0, byItself: 0 };
  const ended = (_name: string, status: string) => void (status === 'Canceled' ? counted.done++ : counted.byItself++);
  try {
    const refused = await cancelAll({ ...asking, names, pages, ended, waitForAll: false });
    const [first] = refused;
    if (first) throw new UnderstudyError('AzureError', `job "${first[0]}": ${first[1]}`);
  } catch (error) {
    throw error instanceof GaveUp ? new UnderstudyError('NotYetError', error.message) : error;
  }
  return describe(side, counted);
}

/** In the order in which they are resumed. */
async function ownersInLedger(context: StepContext, readLedger: ReadLedger): Promise<Owners> {
  const { store, from, topology } = context;
  const point = await recoveryPointOf(context);
  if (!point) return new Map();
  const entries: LedgerEntry[] = [];
  for await (const entry of readLedger(store, point)) if (entry.region === from.region) entries.push(entry);
  const later = await laterJobs(store, entries);
  return new Map(
    byUrgency(entries, topology.jobs).flatMap(({ name, owner }) => {
      const since = later.get(name);
      return [[name, owner], ...(since === undefined ? [] : [[since, owner] as [string, string | undefined]])];
    }),
  );
}

/**
 * By name of a job: the later job of its lineage in its own region, which may have been submitted since the listing.
 */
async function laterJobs(store: ControlStore, entries: readonly LedgerEntry[]): Promise<Map<string, string>> {
  const documents = new Set<string>();
  for await (const name of store.list('ledger/')) documents.add(name);
  const known = entries.filter(({ lineageRoot }) => documents.has(ledgerName(lineageRoot)));
  const found = await mapBounded(known, window, (entry) => cameBack(store, entry));
  return new Map(known.flatMap(({ name }, index) => (found[index] ? [[name, found[index].name]] : [])));
}

const window = 16;

const linesOfLoss = 20;

/** Jobs that were submitted after the recovery point: everything they did is lost. */
function linesOfUnknown(notes: StopNotes, ledger: Owners): Pick<StepResult, 'lost'> {
  const lost = notes.notIn(ledger).map(([name, job]) => showJob({ name, owner: job.owner, ...submittedAs(job) }));
  if (lost.length === 0) return {};
  const lines = lost
    .slice(0, linesOfLoss)
    .map((job) => `${job} is not in the recovery point, and the fence cancelled it: submit it again`);
  const more = lost.length - lines.length;
  return { lost: more > 0 ? [...lines, `and ${more} more jobs that are not in the recovery point`] : lines };
}

function describe(
  { workspace }: Side,
  { done, failed = 0, byItself }: { done: number; failed?: number; byItself: number },
): string {
  if (done + byItself === 0) return `no job was unfinished in workspace "${workspace.name}"`;
  const how = failed === 0 ? '' : ` (${failed} failed first, since they could write no more)`;
  const rest = byItself === 0 ? '' : `, ${byItself} had just ended`;
  return `${done} unfinished ${done === 1 ? 'job' : 'jobs'} of workspace "${workspace.name}" cancelled${how}${rest}`;
}
