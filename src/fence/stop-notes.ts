/** What the fence of a run records about the old jobs: before the first is cancelled, and as they end. */
import type { FenceDeadline } from './fence-deadline.ts';
import { readStep } from '../run/journal.ts';
import { reconcile, type Counts } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { endIn, type Survey } from './cancel-jobs.ts';
import {
  beginStopping,
  changeStopping,
  readCancelled,
  readFences,
  rememberFence,
  StoppedRecord,
  type EndedJob,
  type StoppedJob,
  type StoppedJobs,
  type Stopping,
  type StoppingEnd,
} from './stopped-jobs.ts';

/** Owners by name of the jobs of the fenced side that the ledger of the plan's recovery point has. */
export type Owners = ReadonlyMap<string, string | undefined>;

type Context = Pick<StepContext, 'store' | 'run' | 'from' | 'now' | 'step'>;

/** The minimum number of jobs for a write, and how long a write may wait. */
const dueJobs = 100;
const dueMs = 5000;

/** The record that one attempt of `stopOldJobs` writes, in batches. */
export class StopNotes {
  readonly #context: Context;
  readonly #record: StoppedRecord;
  #attempt = 1;
  #pending: StoppedJobs = { stopped: {}, ended: {} };
  #pendingJobs = 0;
  #writtenAt = performance.now();
  readonly #beganAt = performance.now();
  #spentBeforeMs = 0;

  private constructor(context: Context, record: StoppedRecord) {
    this.#context = context;
    this.#record = record;
  }

  static async open(context: Context): Promise<StopNotes> {
    return new StopNotes(context, await StoppedRecord.open(context.store, context.run.runId));
  }

  /** `since`: when the fence began. Returns how far it has come, over all attempts. */
  async begin(since: string): Promise<Stopping> {
    const { store, run, from, step } = this.#context;
    this.#attempt = (await readStep(store, run.runId, step.id))?.attempts ?? 1;
    const first = { region: from.region, progressAt: since, attempt: this.#attempt };
    const before = await beginStopping(store, run.runId, first);
    this.#spentBeforeMs = before.spentMs;
    return before;
  }

  #change(change: Partial<Stopping>): Promise<void> {
    const { store, run } = this.#context;
    return changeStopping(store, run.runId, this.#attempt, change);
  }

  /** Jobs that an earlier attempt cancelled, and that nobody has seen end. */
  open(): string[] {
    const { stopped, ended } = this.#record;
    return Object.keys(stopped).filter((name) => stopped[name]?.canceledAt === undefined && !ended[name]);
  }

  /** Records the jobs before anything is cancelled. */
  async remember(seen: Survey, ledger: Owners): Promise<void> {
    const { now } = this.#context;
    for (const name of this.open()) if (!seen.unfinished.has(name)) this.noteEnd(name, endIn(seen, name));
    const seenAt = now().toISOString();
    const earlier = await this.#earlier(seen, ledger);
    const { stopped, ended } = this.#toEnd(seen.unfinished, earlier);
    for (const [name, owner] of ledger) {
      if (seen.unfinished.has(name) || this.knows(name)) continue;
      const status = endIn(seen, name);
      const known = earlier[name];
      // A job that a fence set out to cancel, and that is Canceled now, did not end by itself: the fence of a cancelled
      // run did it.
      if (status !== 'Canceled' || !known) ended[name] = { status, seenAt };
      else {
        const { lineageRoot, hop } = known;
        const of = owner === undefined ? {} : { owner };
        stopped[name] = { status, lineageRoot, hop, ...of, canceledAt: seenAt };
      }
    }
    await this.#write({ stopped, ended });
    await this.#change({ found: seen.unfinished.size });
  }

  /** As `remember`, for jobs that nobody resumes. */
  async rememberLate(seen: Survey): Promise<void> {
    await this.#write(this.#toEnd(seen.unfinished, await this.#earlier(seen, new Map())));
  }

  knows(name: string): boolean {
    return this.#record.stopped[name] !== undefined || this.#record.ended[name] !== undefined;
  }

  #toEnd(unfinished: Survey['unfinished'], earlier: Record<string, unknown>): StoppedJobs {
    const seenAt = this.#context.now().toISOString();
    const stopped: Record<string, StoppedJob> = {};
    const ended: Record<string, EndedJob> = {};
    for (const [name, job] of unfinished) {
      if (this.knows(name)) continue;
      // A person cancelled it: that is how it ends, even if the fence cancels it again.
      if (job.status === 'CancelRequested' && !earlier[name]) ended[name] = { status: job.status, seenAt };
      else stopped[name] = job;
    }
    return { stopped, ended };
  }

