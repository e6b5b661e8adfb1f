/** The recovery point of a run: the one that its plan names, or the one that a step of the run has sealed. */
import type { RecoveryPointRef } from '../../plan/plan.ts';
import type { StepResult } from './outcome.ts';
import { provided } from './provided.ts';
import type { StepContext } from './step-context.ts';

/** Undefined if the plan names none, and no step has sealed one yet. */
export async function recoveryPointOf(context: StepContext): Promise<RecoveryPointRef | undefined> {
  if (context.plan.recoveryPoint) return context.plan.recoveryPoint;
  const [sealed] = await provided(context, 'recovery-point');
  return pointIn(sealed?.facts);
}

/** The recovery point that the facts of a step name, if it has sealed one. */
export function pointIn(facts: StepResult['facts']): RecoveryPointRef | undefined {
  const { recoveryPoint: id, digest, startedAt } = facts ?? {};
  return typeof id === 'string' && typeof digest === 'string' && typeof startedAt === 'string'
    ? { id, digest, startedAt }
    : undefined;
}
