/**
 * The action `drainJobs`: before a switchover moves, no job of the old side is left unfinished. Each ends by itself, or
 * is cancelled once it has written a checkpoint from which its successor goes on, as the policy `jobs.drain` says.
 * Nothing is owed: a job that does neither in time stops the switchover, unless the policy, or a person, gives it up.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import { endIn, findJob, surveyLate, surveyOf, type Asking, type Survey } from '../fence/cancel-jobs.ts';
import type { StoppedJob } from '../fence/stopped-jobs.ts';
import { submittedAs, toLedgerEntry } from '../ledger/ledger.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { reconcile, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import { wentOnFrom } from '../workspace/jobs/checkpoint.ts';
import { showJob, type RawJob } from '../workspace/jobs/job.ts';
import { drainingOf, type Draining } from './drain-policy.ts';
import { JobEnds, requireNoneRefused, whileItAnswers, window, type Refused } from './job-ends.ts';

/** Milliseconds between two looks: short at first, since a job that has just begun may be about to end. */
const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** How many jobs a message names. */
const mostNamed = 5;

/** A job that is waited for. */
interface Open {
  /** As the list last had it. */
  seen: StoppedJob;
  raw: RawJob;
  until: Draining;
  /** When it was asked for a checkpoint, by the clock of its storage (ISO 8601). */
  askedAt?: string | undefined;
}

/**
 * Returns once no job is unfinished. Idempotent: what an earlier attempt has cancelled, or asked, is not again. Errors:
 * PreconditionError if jobs have not ended in time, or Azure refuses to cancel one; NotYetError while the region does
 * not answer; AzureError.
 */
export async function drainJobs(context: StepContext): Promise<StepResult> {
  // An undo has something to do as soon as the first job is asked.
  await context.recordUndo(() => ({ since: context.now().toISOString() }));
  return whileItAnswers(context, async () => {
    const drain = await Drain.open(context);
    try {
      await drain.settleEarlier();
      await untilNoneIsLeft(drain, context);
    } catch (error) {
      // A person decides: until then nobody waits, and a recovery point must not find requests among checkpoints.
      if (isUnderstudyError(error, 'PreconditionError')) await drain.ends.withdrawAll();
      throw error;
    }
    await drain.ends.withdrawAll();
    return drain.result();
  });
}

async function untilNoneIsLeft(drain: Drain, { topology, acceptedLoss, now }: StepContext): Promise<void> {
  const { afterDeadline } = topology.jobs.drain;
  const { until } = drain;
  for (let pause = firstPauseMs, isWhole = true; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    await drain.look(isWhole);
    const isLate = now().getTime() >= until;
    const givesUp = acceptedLoss !== undefined || (isLate && afterDeadline === 'cancel');
    const ready = givesUp ? drain.open() : await drain.ready();
    // A checkpoint that came at the last moment counts, and so does an end.
    if (isLate && ready.length === 0 && drain.open().length > 0) throw drain.late();
    await drain.cancel(ready);
    if (drain.open().length === 0) {
      // The last look sees all jobs, and finds none: one that was submitted long ago is not on the first pages.
      if (isWhole && ready.length === 0) return;
      isWhole = true;
      continue;
    }
    isWhole = false;
    await drain.say();
    if (ready.length === 0) await drain.wait(Math.min(pause, Math.max(0, until - now().getTime()) + 1));
  }
}

class Drain {
  /** When the waiting began (milliseconds since 1970). A retry by a person waits once more. */
  readonly since: number;
  /** When that is over. */
  readonly until: number;
  readonly ends: JobEnds;
  readonly #policy: StepContext['topology']['jobs']['drain'];
  readonly #context: StepContext;
  readonly #open = new Map<string, Open>();
  #pages: Survey['pages'] = new Map();

