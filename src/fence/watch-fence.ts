/**
 * What the fence of this run knows of the old jobs while it still stops them: a job can be resubmitted as soon as its
 * own end is known, and waits for no other.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ActionName } from '../plan/actions.ts';
import { readStep } from '../run/journal.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { isDone } from '../plan/run-states.ts';
import { toSeconds } from '../topology/duration.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { readStopping, StoppedRecord, type OldJobState, type StoppingEnd } from './stopped-jobs.ts';

const pauseMs = 1000;

/** Reads, again and again, what the fence of this run has recorded. */
export class FenceWatch {
  readonly #context: StepContext;
  readonly #record: StoppedRecord;
  /** Id of the step that stops the jobs; a plan without one has nothing to wait for. */
  readonly step: string | undefined;
  #end: StoppingEnd | undefined;
  /** The step has ended without recording the end of every job. */
  #hasFailed = false;

  private constructor(context: StepContext, record: StoppedRecord) {
    this.#context = context;
    this.#record = record;
    this.step = stepOf(context, 'stopOldJobs');
  }

  static async open(context: StepContext): Promise<FenceWatch> {
    const { store, run } = context;
    const watch = new FenceWatch(context, await StoppedRecord.open(store, run.runId));
    await watch.look();
    return watch;
  }

  /** Nothing more will be known of the jobs. */
  get isOver(): boolean {
    return this.step === undefined || this.#end !== undefined || this.#hasFailed;
  }

  async look(): Promise<void> {
    if (this.#end) return;
    const { store, run } = this.#context;
    const both = this.step === undefined ? {} : await bothSteps(this.#context, this.step);
    // In this order: the jobs are written before the end of the step is.
    const stopping = await readStopping(store, run.runId);
    await this.#record.refresh();
    if (stopping?.end && counts(stopping.attempt, both)) this.#end = stopping.end;
    this.#hasFailed = hasFailed(both) && this.#end === undefined;
  }

  async wait(): Promise<void> {
    await wait(pauseMs, undefined, { signal: this.#context.signal });
    await this.look();
  }

  /** Undefined: it may still run for all that is known now, and more will be known. */
  oldState({ name, region }: Pick<LedgerEntry, 'name' | 'region'>): OldJobState | undefined {
    // The fence saw nothing of a recovery point of another region.
    if (region !== this.#context.from.region) return { is: 'unseen' };
    const old = this.#record.oldState(name);
    if (old.is === 'ended' || old.is === 'cancelled' || this.step === undefined) return old;
    const end = this.#end;
    if (end === undefined) return undefined;
    return end.as === 'unconfirmed' ? { is: 'unconfirmed', reason: end.reason } : old;
  }
}

/** Id of the step of the plan; undefined: it has none. */
function stepOf({ plan }: StepContext, wanted: ActionName): string | undefined {
  return plan.steps.find(({ action }) => action === wanted)?.id;
}

interface BothSteps {
  /** The step that is waited for. */
  theirs?: StepRecord | undefined;
  /** The step that waits. */
  own?: StepRecord | undefined;
}

async function bothSteps({ store, run, step }: StepContext, id: string): Promise<BothSteps> {
  const [theirs, own] = await Promise.all([readStep(store, run.runId, id), readStep(store, run.runId, step.id)]);
  return { theirs, own };
}

/** A failure in an earlier execution of the run does not count: the step is tried again, in parallel with this one. */
function hasFailed({ theirs, own }: BothSteps): boolean {
  return theirs?.state === 'failed' && theirs.holder === own?.holder;
}

/**
 * What an attempt found does not count once another has begun, or will begin in parallel with this step: the region may
 * answer by now.
 */
function counts(attempt: number, { theirs, own }: BothSteps): boolean {
  if (!theirs) return true;
  return theirs.attempts === attempt && (isDone(theirs) || theirs.holder === own?.holder);
}

/** At least how long to wait for the list of the jobs without any progress: it is written every few seconds. */
const leastPatienceMs = 10_000;

/**
 * Waits until the fence of this run has recorded which of the jobs that can be resumed are unfinished. False: it makes
 * no more progress. `check` ends the waiting by throwing.
 */
export async function untilJobsAreListed(context: StepContext, check: () => void): Promise<boolean> {
  const { store, run, topology, signal } = context;
  const step = stepOf(context, 'stopOldJobs');
  if (step === undefined) return true;
  const limitMs = Math.max(leastPatienceMs, toSeconds(topology.policies.fenceDeadline) * 1000);
  let lastProgressAt: string | undefined;
  let since = performance.now();
  for (;;) {
    const stopping = await readStopping(store, run.runId);
    if (stopping?.found !== undefined || stopping?.end || hasFailed(await bothSteps(context, step))) return true;
    if (stopping && stopping.progressAt !== lastProgressAt) {
      lastProgressAt = stopping.progressAt;
      since = performance.now();
    } else if (performance.now() - since > limitMs) return false;
    check();
    await context.checkpoint({ unit: 'jobs', done: 0 });
    await wait(pauseMs / 4, undefined, { signal });
  }
}

/** How long to wait for a step that has not begun: it begins in parallel with this one. */
const notBegunMs = 5000;

/** Returns once the fence of this run has stopped the old side's intake, as far as it could, or takes too long. */
export async function untilIntakeIsStopped(context: StepContext): Promise<void> {
  const step = stepOf(context, 'stopOldIntake');
  const limitMs = toSeconds(context.topology.policies.fenceLimit) * 1000;
  if (step === undefined) return;
  for (const since = performance.now(); ;) {
    const both = await bothSteps(context, step);
    if (both.theirs ? isDone(both.theirs) || hasFailed(both) : performance.now() - since > notBegunMs) return;
    if (performance.now() - since > limitMs) return;
    await context.checkpoint({ unit: 'jobs', done: 0 });
    await wait(pauseMs / 4, undefined, { signal: context.signal });
  }
}
