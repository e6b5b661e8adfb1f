/** A plan holds as long as the region pointer is where it was made, or where its own run has moved it. */
import { peekPointer } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';

/** Throws FencedError where another run has moved the pointer since the plan was made. */
export async function assertNotOvertaken(
  store: ControlStore,
  runId: string,
  { madeInEpoch }: Pick<Plan, 'madeInEpoch'>,
): Promise<void> {
  const pointer = await peekPointer(store);
  const epoch = pointer?.value.epoch.number;
  if (epoch === madeInEpoch || pointer?.value.changedBy === runId) return;
  throw new UnderstudyError(
    'FencedError',
    `the plan was made in epoch ${madeInEpoch}, and the region pointer is at ${epoch ?? 'none'}: something moved since`,
    { next: 'Make a new plan.' },
  );
}
