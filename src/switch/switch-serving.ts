/**
 * Sets in the region pointer which region serves a class. Readers of the pointer (CI, clients, replication) follow it.
 */
import { movePointer } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { isTakenBy, servedBy, showWeights, type Weights } from '../topology/pointer.ts';

interface ServingUndo {
  weights: Weights;
}

/**
 * Runs only for the run that has taken the pointer.
 * Errors: FencedError if another epoch has begun.
 */
export async function switchServing(context: StepContext): Promise<StepResult> {
  const unit = context.step.class;
  await context.recordUndo<ServingUndo>(async () => ({
    weights: (await weightsOf(context, unit)) ?? servedBy(context.from.region),
  }));
  const pointer = await movePointer(context.store, (found) => {
    assertTaken(found, context);
    const weights = servedBy(context.to.region);
    return sameWeights(found.serving[unit], weights) ? undefined : changed(context, found, unit, weights);
  });
  return {
    state: 'completed',
    detail: `${context.to.region} serves ${unit} (epoch ${pointer.epoch.number})`,
  };
}

/** The undo of `switchServing`: restores the weights, unless another run has taken the pointer. Idempotent. */
export async function switchServingBack(context: StepContext, undo: unknown): Promise<string> {
  const unit = context.step.class;
  const { weights } = undo as ServingUndo;
  const pointer = await movePointer(context.store, (found) =>
    found.takenBy?.run !== context.run.runId || sameWeights(found.serving[unit], weights)
      ? undefined
      : changed(context, found, unit, weights),
  );
  return pointer.takenBy?.run === context.run.runId
    ? `${showWeights(weights)} serves ${unit} again (epoch ${pointer.epoch.number})`
    : `left as it is: another run has taken the pointer since (epoch ${pointer.epoch.number})`;
}

type Pointer = Awaited<ReturnType<typeof movePointer>>;

async function weightsOf({ store }: StepContext, unit: string): Promise<Weights | undefined> {
  // A change that changes nothing: it reads the pointer, and fails with an explanation if there is none.
  return (await movePointer(store, () => undefined)).serving[unit];
}

function assertTaken(pointer: Pointer, { run, to }: StepContext): void {
  if (isTakenBy(pointer, run.runId, to.region)) return;
  const { takenBy } = pointer;
  throw new UnderstudyError(
    'FencedError',
    `run "${run.runId}" does not have the region pointer: ${takenBy ? `run "${takenBy.run}" has taken it` : 'nobody has taken it'}`,
  );
}

function changed({ run, now }: StepContext, found: Pointer, unit: string, weights: Weights): Pointer {
  return {
    ...found,
    serving: { ...found.serving, [unit]: weights },
    changedBy: run.runId,
    changedAt: now().toISOString(),
  };
}

function sameWeights(left: Weights | undefined, right: Weights): boolean {
  if (!left) return false;
  const regions = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...regions].every((region) => (left[region] ?? 0) === (right[region] ?? 0));
}
