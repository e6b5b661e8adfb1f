/**
 * What the fence of this run knows of the old jobs, while it still stops them: a job has a successor once it is settled, and waits for no
 * other.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ActionName } from '../plan/actions.ts';
import { readStep } from '../run/journal.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { isDone } from '../run/step-lifecycle.ts';
import { toSeconds } from '../topology/duration.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { readStopping, StoppedRecord, type OldJobState, type StoppingEnd } from './stopped-jobs.ts';

const pauseMs = 1000;

export class FenceWatch {
  readonly #context: StepContext;
  readonly #record: StoppedRecord;
  /** Id of the step that stops the jobs; a plan without one has nothing to wait for. */
  readonly step: string | undefined;
  #end: StoppingEnd | undefined;
  /** The step has ended without saying how it ended for every job. */
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
    // In this order: what is written of the jobs is there before it is written that all is done.
    const stopping = await readStopping(store, run.runId);
    await this.#record.refresh();
    if (stopping?.end && counts(stopping.attempt, both)) this.#end = stopping.end;
    this.#hasFailed = hasFailed(both) && this.#end === undefined;
  }

  async wait(): Promise<void> {
    await wait(pauseMs, undefined, { signal: this.#context.signal });
    await this.look();
  }

  /** Undefined: it may run on for all that is known now, and more will be known. */
  oldState({ name, region }: LedgerEntry): OldJobState | undefined {
    // Of a recovery point of another region, the fence saw nothing.
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
  const [theirs, own] = await Promise.all([
    readStep(store, run.runId, id),
    readStep(store, run.runId, step.id),
  ]);
  return { theirs, own };
}

/** A failure of an earlier execution of the run says nothing: the step is tried again beside this one. */
function hasFailed({ theirs, own }: BothSteps): boolean {
  return theirs?.state === 'failed' && theirs.holder === own?.holder;
}

/** How an attempt found the jobs says nothing once another has begun, or is to begin beside this step: the region may answer by now. */
function counts(attempt: number, { theirs, own }: BothSteps): boolean {
  if (!theirs) return true;
  return theirs.attempts === attempt && (isDone(theirs) || theirs.holder === own?.holder);
}

/** How long the list of the jobs is waited for while nothing is heard of it, at least: it is written down every few seconds. */
const leastPatienceMs = 10_000;

/**
 * Waits until the fence of this run has written down which of the jobs that can be resumed are unfinished. False: it gets on with that no
 * more, or not by the time that `check` ends the waiting by what it throws.
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
    if (stopping?.found !== undefined || stopping?.end || hasFailed(await bothSteps(context, step)))
      return true;
    if (stopping && stopping.progressAt !== lastProgressAt) {
      lastProgressAt = stopping.progressAt;
      since = performance.now();
    } else if (performance.now() - since > limitMs) return false;
    check();
    await context.checkpoint({ unit: 'jobs', done: 0 });
    await wait(pauseMs / 4, undefined, { signal });
  }
}

/** How long a step is waited for that has not begun: it begins beside this one. */
const notBegunMs = 5000;

/** Returns once the fence of this run has stopped the old side's intake, as far as it could, or is at it for too long. */
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
