/** What a step leaves behind: its outcome, as the journal, the workflow, the terminal and the report read it. */
import type { RunState } from '../plan/run-states.ts';
import type { Operation } from '../topology/words.ts';

/** expected = done + Σ skipped + Σ failed, always; see `reconcile`. */
export interface Counts {
  /** `blobs`, `models`, `data`, `environments`, `components`, `codes`, `jobs`, `config files`, … */
  kind: string;
  expected: number;
  done: number;
  skipped: { reason: string; count: number }[];
  failed: { reason: string; count: number }[];
}

/** Something of the fence that could not be done because the old side did not answer: paid when it does. */
export interface Debt {
  /** Stable: `jobs`, `intake`, `writers`, so that paying twice is one payment. */
  kind: 'intake' | 'jobs' | 'writers';
  region: string;
  what: string;
  reason: string;
  /** Step that owes it. */
  step: string;
}

/** A piece of evidence in the control store: a blob's name below the container, and what it holds. */
export interface Evidence {
  kind: 'jobs' | 'configs' | 'reconciliation' | 'probes' | 'list';
  blob: string;
  digest: string;
}

export interface StepResult {
  /** One line for a person, true and complete: "212 of 212 blobs copied (24.1 MB)". */
  detail: string;
  /** `skipped`: there was nothing to do, and `detail` says why. */
  state: 'completed' | 'skipped';
  counts?: Counts[];
  owed?: Debt[];
  evidence?: Evidence[];
  /** What was lost or left for a person, one line each: they come first in the report. */
  lost?: string[];
  /** What the undo needs. Plain JSON, no secrets. */
  undo?: unknown;
  /** Small facts for later steps (ids, names): never lists. */
  facts?: Record<string, string | number | boolean>;
}

export interface StepRecord extends Partial<Omit<StepResult, 'state'>> {
  step: string;
  state: 'running' | 'completed' | 'skipped' | 'failed' | 'undone' | 'undo-failed';
  /** Who executes the run: an earlier holder's late write is refused. */
  holder: string;
  attempts: number;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string;
  /** Milliseconds of `endedAt - startedAt` that were spent waiting for a person. */
  waitedForPersonMs?: number;
  error?: { code: string; message: string; next?: string };
}

export type { RunState } from '../plan/run-states.ts';

export interface RunHeader {
  runId: string;
  topology: string;
  operation: Operation;
  from: string;
  to: string;
  plan: string;
  bundle: string;
  /** Why a person ran it. */
  reason: string;
  triggeredBy: string;
  /** ISO 8601: when the command was given. */
  triggeredAt: string;
  /** ISO 8601: when the outage began, as far as is known (first failed probe, or what the person said). */
  outageBeganAt?: string;
  /** How `outageBeganAt` is known. */
  outageSource?: string;
  recoveryPoint?: string;
}

export interface RunSummary {
  runId: string;
  state: RunState;
  reason?: string;
  startedAt?: string;
  endedAt?: string;
}

/** Throws RangeError if the counts do not add up: the one place this rule lives. */
export function reconcile(counts: Counts): Counts {
  const sum = (parts: { count: number }[]) => parts.reduce((total, part) => total + part.count, 0);
  const accounted = counts.done + sum(counts.skipped) + sum(counts.failed);
  if (accounted !== counts.expected) {
    throw new RangeError(
      `counts of ${counts.kind} do not reconcile: expected ${counts.expected}, accounted for ${accounted} ` +
        `(done ${counts.done}, skipped ${sum(counts.skipped)}, failed ${sum(counts.failed)})`,
    );
  }
  return counts;
}
