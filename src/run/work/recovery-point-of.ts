/**
 * The recovery point of a step: the one that its own input names, the one of the run's plan, or the one that a step of
 * the run has sealed.
 */
import { provides } from '../../plan/facts.ts';
import { RecoveryPointRef, type Plan } from '../../plan/plan.ts';
import type { StepRecord, StepResult } from './outcome.ts';
import { provided } from './provided.ts';
import type { StepContext } from './step-context.ts';

/** Undefined if none is named, and no step has sealed one yet. */
export async function recoveryPointOf(context: StepContext): Promise<RecoveryPointRef | undefined> {
  const { recoveryPoint } = context.step.input;
  if (recoveryPoint !== undefined) return RecoveryPointRef.parse(recoveryPoint);
  if (context.plan.recoveryPoint) return context.plan.recoveryPoint;
  const [sealed] = await provided(context, 'recovery-point');
  return pointIn(sealed?.facts);
}

/** The recovery point that a step of the run has sealed, from the run's own records. */
export function sealedBy(plan: Plan, records: readonly StepRecord[]): RecoveryPointRef | undefined {
  const seal = plan.steps.find((step) => provides(step, 'recovery-point'))?.id;
  return pointIn(records.find(({ step }) => step === seal)?.facts);
}

/** The recovery point that the facts of a step name, if it has sealed one. */
function pointIn(facts: StepResult['facts']): RecoveryPointRef | undefined {
  const { recoveryPoint: id, digest, startedAt } = facts ?? {};
  return typeof id === 'string' && typeof digest === 'string' && typeof startedAt === 'string'
    ? { id, digest, startedAt }
    : undefined;
}
