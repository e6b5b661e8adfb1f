/**
 * What steps provide to one another and require of one another. A step begins when everything that it requires is
 * provided, so that no step needs to know another step's id. Pure.
 */
import type { ResourceClass } from '../topology/words.ts';
import type { ActionName } from './actions.ts';

/** `old`: the side that the run moves away from. `target`: the side on which the steps work. */
export type Fact =
  | 'standby.inspected'
  /** With the recovery point that the run itself has sealed. */
  | 'standby.inspected-again'
  | 'debts.paid'
  | 'pointer.taken'
  | 'old.intake-stopped'
  | 'old.intake-owed'
  /** No job is unfinished there: each has ended, or was cancelled as the policy says. */
  | 'old.drained'
  /** Nothing has come there that the recovery point lacks. */
  | 'old.unchanged'
  | 'old.jobs-stopped'
  | 'old.jobs-owed'
  | 'old.writers-shut-out'
  | 'old.writers-owed'
  | 'target.deployed'
  | 'target.readmitted'
  | 'target.computes-scaled'
  | 'target.deployments-scaled'
  | 'target.datastores'
  | 'target.connections'
  | 'target.schedules'
  | 'target.endpoints'
  | `target.blobs(${ResourceClass})`
  | `target.assets(${ResourceClass})`
  | `blobs.verified(${ResourceClass})`
  | `assets.verified(${ResourceClass})`
  /** Everything about the class has been read or used in the target. */
  | `target.verified(${ResourceClass})`
  | 'front.shifted'
  | `pointer.serving(${ResourceClass})`
  /** The target serves the class, and its public addresses answer. */
  | `class.switched(${ResourceClass})`
  | 'jobs.resubmitted'
  | `gate.passed(${string})`
  | 'replicas.scrubbed'
  | 'point.listed'
  | 'point.copied'
  | 'point.escrowed'
  | 'divergence.listed'
  | 'divergence.copied'
  | 'divergence.escrowed'
  /** A recovery point of the region that was left, as it was found. */
  | 'divergence-point'
  /** What becomes of each difference between the region that was left and the writer. */
  | 'merge.decided'
  | 'merge.blobs'
  | 'merge.assets'
  | 'merge.connections'
  | 'merge.endpoints'
  | 'merge.schedules'
  /** The writer has all that was decided to come over. */
  | 'merged'
  /** What is otherwise there than the merge decided has been changed. */
  | 'target.merged'
  | 'zombies.ended'
  /** The target's datastores, computes and endpoints have been used. */
  | 'target.used'
  /** A sealed recovery point: of the plan's input, or of a step that seals it. */
  | 'recovery-point';

/** A fact, or several of which one is enough. */
export type Requirement = Fact | { anyOf: readonly Fact[] };

/** What steps of plans provide that releases 0.2.0 and 0.3.0 have sealed: such steps do not say it themselves. */
const providedUnsaid: Partial<Record<ActionName, Fact>> = {
  listActive: 'point.listed',
  copyBlobs: 'point.copied',
  escrowSecrets: 'point.escrowed',
  sealRecoveryPoint: 'recovery-point',
};

/** Whether the step provides the fact once it is done. */
export function provides(step: { provides?: readonly string[] | undefined; action: ActionName }, fact: Fact): boolean {
  return step.provides ? step.provides.includes(fact) : providedUnsaid[step.action] === fact;
}
