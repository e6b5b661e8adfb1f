/**
 * The action `drainJobs`: before a switchover moves, no job of the old side is left unfinished. Each ends by itself, or
 * is cancelled once it has written a checkpoint from which its successor goes on, as the policy `jobs.drain` says.
 * Nothing is owed: a job that does neither in time stops the switchover, unless the policy, or a person, gives it up.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { LiveCheckpoints } from '../checkpoints/live-checkpoints.ts';
import { UnderstudyError } from '../errors/error.ts';
import { cancelAll, findJob, surveyLate, surveyOf, type Asking, type Survey } from '../fence/cancel-jobs.ts';
import { FenceDeadline, GaveUp } from '../fence/fence-deadline.ts';
import { rememberFence, StoppedRecord, type StoppedJob } from '../fence/stopped-jobs.ts';
import { submittedAs, toLedgerEntry } from '../ledger/ledger.ts';
import { everySecond } from '../run/work/every-second.ts';
import { reconcile, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import { isFinished, showJob, type RawJob } from '../workspace/jobs/job.ts';
import { drainingOf, type Draining } from './drain-policy.ts';

/** Milliseconds between two looks: short at first, since a job that has just begun may be about to end. */
const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** How many jobs a message names. */
const named = 5;

/** A job that is waited for. */
interface Open {
  seen: StoppedJob;
  raw: RawJob;
  until: Draining;
  /** When it was asked for a checkpoint, by the clock of its storage (ISO 8601). */
  askedAt?: string | undefined;
}

/**
 * Returns once no job is unfinished. Idempotent: what an earlier attempt has cancelled, or asked, is not again.
 * Errors: PreconditionError if jobs have not ended in time, or Azure refuses to cancel one; NotYetError while the region
 * does not answer; AzureUnavailable, AzureError.
 */
export async function drainJobs(context: StepContext): Promise<StepResult> {
  const { topology, now, signal, from } = context;
  const { deadline, afterDeadline } = topology.jobs.drain;
  // An undo has something to do as soon as the first job is asked.
  await context.recordUndo(() => ({ since: now().toISOString() }));
  const drain = await Drain.open(context);
  const until = drain.since + toSeconds(deadline) * 1000;
  const givesUp = afterDeadline === 'cancel' || context.acceptedLoss !== undefined;
  try {
    await drain.settleEarlier();
    for (let pause = firstPauseMs, isWhole = true; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
      await drain.look(isWhole);
      const isLate = now().getTime() >= until;
      if (isLate && !givesUp) throw drain.late(deadline);
      const ready = isLate || context.acceptedLoss !== undefined ? drain.open() : await drain.ready();
      await drain.cancel(ready);
      if (drain.open().length === 0) {
        // The last look sees all jobs, and finds none: one that was submitted long ago is not on the first pages.
        if (isWhole && ready.length === 0) break;
        isWhole = true;
        continue;
      }
      isWhole = false;
      await drain.say();
      if (ready.length === 0)
        await wait(Math.min(pause, Math.max(0, until - now().getTime()) + 1), undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof GaveUp)) throw error;
    throw new UnderstudyError('NotYetError', `${from.region} does not answer about its jobs: ${error.message}`, {
      next: `It is tried again by itself. If ${from.region} is out, fail over: "understudy failover" ends this run.`,
    });
  }
  return drain.result();
}

class Drain {
  /** When the waiting began (milliseconds since 1970). A retry by a person waits once more. */
  readonly since: number;
  readonly #context: StepContext;
  readonly #record: StoppedRecord;
  readonly #checkpoints: LiveCheckpoints;
  readonly #open = new Map<string, Open>();
  /** Names of jobs that ended by themselves, or of which a person has asked for the end. */
  readonly #byThemselves = new Set<string>();
  readonly #refused = new Map<string, string>();
  readonly #beat: () => Promise<void>;
  #pages: Survey['pages'] = new Map();