  private constructor(context: StepContext, ends: JobEnds) {
    const { since } = (context.cursor ?? {}) as { since?: number };
    this.since = since ?? context.now().getTime();
    this.#policy = context.topology.jobs.drain;
    this.until = this.since + toSeconds(this.#policy.deadline) * 1000;
    this.ends = ends;
    this.#context = context;
  }

  static async open(context: StepContext): Promise<Drain> {
    const drain: Drain = new Drain(context, await JobEnds.open(context, () => drain.say()));
    return drain;
  }

  say(): Promise<void> {
    const done = this.ends.drained + this.ends.byThemselves;
    const left = this.open().filter((name) => !this.ends.hasEnded(name)).length;
    const waitsFor = this.#waitsFor();
    return this.#context.checkpoint({
      unit: 'jobs',
      done,
      total: done + left,
      ...(waitsFor === undefined ? {} : { waitsFor }),
      cursor: { since: this.since },
    });
  }

  #waitsFor(): string | undefined {
    if (this.#open.size === 0) return undefined;
    const { named, more } = this.#nameOpen({
      checkpoint: 'to write a checkpoint',
      end: 'to end',
      cancel: 'to be cancelled',
    });
    const until = new Date(this.until).toISOString().slice(11, 16);
    const then = this.#policy.afterDeadline === 'cancel' ? 'they are cancelled' : 'a person decides';
    return `for ${named}${more > 0 ? `; and for ${more} more` : ''}; until ${until} UTC, then ${then}`;
  }

  /** The first of the open jobs, each with what is said of it by what it is waited for; and how many more there are. */
  #nameOpen(what: Record<Draining, string>): { named: string; more: number } {
    const lines = [...this.#open].map(
      ([name, { seen, until }]) => `${showJob({ name, owner: seen.owner, ...submittedAs(seen) })} ${what[until]}`,
    );
    return { named: lines.slice(0, mostNamed).join('; '), more: Math.max(0, lines.length - mostNamed) };
  }

  /** Meanwhile the leases are renewed: a replication must not come between. */
  async wait(milliseconds: number): Promise<void> {
    const { signal } = this.#context;
    for (const end = performance.now() + milliseconds; ;) {
      const left = end - performance.now();
      if (left <= 0) return;
      await wait(Math.min(left, 1000), undefined, { signal });
      await this.ends.beat();
    }
  }

  open(): string[] {
    return [...this.#open.keys()];
  }

  async settleEarlier(): Promise<void> {
    this.#refuse(await this.ends.settleEarlier());
  }

  /** Finds jobs that came, and those that ended. `isWhole`: looks through the whole list. */
  async look(isWhole: boolean): Promise<void> {
    const asking = this.ends.asking();
    const seen = await surveyOf(asking, new Set(this.open()));
    this.#pages = seen.pages;
    await this.#lookAgain(seen);
    const isKnown = (name: string) => this.#open.has(name) || this.ends.hasEnded(name);
    const late = await surveyLate(asking, isKnown, { isWhole });
    for (const [name, page] of late.pages) this.#pages.set(name, page);
    const came = new Map([...seen.unfinished, ...late.unfinished].filter(([name]) => !isKnown(name)));
    await this.#enter(asking, came);
  }

  async #lookAgain(survey: Survey): Promise<void> {
    const ended = new Map<string, string>();
    for (const [name, open] of this.#open) {
      const now = survey.unfinished.get(name);
      if (!now) ended.set(name, endIn(survey, name));
      else {
        open.seen = now;
        // A person has cancelled it meanwhile: it gets no successor.
        if (now.status === 'CancelRequested') open.until = 'end';
      }
    }
    await this.ends.noteEnds(ended);
    for (const name of ended.keys()) this.#open.delete(name);
  }

  async #enter(asking: Asking, came: ReadonlyMap<string, StoppedJob>): Promise<void> {
    const found = await mapBounded(came, window, async ([name, seen]): Promise<Open | undefined> => {
      await this.ends.beat();
      const job = await findJob(asking, name);
      asking.deadline.progress();
      if (!job || job.isFinished) return undefined;
      const { raw, status } = job;
      // A person has cancelled it, or it ends with the job that it is a part of.
      const endsAnyway = status === 'CancelRequested' || seen.minor === true;
      return { seen, raw, until: endsAnyway ? 'end' : await this.#drainingOf(raw) };
    });
    const entered = found.filter((each) => each !== undefined);
    const toAsk = entered.filter(({ until }) => until === 'checkpoint');
    const askedAt = await this.ends.ask(toAsk.map(({ raw }) => raw));
    for (const open of entered) {
      open.askedAt = askedAt.get(open.raw.name);
      if (open.until === 'checkpoint' && open.askedAt === undefined) open.until = 'end';
      this.#open.set(open.raw.name, open);
    }
  }

  async #drainingOf(raw: RawJob): Promise<Draining> {
    const { topology, from, now } = this.#context;
    const { jobs } = topology;
    // A successor that has written none yet goes on from the one that it was given.
    const given = wentOnFrom(raw, jobs.checkpoint) ? await this.ends.checkpoints.last(raw) : {};
    return drainingOf(
      raw,
      toLedgerEntry({ job: raw, side: from, lastSeenAt: now().toISOString(), spec: '', ...given }),
      jobs,
    );
  }

  /** Names of jobs that may be cancelled now. */
  async ready(): Promise<string[]> {
    const found = await mapBounded(this.#open, window, async ([name, { raw, until, askedAt }]) => {
      if (until === 'cancel') return name;
      if (until !== 'checkpoint' || askedAt === undefined) return undefined;
      await this.ends.beat();
      const { checkpoint } = await this.ends.checkpoints.last(raw);
      return checkpoint?.writtenAt !== undefined && checkpoint.writtenAt >= askedAt ? name : undefined;
    });
    return found.filter((name) => name !== undefined);
  }

  /** Cancels jobs and waits until they have ended. PreconditionError if Azure refuses one. */
  async cancel(names: readonly string[]): Promise<void> {
    const jobs = new Map<string, StoppedJob>();
    for (const name of names) {
      const open = this.#open.get(name);
      if (open) jobs.set(name, open.seen);
    }
    const refused = await this.ends.cancel(jobs, this.#pages);
    for (const name of names) if (!refused.has(name)) this.#open.delete(name);
    this.#refuse(refused);
  }

  #refuse(refused: Refused): void {
    const { from, run } = this.#context;
    requireNoneRefused(refused, from.region, `"understudy retry ${run.runId}"`);
  }

  /** The error that says which jobs have not ended in time. */
  late(): UnderstudyError {
    const { run, from } = this.#context;
    const { named, more } = this.#nameOpen({
      checkpoint: 'has written no checkpoint since it was asked',
      end: 'has not ended',
      cancel: 'has not ended',
    });
    const { deadline } = this.#policy;
    return new UnderstudyError(
      'PreconditionError',
      `${showCount(this.#open.size, 'job')} of ${from.region} did not end within ${deadline} (jobs.drain.deadline): ${named}${more > 0 ? `; and ${more} more` : ''}`,
      {
        next:
          `Wait once more with "understudy retry ${run.runId}"; cancel them, and lose their work since their last checkpoints, ` +
          `with --accept-loss ${this.#context.step.id}; or give the switchover up with "understudy cancel": everything is then as before.`,
      },
    );
  }

  result(): StepResult {
    const { from, now } = this.#context;
    const { drained, byThemselves } = this.ends;
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
