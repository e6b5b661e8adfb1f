/** The action `endReprotect`: records that the region that a move has left is a standby again. */
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { endDeparture, unprotected } from './departures.ts';

/** Errors: PreconditionError if something still stands in the way: it came after the steps before. */
export async function endReprotect(context: StepContext): Promise<StepResult> {
  const { store, to, run, plan, now } = context;
  const point = await recoveryPointOf(context);
  await endDeparture(store, { region: to.region, by: run.runId, epoch: plan.madeInEpoch }, now());
  const still = await unprotected(store, to.region);
  if (still) throw new UnderstudyError('PreconditionError', still.why, { next: 'Run "understudy reprotect" again.' });
  return {
    state: 'completed',
    detail: `${to.region} is the standby: protected by recovery point ${point?.id ?? 'none'}`,
  };
}
