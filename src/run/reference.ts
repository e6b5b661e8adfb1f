/** What travels through Temporal about a run: references only. */
import type { Operation } from '../plan/operations.ts';
import type { Topology } from '../topology/topology.ts';

/** Names a run, in its workflow and in the journal. */
export interface RunReference {
  runId: string;
  topology: string;
  operation: Operation;
  /** Where the run's document is. It names everything else. */
  controlStore: Topology['controlStore'];
}

/** What a workflow is started with. */
export interface RunStart extends RunReference {
  /** Restarted from the journal: the previous execution is fenced. */
  resumed?: boolean;
}

/** A run's reference and who executes it: the first execution of its workflow. */
export interface RunExecution extends RunStart {
  holder: string;
}

/** Names a step of a run. */
export interface StepRequest {
  run: RunExecution;
  step: string;
  /** How long the step may show no progress; absent in workflows that an older release started. */
  silenceSeconds?: number;
}
