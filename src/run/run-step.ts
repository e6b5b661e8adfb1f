/**
 * Runs one step: under the lease, journalled before it counts, and only once however often it is asked for. This is the
 * whole of what makes a run resumable on another Temporal: a step whose outcome is in the journal is not run again.
 */
import { UnderstudyError, isDefect, isLoss, isUnderstudyError, messageOf } from '../errors/error.ts';
import { actionOf, type ActionName } from '../plan/actions.ts';
import type { Environments, PlannedEnvironment } from './environment.ts';
import { readStep, recordStep } from './journal.ts';
import { holdLeases } from './leases.ts';
import { outcomeOf, reconcile, type StepOutcome, type StepRecord } from './work/outcome.ts';
import type { RunExecution, StepRequest } from './reference.ts';
import type { Action, Progress } from './work/step-context.ts';
import { isDone, makeContext, refuseCancelled, recordOutcome } from './step-lifecycle.ts';

/** What the executor of a step lends it: cancellation, a place for progress, and the last progress of an earlier attempt. */
export interface StepRuntime {
  /** Aborted by a cancel, or with a StalledError as its reason: then the attempt ends, and another follows. */
  signal: AbortSignal;
  heartbeat(progress: Progress): void;
  /** Called whenever something goes on that is no progress of its own: a server has answered. */
  alive(): void;
  lastProgress: Progress | undefined;
}

export function stepRunner(
  open: Environments,
  actions: Record<ActionName, Action>,
  now: () => Date = () => new Date(),
) {
  return async ({ run, step: id }: StepRequest, runtime: StepRuntime): Promise<StepOutcome> => {
    const environment = await open.openPlanned(run);
    const { store } = environment;
    const found = await readStep(store, run.runId, id);
    if (found && isDone(found)) return outcomeOf(found);
    await holdLeases(environment, run, now);
    const begun = await begin(environment, run, id, now);
    if (isDone(begun)) return outcomeOf(begun);
    await refuseCancelled(environment, run, now);
    const context = makeContext({ environment, run, id, runtime, now });
    try {
      const result = await actions[context.step.action](context);
      for (const counts of result.counts ?? []) reconcile(counts);
      await holdLeases(environment, run, now);
      return outcomeOf(
        await recordOutcome(environment, run, id, ({ error: _mended, ...record }) => ({
          ...record,
          ...result,
          endedAt: now().toISOString(),
        })),
      );
    } catch (thrown) {
      const stall = stallOf(runtime.signal);
      if (runtime.signal.aborted && !stall) throw thrown;
      const error = stall ?? thrown;
      const accepted = await acceptLoss(environment, run, begun, error, now);
      if (accepted) return outcomeOf(accepted);
      await noteFailure(environment, run, id, error, now);
      throw error;
    }
  };
}

/** Why the attempt was ended, unless it was cancelled: what its work threw says only that it was ended. */
function stallOf({ reason }: AbortSignal): UnderstudyError | undefined {
  return isUnderstudyError(reason, 'StalledError') ? reason : undefined;
}

async function begin(
  { store }: PlannedEnvironment,
  run: RunExecution,
  step: string,
  now: () => Date,
): Promise<StepRecord> {
  const record = await recordStep(store, run.runId, step, (before) => {
    if (before && isDone(before)) return undefined;
    return {
      step,
      state: 'running',
      holder: run.holder,
      attempts: (before?.attempts ?? 0) + 1,
      ...earlierAttempts(before, run),
      startedAt: before?.startedAt ?? now().toISOString(),
      ...(before?.error ? { error: before.error } : {}),
      // What the first attempt kept is what an undo brings back: a later attempt sees only what the first has changed.
      ...(before?.undo === undefined ? {} : { undo: before.undo }),
    };
  });
  if (!record)
    throw new UnderstudyError('ControlStoreError', `step "${step}" has no record after it was written`);
  return record;
}

function earlierAttempts(
  before: StepRecord | undefined,
  { holder }: RunExecution,
): Pick<StepRecord, 'earlierAttempts'> {
  const earlier = before?.holder === holder ? before.earlierAttempts : before?.attempts;
  return earlier === undefined || earlier === 0 ? {} : { earlierAttempts: earlier };
}

/** Of a step whose loss is accepted: how often it is tried, by the execution that began with that, while its error may pass. */
const attemptsBeforeLoss = 5;

/** A step whose loss a person has accepted is done without what it could not do, and says so first. */
async function acceptLoss(
  environment: PlannedEnvironment,
  run: RunExecution,
  { step: id, attempts, earlierAttempts: earlier = 0 }: StepRecord,
  error: unknown,
  now: () => Date,
): Promise<StepRecord | undefined> {
  const accepted = environment.run.accepted?.[id];
  const step = environment.plan.steps.find((each) => each.id === id);
  if (!accepted || !step || actionOf(step.action).loss !== 'acceptable') return undefined;
  if (!isLoss(error)) return undefined;
  // What may pass is tried some more before it is lost.
  if (error.retryable && attempts - earlier < attemptsBeforeLoss) return undefined;
  await holdLeases(environment, run, now);
  const what = `${messageOf(error)} (accepted by ${accepted.by}: ${accepted.reason})`;
  return recordOutcome(environment, run, id, ({ error: _accepted, ...record }) => ({
    ...record,
    state: 'completed',
    detail: `not all was done, and that was accepted: ${messageOf(error)}`,
    lost: [...(record.lost ?? []), what],
    endedAt: now().toISOString(),
  }));
}

/** A failure that will be retried leaves the step running, with what went wrong last; a final one fails it. */
async function noteFailure(
  { store }: PlannedEnvironment,
  run: RunExecution,
  step: string,
  error: unknown,
  now: () => Date,
) {
  const known = isUnderstudyError(error);
  const failure = {
    code: known ? error.code : 'Error',
    message: messageOf(error),
    ...(known && error.details.next !== undefined ? { next: error.details.next } : {}),
  };
  const final = known ? !error.retryable : isDefect(error);
  try {
    await recordStep(store, run.runId, step, (before) =>
      before?.holder === run.holder && !isDone(before)
        ? {
            ...before,
            error: failure,
            ...(final ? { state: 'failed' as const, endedAt: now().toISOString() } : {}),
          }
        : undefined,
    );
  } catch {
    // The control store does not answer either: the step's own error is thrown by the caller, and is the one to show.
  }
}
