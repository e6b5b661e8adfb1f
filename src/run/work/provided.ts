/** Facts that earlier steps of a run have provided. An action asks for the fact, and never names the step. */
import { provides, type Fact } from '../../plan/facts.ts';
import type { StepResult } from './outcome.ts';
import type { StepContext } from './step-context.ts';

/** Returns the outcomes of the steps that provide the fact and are done. */
export async function provided(context: StepContext, fact: Fact): Promise<StepResult[]> {
  const providers = context.plan.steps.filter((step) => provides(step, fact));
  const outcomes = await Promise.all(providers.map((step) => context.outcomeOf(step)));
  return outcomes.filter((outcome) => outcome !== undefined);
}
