/** What an action gets. An action is a function `(context) => Promise<StepResult>` and must be idempotent. */
import type { Azure } from '../../azure/azure.ts';
import type { ControlStore } from '../../control-store/store.ts';
import type { Plan, Step } from '../../plan/plan.ts';
import type { Side } from '../../topology/sides.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Bundle } from '../bundle.ts';
import type { StepResult } from './outcome.ts';
import type { RunHeader } from '../run-document.ts';

/** What an action gets. */
export interface StepContext {
  run: RunHeader;
  plan: Plan;
  step: Step;
  topology: Topology;
  /** The sides of the step: the one that it reads or shuts out, and the one on which it works. */
  from: Side;
  to: Side;
  azure: Azure;
  store: ControlStore;
  bundle: Bundle;
  signal: AbortSignal;
  /** Call at least every second or so in long work. Throws FencedError once the run's or the writer's lease is lost. */
  checkpoint(progress: Progress): Promise<void>;
  /** The last cursor that an earlier attempt of this step gave to `checkpoint`, if it is still known. */
  cursor: unknown;
  /** The outcome of a step of this run, once it is done. */
  outcomeOf(step: Step): Promise<StepResult | undefined>;
  /**
   * Records what the undo of this step needs, before the step changes anything. A later attempt gets what the first one
   * recorded, so that an undo restores the state before the run.
   */
  recordUndo<T>(make: () => T | Promise<T>): Promise<T>;
  now: () => Date;
  /** A person accepts that this step does not do everything: it does what it can, and lists the rest as lost. */
  acceptedLoss?: LossAcceptance;
}

/** Who accepts that a step does not do everything, and why. */
export interface LossAcceptance {
  by: string;
  reason: string;
}

/** How far a step is. */
export interface Progress {
  /** "blobs", "jobs". */
  unit: string;
  done: number;
  total?: number;
  bytes?: number;
  /** What it waits for, in one line for a person. Absent: it works. */
  waitsFor?: string;
  /** JSON; small. Everything before it is done for good. */
  cursor?: unknown;
}

export type Action = (context: StepContext) => Promise<StepResult>;

/**
 * What the executor of a step provides: cancellation, a place for progress, and the last progress of an earlier
 * attempt.
 */
export interface StepRuntime {
  /** Aborted by a cancel, or with a StalledError as its reason: the attempt then ends, and another follows. */
  signal: AbortSignal;
  heartbeat(progress: Progress): void;
  /** Called when something happens that is not progress of the step itself: a server has answered. */
  alive(): void;
  lastProgress: Progress | undefined;
}
