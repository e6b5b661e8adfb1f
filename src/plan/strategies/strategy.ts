/** The interface of a strategy: the fragment of each phase for a resource class. One file per strategy. */
import type { Topology } from '../../topology/topology.ts';
import type { Phase, ResourceClass } from '../../topology/words.ts';
import type { Requirement } from '../facts.ts';
import type { StepDraft } from '../fragments/fragment.ts';
import type { RecoveryPointSummary } from '../recovery-point-summary.ts';

/** What a strategy makes its steps from. */
export interface StrategyInput {
  topology: Topology;
  from: string;
  to: string;
  /** Absent if a step of the run seals it: then neither the steps nor their order depend on what is in it. */
  recoveryPoint?: RecoveryPointSummary;
  class: ResourceClass;
  /** What the operation requires of the fence before clients depend on the target. */
  fenced: readonly Requirement[];
}

export type Strategy = Record<Exclude<Phase, 'fence'>, (input: StrategyInput) => StepDraft[]>;