  private constructor(context: StepContext, record: StoppedRecord, checkpoints: LiveCheckpoints) {
    const { since } = (context.cursor ?? {}) as { since?: number };
    this.since = since ?? context.now().getTime();
    this.#context = context;
    this.#record = record;
    this.#checkpoints = checkpoints;
    this.#beat = everySecond(() => this.say());
  }

  static async open(context: StepContext): Promise<Drain> {
    const { store, run, from } = context;
    const record = await StoppedRecord.open(store, run.runId);
    return new Drain(context, record, await LiveCheckpoints.open(context, from));
  }

  say(): Promise<void> {
    const done = this.#drained().length + this.#byThemselves.size;
    return this.#context.checkpoint({
      unit: 'jobs',
      done,
      total: done + this.#open.size,
      cursor: { since: this.since },
    });
  }

  open(): string[] {
    return [...this.#open.keys()];
  }

  /** What an earlier attempt set out to cancel, and has not seen end. */
  async settleEarlier(): Promise<void> {
    const names = this.#drained().filter((name) => this.#record.stopped[name]?.canceledAt === undefined);
    if (names.length === 0) return;
    const { finished, unfinished, pages } = await surveyOf(this.#asking(), new Set(names));
    for (const name of names) if (!unfinished.has(name)) await this.#noteEnd(name, finished.get(name) ?? 'gone');
    this.#pages = pages;
    await this.#cancelAndWait(names.filter((name) => unfinished.has(name)));
  }

  /** Finds jobs that came, and those that ended. `isWhole`: looks through the whole list. */
  async look(isWhole: boolean): Promise<void> {
    const asking = this.#asking();
    const known = new Set(this.open());
    const seen = await surveyOf(asking, known);
    this.#pages = seen.pages;
    for (const name of known) {
      if (seen.unfinished.has(name)) continue;
      await this.#withdraw(name);
      this.#open.delete(name);
      this.#byThemselves.add(name);
    }
    const isKnown = (name: string) => this.#open.has(name) || this.#isSettled(name);
    const late = await surveyLate(asking, isKnown, { isWhole });
    for (const [name, job] of [...seen.unfinished, ...late.unfinished])
      if (!isKnown(name)) await this.#enter(asking, name, job);
    for (const [name, page] of late.pages) this.#pages.set(name, page);
  }

  #isSettled(name: string): boolean {
    return this.#record.stopped[name]?.canceledAt !== undefined;
  }

  async #enter(asking: Asking, name: string, seen: StoppedJob): Promise<void> {
    const { topology, from, now } = this.#context;
    const found = await findJob(asking, name);
    if (!found || found.isFinished) return;
    const raw = found.raw;
    const entry = toLedgerEntry({ job: raw, side: from, lastSeenAt: now().toISOString(), spec: '' });
    // A person has cancelled it, or it ends with the job that it is a part of.
    const endsAnyway = found.status === 'CancelRequested' || seen.minor === true;
    const until = endsAnyway ? 'end' : drainingOf(raw, entry, topology.jobs);
    const open: Open = { seen, raw, until };
    if (until === 'checkpoint') open.askedAt = await this.#checkpoints.ask(raw);
    this.#open.set(name, open);
  }

  /** Names of jobs that may be cancelled now. */
  async ready(): Promise<string[]> {
    const ready: string[] = [];
    for (const [name, { raw, until, askedAt }] of this.#open) {
      if (until === 'cancel') ready.push(name);
      if (until !== 'checkpoint' || askedAt === undefined) continue;
      await this.#beat();
      const { checkpoint } = await this.#checkpoints.last(raw);
      if (checkpoint?.writtenAt !== undefined && checkpoint.writtenAt >= askedAt) ready.push(name);
    }
    return ready;
  }

  /** Cancels jobs and waits until they have ended. PreconditionError if Azure refuses one. */
  async cancel(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { store, from, run } = this.#context;
    const stopped = Object.fromEntries(
      names.flatMap((name) => {
        const open = this.#open.get(name);
        return open ? [[name, { ...open.seen, drained: true as const }]] : [];
      }),
    );
    await rememberFence(store, from.region, run.runId);
    await this.#record.add({ stopped, ended: {} });
    await this.#cancelAndWait(names);
  }

  async #cancelAndWait(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const ended: [name: string, status: string][] = [];
    const asked = { ...this.#asking(), names, pages: this.#pages, waitForAll: true };
    try {
      const refused = await cancelAll({ ...asked, ended: (name, status) => void ended.push([name, status]) });
      for (const each of refused) this.#refused.set(...each);
    } finally {
      for (const [name, status] of ended) await this.#noteEnd(name, status);
    }
    const [first] = this.#refused;
    if (first)
      throw new UnderstudyError(
        'PreconditionError',
        `${showCount(this.#refused.size, 'job')} of ${this.#context.from.region} cannot be cancelled, such as "${first[0]}": ${first[1]}`,
        { next: `Cancel it by hand, or allow it, then "understudy retry ${this.#context.run.runId}".` },
      );
  }

  async #noteEnd(name: string, status: string): Promise<void> {
    const at = this.#context.now().toISOString();
    const job = this.#record.stopped[name];
    await this.#withdraw(name);
    this.#open.delete(name);
    // It had ended by itself just before the cancel reached it.
    if (status === 'Completed' || !isFinished(status)) {
      this.#byThemselves.add(name);
      await this.#record.add({ stopped: {}, ended: { [name]: { status, seenAt: at } } });
    } else if (job) {
      const endedAs = status === 'Canceled' ? {} : { endedAs: status };
      await this.#record.add({ stopped: { [name]: { ...job, canceledAt: at, ...endedAs } }, ended: {} });
    }
  }

  async #withdraw(name: string): Promise<void> {
    const open = this.#open.get(name);
    if (open?.askedAt !== undefined) await this.#checkpoints.withdraw(open.raw);
  }

  #drained(): string[] {
    const { stopped, ended } = this.#record;
    return Object.keys(stopped).filter((name) => stopped[name]?.drained && !ended[name]);
  }

  #asking(): Asking {
    const { azure, from, signal, topology } = this.#context;
    const limitMs = toSeconds(topology.policies.fenceDeadline) * 1000;
    return { azure, side: from, deadline: new FenceDeadline({ signal, limitMs }), beat: this.#beat };
  }

  /** The error that says which jobs have not ended in time. */
  late(deadline: string): UnderstudyError {
    const { run, from } = this.#context;
    const what = {
      checkpoint: 'has written no checkpoint since it was asked',
      end: 'has not ended',
      cancel: 'has not ended',
    };
    const lines = [...this.#open].map(([name, { seen, until }]) => {
      return `${showJob({ name, owner: seen.owner, ...submittedAs(seen) })} ${what[until]}`;
    });
    const more = lines.length > named ? `; and ${lines.length - named} more` : '';
    return new UnderstudyError(
      'PreconditionError',
      `${showCount(lines.length, 'job')} of ${from.region} did not end within ${deadline} (jobs.drain.deadline): ${lines.slice(0, named).join('; ')}${more}`,
      {
        next:
          `Wait once more with "understudy retry ${run.runId}"; cancel them, and lose their work since their last checkpoints, ` +
          `with --accept-loss ${this.#context.step.id}; or give the switchover up with "understudy cancel": everything is then as before.`,
      },
    );
  }

  result(): StepResult {
    const { from, now } = this.#context;
    const drained = this.#drained().length;
    const byThemselves = this.#byThemselves.size;
    const expected = drained + byThemselves;
    if (expected === 0) return { state: 'completed', detail: `no job was unfinished in ${from.region}` };
    const took = showDuration(now().getTime() - this.since);
    return {
      state: 'completed',
      detail: `${drained} of ${showCount(expected, 'job')} of ${from.region} cancelled, for a successor; ${byThemselves} ended; in ${took}`,
      counts: [
        reconcile({
          kind: 'jobs drained',
          expected,
          done: drained,
          skipped: byThemselves > 0 ? [{ reason: 'ended by itself', count: byThemselves }] : [],
          failed: [],
        }),
      ],
      facts: { drained },
    };
  }
}
