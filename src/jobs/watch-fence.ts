/**
 * What the fence of this run knows of the old jobs, while it still stops them: a job has a successor once it is settled, and waits for no
 * other.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { readStep } from '../run/journal.ts';
import type { StepContext } from '../run/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import type { LedgerEntry } from './ledger.ts';
import { readStopping, StoppedRecord, type Sight, type Stopping } from './stopped-jobs.ts';

const pauseMs = 1000;

export class FenceWatch {
  readonly #context: StepContext;
  readonly #record: StoppedRecord;
  /** Id of the step that stops the jobs; a plan without one has nothing to wait for. */
  readonly step: string | undefined;
  #stopping: Stopping | undefined;
  /** The step has ended without saying how it ended for every job. */
  #hasFailed = false;

  private constructor(context: StepContext, record: StoppedRecord) {
    this.#context = context;
    this.#record = record;
    this.step = stepThatStops(context);
  }

  static async open(context: StepContext): Promise<FenceWatch> {
    const { store, run } = context;
    const watch = new FenceWatch(context, await StoppedRecord.open(store, run.runId));
    await watch.look();
    return watch;
  }

  /** Nothing more will be known of the jobs. */
  get isOver(): boolean {
    return this.step === undefined || this.#stopping?.end !== undefined || this.#hasFailed;
  }

  async look(): Promise<void> {
    if (this.#stopping?.end) return;
    const { store, run } = this.#context;
    const hasFailed = this.step !== undefined && (await isFailed(this.#context, this.step));
    // In this order: what is written of the jobs is there before it is written that all is done.
    this.#stopping = await readStopping(store, run.runId);
    await this.#record.refresh();
    this.#hasFailed = hasFailed && this.#stopping?.end === undefined;
  }

  async wait(): Promise<void> {
    await wait(pauseMs, undefined, { signal: this.#context.signal });
    await this.look();
  }

  /** Undefined: it may run on for all that is known now, and more will be known. */
  sightOf({ name, region }: LedgerEntry): Sight | undefined {
    // Of a recovery point of another region, the fence saw nothing.
    if (region !== this.#context.from.region) return { saw: 'unseen' };
    const sight = this.#record.sightOf(name);
    if (sight.saw === 'ended' || sight.saw === 'cancelled' || this.step === undefined) return sight;
    const end = this.#stopping?.end;
    if (end === undefined) return undefined;
    return end.as === 'unconfirmed' ? { saw: 'unconfirmed', reason: end.reason } : sight;
  }
}

function stepThatStops({ plan }: StepContext): string | undefined {
  return plan.steps.find(({ action }) => action === 'stopOldJobs')?.id;
}

/** A failure of an earlier execution of the run says nothing: the step is tried again beside this one. */
async function isFailed({ store, run, step }: StepContext, id: string): Promise<boolean> {
  const [theirs, own] = await Promise.all([
    readStep(store, run.runId, id),
    readStep(store, run.runId, step.id),
  ]);
  return theirs?.state === 'failed' && theirs.holder === own?.holder;
}

/** How long the list of the jobs is waited for while nothing is heard of it, at least: it is written down every few seconds. */
const leastPatienceMs = 10_000;

/** Returns once the fence of this run has written down which jobs it found unfinished, or gets on with that no more. */
export async function untilJobsAreListed(context: StepContext): Promise<void> {
  const { store, run, topology, signal } = context;
  const step = stepThatStops(context);
  if (step === undefined) return;
  const limitMs = Math.max(leastPatienceMs, toSeconds(topology.policies.fenceDeadline) * 1000);
  let heardOf: string | undefined;
  let since = performance.now();
  for (;;) {
    const stopping = await readStopping(store, run.runId);
    if (stopping?.found !== undefined || stopping?.end || (await isFailed(context, step))) return;
    if (stopping && stopping.progressAt !== heardOf) {
      heardOf = stopping.progressAt;
      since = performance.now();
    } else if (performance.now() - since > limitMs) return;
    await context.checkpoint({ unit: 'jobs', done: 0 });
    await wait(pauseMs / 4, undefined, { signal });
  }
}
