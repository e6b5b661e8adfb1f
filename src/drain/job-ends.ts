/**
 * How the jobs that a switchover drains end: it cancels them, records each end, and takes back what it has asked of
 * them. The record outlives an attempt: another one, or the undo, goes on from it.
 */
import { LiveCheckpoints } from '../checkpoints/live-checkpoints.ts';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import { cancelAll, endIn, findJob, gone, surveyOf, type Asking, type Survey } from '../fence/cancel-jobs.ts';
import { FenceDeadline, GaveUp, isUnanswered } from '../fence/fence-deadline.ts';
import { rememberFence, StoppedRecord, type StoppedJob, type StoppedJobs } from '../fence/stopped-jobs.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { everySecond } from '../run/work/every-second.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import type { Side } from '../topology/sides.ts';
import { isFinished, type RawJob } from '../workspace/jobs/job.ts';
import { noteAsked, readAsked } from './asked-jobs.ts';

/** How many jobs are read, asked or compared concurrently. */
export const window = 16;

/** The jobs that Azure refuses to cancel, and why. */
export type Refused = ReadonlyMap<string, string>;

/**
 * Does work on the old side that must not be owed. Errors: NotYetError while the region does not answer; otherwise
 * those of `work`.
 */
export async function whileItAnswers<T>({ signal, from }: StepContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted || !(error instanceof GaveUp || isUnanswered(error))) throw error;
    throw new UnderstudyError('NotYetError', `${from.region} does not answer about its jobs: ${messageOf(error)}`, {
      next: `It is tried again by itself. If ${from.region} is out, fail over: "understudy failover" ends this run.`,
      cause: error,
    });
  }
}

/** What a request about the jobs of a side needs; with a deadline of its own. */
export function askingOf({ azure, signal, topology }: StepContext, side: Side, beat: () => Promise<void>): Asking {
  const limitMs = toSeconds(topology.policies.fenceDeadline) * 1000;
  return { azure, side, deadline: new FenceDeadline({ signal, limitMs }), beat };
}

/** PreconditionError if there is one. `again`: the command that goes on once it is cancelled by hand. */
export function requireNoneRefused(refused: Refused, region: string, again: string): void {
  const [first] = refused;
  if (!first) return;
  throw new UnderstudyError(
    'PreconditionError',
    `${showCount(refused.size, 'job')} of ${region} cannot be cancelled, such as "${first[0]}": ${first[1]}`,
    { next: `Cancel it by hand, or allow it, then ${again}.` },
  );
}

interface Opened {
  context: StepContext;
  record: StoppedRecord;
  asked: readonly string[];
  checkpoints: LiveCheckpoints;
  beat: () => Promise<void>;
}

/** The jobs of one run that end for its drain. */
export class JobEnds {
  readonly checkpoints: LiveCheckpoints;
  readonly beat: () => Promise<void>;
  readonly #context: StepContext;
  readonly #record: StoppedRecord;
  /** Jobs whose request is not taken back. */
  readonly #asked: Set<string>;

  private constructor({ context, record, asked, checkpoints, beat }: Opened) {
    this.#context = context;
    this.#record = record;
    this.#asked = new Set(asked);
    this.checkpoints = checkpoints;
    this.beat = everySecond(beat);
  }

  /** `beat`: reports progress. Errors: PreconditionError if the workspace does not exist; AzureUnavailable. */
  static async open(context: StepContext, beat: () => Promise<void>): Promise<JobEnds> {
    const { store, run, from } = context;
    const record = await StoppedRecord.open(store, run.runId);
    const asked = await readAsked(store, run.runId);
    return new JobEnds({ context, record, asked, checkpoints: await LiveCheckpoints.open(context, from), beat });
  }

  /** How many jobs the run has cancelled, or set out to. */
  get drained(): number {
    return this.#drained().length;
  }

