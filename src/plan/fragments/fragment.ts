/**
 * A fragment is a pure function that returns steps, each with the facts that it provides and requires. Operations and
 * strategies are made of fragments; `compose` puts their steps in order.
 */
import type { Phase, ResourceClass } from '../../topology/words.ts';
import type { ActionName } from '../actions.ts';
import type { Fact, Requirement } from '../facts.ts';
import type { Gate } from '../plan.ts';

/** A step as a fragment defines it. `compose` adds its id and what it needs. */
export interface StepDraft {
  /** Absent in operations without phases. */
  phase?: Phase;
  class: ResourceClass;
  /** Last part of the step's id. */
  name: string;
  action: ActionName;
  title: string;
  /** Facts that hold once the step is completed or skipped. A step that provides nothing delays nothing. */
  provides: readonly Fact[];
  /** Facts that hold instead if the step is owed. Absent: it cannot be owed. */
  providesOwed?: readonly Fact[];
  requires: readonly Requirement[];
  input?: Record<string, unknown>;
  /** The sides of the step, if they are not those of the plan. */
  sides?: { from: string; to: string };
  /** The host whose worker runs it. */
  host?: string;
  expectedSeconds?: number;
  /** It is a gate: people decide. */
  gate?: Gate;
  /** How long it may wait for something outside, in seconds, beyond what the policies of its action say. */
  waitsSeconds?: number;
}

/** What a draft has besides what every draft has. */
export type DraftOptions = Pick<
  StepDraft,
  'providesOwed' | 'input' | 'host' | 'expectedSeconds' | 'gate' | 'waitsSeconds' | 'sides'
>;

/** Makes the drafts of one phase of one class. */
export function draftsOf(phase: Phase | undefined, resourceClass: ResourceClass) {
  return (
    [name, action, title]: readonly [name: string, action: ActionName, title: string],
    requires: readonly Requirement[],
    provides: readonly Fact[],
    options: DraftOptions = {},
  ): StepDraft => ({
    ...(phase === undefined ? {} : { phase }),
    class: resourceClass,
    name,
    action,
    title,
    requires,
    provides,
    ...options,
  });
}

/** The drafts that `make` returns, if the condition holds. */
export function when(condition: boolean, make: () => StepDraft): StepDraft[] {
  return condition ? [make()] : [];
}
