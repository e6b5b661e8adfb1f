/** What travels through Temporal of a run: references only. */
import type { Topology } from '../topology/topology.ts';
import type { Operation } from '../topology/words.ts';

export interface RunReference {
  runId: string;
  topology: string;
  operation: Operation;
  controlStore: Topology['controlStore'];
  /** Digests in the control store. */
  plan: string;
  bundle: string;
}

/** What a workflow is started with. */
export interface RunStart extends RunReference {
  /** Taken up from the journal: the execution before this one is fenced. */
  resumed?: boolean;
  /** Taken up to be cancelled: no step is run, and what was done is undone. */
  undo?: boolean;
}

/** A run's reference and who executes it: the first execution of its workflow. */
export interface RunExecution extends RunStart {
  holder: string;
}

export interface StepRequest {
  run: RunExecution;
  step: string;
}

/** The workflow's id: one for the moves of a topology, so that a second start attaches to the first. */
export function workflowIdOf(run: Pick<RunReference, 'topology' | 'operation'>): string {
  return run.operation === 'replicate'
    ? `understudy-${run.topology}-replicate`
    : `understudy-${run.topology}-move`;
}

/** Moves of the workspace exclude one another; taking a recovery point excludes nobody. */
export function isMove(operation: Operation): boolean {
  return operation !== 'replicate' && operation !== 'deploy';
}