  /** How many jobs had ended by themselves. */
  get byThemselves(): number {
    return Object.keys(this.#record.ended).length;
  }

  hasEnded(name: string): boolean {
    return this.#record.stopped[name]?.canceledAt !== undefined || this.#record.ended[name] !== undefined;
  }

  /** What a request to the old side needs; with a deadline of its own. */
  asking(): Asking {
    return askingOf(this.#context, this.#context.from, this.beat);
  }

  /**
   * Asks jobs for a checkpoint. Returns when each was asked, by the clock of its storage (ISO 8601); a job that cannot
   * be asked is not in it.
   */
  async ask(jobs: readonly RawJob[]): Promise<ReadonlyMap<string, string>> {
    const { store, run } = this.#context;
    const names = jobs.map(({ name }) => name);
    await noteAsked(store, run.runId, names);
    for (const name of names) this.#asked.add(name);
    const askedAt = new Map<string, string>();
    await forEachBounded(jobs, window, async (job) => {
      await this.beat();
      const at = await this.checkpoints.ask(job);
      if (at !== undefined) askedAt.set(job.name, at);
    });
    return askedAt;
  }

  /** Takes every request back; of a job that has ended unseen, also of an earlier attempt, it records that. */
  async withdrawAll(): Promise<void> {
    const asking = this.asking();
    const ended = new Map<string, string>();
    await forEachBounded([...this.#asked], window, async (name) => {
      await this.beat();
      const job = await findJob(asking, name);
      asking.deadline.progress();
      if (job) await this.checkpoints.withdraw(job.raw);
      if (job?.isFinished !== false && !this.hasEnded(name)) ended.set(name, job?.status ?? gone);
      this.#asked.delete(name);
    });
    await this.noteEnds(ended);
  }

  /**
   * Ends what an earlier attempt set out to cancel, and has not seen end: whether Azure had accepted that cannot be
   * told.
   */
  async settleEarlier(): Promise<Refused> {
    const names = this.#drained().filter((name) => !this.hasEnded(name));
    if (names.length === 0) return new Map();
    const seen = await surveyOf(this.asking(), new Set(names));
    const { unfinished, pages } = seen;
    const ended = names.filter((name) => !unfinished.has(name));
    await this.noteEnds(new Map(ended.map((name) => [name, endIn(seen, name)])));
    return this.#cancelAndWait(
      [...unfinished.keys()].filter((name) => names.includes(name)),
      pages,
    );
  }

  /** Cancels jobs, and returns once they have ended, but for those that Azure refuses to cancel. */
  async cancel(jobs: ReadonlyMap<string, StoppedJob>, pages: Survey['pages']): Promise<Refused> {
    if (jobs.size === 0) return new Map();
    const { store, from, run } = this.#context;
    const stopped = Object.fromEntries([...jobs].map(([name, job]) => [name, { ...job, drained: true as const }]));
    await rememberFence(store, from.region, run.runId);
    await this.#record.add({ stopped, ended: {} });
    return this.#cancelAndWait([...jobs.keys()], pages);
  }

  async #cancelAndWait(names: readonly string[], pages: Survey['pages']): Promise<Refused> {
    const seen = new Map<string, string>();
    const ended = (name: string, status: string) => void seen.set(name, status);
    try {
      return await cancelAll({ ...this.asking(), names, pages, waitForAll: true, ended });
    } finally {
      // Also if it was interrupted: which jobs have ended is known.
      await this.noteEnds(seen);
    }
  }

  /** Records jobs with the status in which they ended: by themselves, unless this run has set out to cancel them. */
  async noteEnds(statuses: ReadonlyMap<string, string>): Promise<void> {
    const at = this.#context.now().toISOString();
    const seen: StoppedJobs = { stopped: {}, ended: {} };
    for (const [name, status] of statuses) {
      const job = this.#record.stopped[name];
      // Completed: it was faster than the cancel.
      if (!job || status === 'Completed' || !isFinished(status)) seen.ended[name] = { status, seenAt: at };
      else seen.stopped[name] = { ...job, canceledAt: at, ...(status === 'Canceled' ? {} : { endedAs: status }) };
    }
    await this.#record.add(seen);
  }

  #drained(): string[] {
    const { stopped, ended } = this.#record;
    return Object.keys(stopped).filter((name) => stopped[name]?.drained && !ended[name]);
  }
}
