/** The interface of a strategy: the steps of each phase for a resource class. One file per strategy. */
import type { Topology } from '../../topology/topology.ts';
import type { Phase, ResourceClass } from '../../topology/words.ts';
import { isUndoable, type ActionName } from '../actions.ts';
import type { Step } from '../plan.ts';
import type { RecoveryPointSummary } from '../recovery-point-summary.ts';

/** What a strategy makes its steps from. */
export interface StrategyInput {
  topology: Topology;
  from: string;
  to: string;
  recoveryPoint: RecoveryPointSummary;
  class: ResourceClass;
}

/** A step as a strategy defines it. The compiler adds phase, class, id and needs. */
export interface StepDraft {
  /** Last part of the step's id. */
  name: string;
  action: ActionName;
  title: string;
  input?: Record<string, unknown>;
  host?: string;
  expectedSeconds?: number;
  /** Waits until every class is verified, not only its own. */
  afterAll?: 'verify';
  /** Nothing waits for it: if it fails, the run fails, but nothing is delayed. */
  independent?: boolean;
}

export type Strategy = Record<Exclude<Phase, 'fence'>, (input: StrategyInput) => StepDraft[]>;

/** Makes a draft of a step. */
export function draft(name: string, action: ActionName, title: string, more: Partial<StepDraft> = {}): StepDraft {
  return { name, action, title, ...more };
}

/** Completes a draft with phase, class, id and needs. */
export function toStep(phase: Phase, resourceClass: ResourceClass, of: StepDraft, needs: string[]): Step {
  return {
    id: `${phase}/${resourceClass}/${of.name}`,
    phase,
    class: resourceClass,
    action: of.action,
    title: of.title,
    needs,
    input: of.input ?? {},
    undoable: isUndoable(of.action),
    ...(of.host === undefined ? {} : { host: of.host }),
    ...(of.expectedSeconds === undefined ? {} : { expectedSeconds: of.expectedSeconds }),
  };
}
