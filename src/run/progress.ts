/**
 * How far a run is: a workflow returns it to a query, and the terminal and the dashboard show it. Types only, and
 * nothing that imports zod: workflows import this module.
 */
import type { Operation } from '../plan/operations.ts';
import type { RunState } from '../plan/run-states.ts';
import type { Phase, ResourceClass } from '../topology/words.ts';
import type { Progress } from './work/step-context.ts';

/**
 * `waiting`: for a person (a gate) or for a condition, which `detail` names. `undoing` and `undone`: of a cancelled
 * run. `undo-failed` is final: a person has to check.
 */
export type StepProgressState =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'completed'
  | 'skipped'
  | 'owed'
  | 'failed'
  /** A cancel interrupted it. */
  | 'cancelled'
  | 'undoing'
  | 'undone'
  | 'undo-failed';

/** A step as people watch it. */
export interface StepProgress {
  id: string;
  /** Absent in operations without phases (`deploy`, `replicate`). */
  phase?: Phase;
  class: ResourceClass;
  title: string;
  state: StepProgressState;
  /** ISO 8601. */
  startedAt?: string;
  /** ISO 8601. */
  endedAt?: string;
  /** One line for a person: the outcome of a step that ended, or what a waiting step waits for. */
  detail?: string;
  /** Of a running step: how much of its work is done. */
  progress?: Omit<Progress, 'cursor'>;
  /** From 1; more than 1: earlier attempts failed, the last of them with `lastError`. */
  attempt?: number;
  lastError?: string;
  /** How many debts the step leaves. */
  owed?: number;
  /** How many lines of what was lost or left for a person. */
  lost?: number;
}

/** A run as people watch it. */
export interface RunProgress {
  runId: string;
  operation: Operation;
  topology: string;
  /** Absent until the run has a plan. */
  from?: string;
  to?: string;
  state: RunState;
  /** Why it waits, failed, or was cancelled. */
  reason?: string;
  /** A person paused it: no new step starts until `unpause`. */
  paused?: boolean;
  /** ISO 8601: the trigger. */
  startedAt: string;
  /** ISO 8601. */
  endedAt?: string;
  /** In the order of the plan. */
  steps: StepProgress[];
}

/** What a workflow returns: how its run ended. */
export interface RunSummary {
  runId: string;
  state: RunState;
  reason?: string;
  startedAt?: string;
  endedAt?: string;
}