  async #write(seen: StoppedJobs): Promise<void> {
    const { store, from, run } = this.#context;
    if (Object.keys(seen.stopped).length > 0) await rememberFence(store, from.region, run.runId);
    await this.#record.add(seen);
  }

  /** What earlier fences have cancelled; read only if it matters. */
  async #earlier(seen: Survey, ledger: Owners): ReturnType<typeof readCancelled> {
    const { store, run, from } = this.#context;
    const matters =
      [...seen.unfinished.values()].some(({ status }) => status === 'CancelRequested') ||
      [...ledger.keys()].some((name) => seen.finished.get(name) === 'Canceled');
    if (!matters) return {};
    const fences = await readFences(store, from.region);
    return readCancelled(
      store,
      fences.filter((each) => each !== run.runId),
    );
  }

  /** A job has ended. It is recorded together with others; see `flush`. */
  noteEnd(name: string, status: string): void {
    const at = this.#context.now().toISOString();
    const job = this.#record.stopped[name];
    // A person had cancelled it: that is recorded already.
    if (!job) return;
    if (status === 'Canceled') this.#pending.stopped[name] = { ...job, canceledAt: at };
    // The fence has removed its write access: it did not fail by itself.
    else if (status === 'Failed') this.#pending.stopped[name] = { ...job, canceledAt: at, endedAs: status };
    else this.#pending.ended[name] = { status, seenAt: at };
    this.#pendingJobs += 1;
  }

  async flushIfDue(deadline: FenceDeadline): Promise<void> {
    if (this.#pendingJobs >= dueJobs || performance.now() - this.#writtenAt >= dueMs) await this.flush(deadline);
  }

  async flush({ quietMs, heard }: FenceDeadline): Promise<void> {
    const pending = this.#pending;
    this.#pending = { stopped: {}, ended: {} };
    this.#pendingJobs = 0;
    this.#writtenAt = performance.now();
    await this.#record.add(pending);
    const at = this.#context.now().getTime();
    await this.#change({
      heard,
      spentMs: Math.round(this.#spentBeforeMs + performance.now() - this.#beganAt),
      ...(quietMs === undefined ? {} : { progressAt: new Date(at - quietMs).toISOString() }),
    });
  }

  async end(end: StoppingEnd): Promise<void> {
    await this.#change({ end });
  }

  /** How many have ended, and of how many, once all are known. */
  progress(areAllKnown: boolean): { done: number; total?: number } {
    const { done, byItself, byPerson, open } = this.count();
    return {
      done: done + byItself,
      ...(areAllKnown ? { total: done + byItself + byPerson + open } : {}),
    };
  }

  /** All jobs that the fence set out to end, over all attempts. `failed`: a part of `done`. */
  count(): { done: number; failed: number; byItself: number; byPerson: number; open: number } {
    const counted = { done: 0, failed: 0, byItself: 0, byPerson: 0, open: 0 };
    const { stopped, ended } = this.#record;
    for (const [name, { status, canceledAt, endedAs, drained }] of Object.entries(stopped)) {
      if (status === 'Canceled' || drained) continue; // by an earlier fence, or an earlier step
      if (ended[name]) counted.byItself += 1;
      else if (canceledAt === undefined) counted.open += 1;
      else {
        counted.done += 1;
        if (endedAs !== undefined) counted.failed += 1;
      }
    }
    for (const [name, { status }] of Object.entries(ended))
      if (status === 'CancelRequested' && !stopped[name]) counted.byPerson += 1;
    return counted;
  }

  /** `owed`: the reason for the jobs that have not ended. */
  counts(owed: string): Counts {
    const { done, byItself, byPerson, open } = this.count();
    const skipped = [
      { reason: 'ended by itself', count: byItself },
      { reason: 'a person had cancelled it', count: byPerson },
      { reason: `owed: ${owed}`, count: open },
    ].filter(({ count }) => count > 0);
    const expected = done + byItself + byPerson + open;
    return reconcile({ kind: 'old jobs', expected, done, skipped, failed: [] });
  }

  /** Jobs of people that the fence has cancelled, and that the recovery point does not have. */
  notIn(ledger: Owners): [name: string, job: StoppedJob][] {
    return Object.entries(this.#record.stopped).filter(
      ([name, { canceledAt, minor, status }]) =>
        canceledAt !== undefined &&
        !minor &&
        status !== 'Canceled' &&
        status !== 'CancelRequested' &&
        !ledger.has(name) &&
        !this.#record.ended[name],
    );
  }
}
