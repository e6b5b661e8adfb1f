/** What an action is given. An action is a function `(context) => Promise<StepResult>` and must be idempotent. */
import type { Azure } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Side } from '../topology/sides.ts';
import type { Topology } from '../topology/topology.ts';
import type { RunHeader, StepResult } from './outcome.ts';

export interface StepContext {
  run: RunHeader;
  plan: Plan;
  step: Step;
  topology: Topology;
  /** The side the run moves away from (or copies from), and the side it moves to. */
  from: Side;
  to: Side;
  azure: Azure;
  store: ControlStore;
  bundle: Bundle;
  signal: AbortSignal;
  /** Called at least every second or so in long work; throws FencedError once the run's or the writer's lease is lost. */
  checkpoint(progress: Progress): Promise<void>;
  /** The last cursor that `checkpoint` was given in an earlier attempt of this step, if it is still known. */
  cursor: unknown;
  /** The outcome of an earlier step of this run. */
  outcomeOf(stepId: string): Promise<StepResult | undefined>;
  /**
   * Records what the undo of this step needs, before the step changes anything; a later attempt is given what the first
   * one recorded, so that the state before the run is what an undo brings back.
   */
  keepUndo<T>(make: () => T | Promise<T>): Promise<T>;
  now: () => Date;
  /** A person has accepted what this step loses, and said why: it completes, and names each thing that is lost. */
  acceptedLoss?: AcceptedLoss;
}

export interface AcceptedLoss {
  reason: string;
  by: string;
}

export interface Progress {
  /** "blobs", "jobs". */
  unit: string;
  done: number;
  total?: number;
  bytes?: number;
  /** JSON; small. Everything before it is done for good. */
  cursor?: unknown;
}

export type Action = (context: StepContext) => Promise<StepResult>;

/** What a run needs of the user's files, taken when it was started: no step sees the user's disk. */
export interface Bundle {
  /** The topology as it was read. */
  topology: Topology;
  /** Per region: the ARM template (compiled) and its parameters. */
  templates: Record<string, { source: string; template: unknown; parameters: unknown }>;
}
