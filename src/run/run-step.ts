/**
 * Runs one step: under the lease, recorded in the journal before it counts, and only once however often it is
 * requested. This is what lets a run continue on another Temporal: a step whose outcome is in the journal is not run
 * again.
 */
import { UnderstudyError, isDefect, isLoss, isUnderstudyError, messageOf } from '../errors/error.ts';
import { isDone } from '../plan/run-states.ts';
import { actionOf, type ActionName } from '../plan/actions.ts';
import type { Environments, PlannedEnvironment } from './environment.ts';
import { readStep, recordStep } from './journal.ts';
import { holdLeases } from './leases.ts';
import { outcomeOf, reconcile, type StepOutcome, type StepRecord } from './work/outcome.ts';
import type { RunExecution, StepRequest } from './reference.ts';
import type { Action, StepContext, StepRuntime } from './work/step-context.ts';
import { makeContext, refuseCancelled, recordOutcome } from './step-lifecycle.ts';

/** Makes the function that runs one step and returns its outcome. */
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
    const context = endedBySkip(makeContext({ environment, run, id, runtime, now }));
    try {
      const result = await actions[context.step.action](context);
      for (const counts of result.counts ?? []) reconcile(counts);
      await holdLeases(environment, run, now);
      return outcomeOf(
        await recordOutcome(environment, run, id, ({ error: _resolved, ...record }) => ({
          ...record,
          ...result,
          endedAt: now().toISOString(),
        })),
      );
    } catch (thrown) {
      const stall = stallOf(runtime.signal);
      if (runtime.signal.aborted && !stall) throw thrown;
      const skipped = await findSkipped(context);
      if (skipped) return outcomeOf(skipped);
      const error = stall ?? thrown;
      const accepted = await acceptLoss(environment, run, begun, error, now);
      if (accepted) return outcomeOf(accepted);
      await noteFailure(environment, run, id, error, now);
      throw error;
    }
  };
}

/** Ends the attempt at its next checkpoint once a person has skipped the step. */
function endedBySkip(context: StepContext): StepContext {
  return {
    ...context,
    async checkpoint(progress) {
      await context.checkpoint(progress);
      const skipped = await findSkipped(context);
      if (skipped) throw new UnderstudyError('FencedError', `step "${context.step.id}" was ${skipped.detail}`);
    },
  };
}

/** The record of the step, if a person has skipped it while the attempt was under way. */
async function findSkipped({ store, run: { runId }, step }: StepContext): Promise<StepRecord | undefined> {
  if (actionOf(step.action).loss !== 'acceptable') return undefined;
  const record = await readStep(store, runId, step.id);
  return record?.state === 'skipped' ? record : undefined;
}

/** Why the attempt was ended, unless it was cancelled: the error that its work threw says only that it was ended. */
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
      // An undo restores what the first attempt recorded: a later attempt sees only what the first one has changed.
      ...(before?.undo === undefined ? {} : { undo: before.undo }),
    };
  });
  if (!record) throw new UnderstudyError('ControlStoreError', `step "${step}" has no record after it was written`);
  return record;
}

function earlierAttempts(
  before: StepRecord | undefined,
  { holder }: RunExecution,
): Pick<StepRecord, 'earlierAttempts'> {
  const earlier = before?.holder === holder ? before.earlierAttempts : before?.attempts;
  return earlier === undefined || earlier === 0 ? {} : { earlierAttempts: earlier };
}

/**
 * For a step whose loss is accepted: how often the execution that began with the acceptance tries it, while its error
 * may be transient.
 */
const attemptsBeforeLoss = 5;

/** A step whose loss a person has accepted completes without what it could not do, and lists that first. */
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
  // A transient error is retried a few times before the thing counts as lost.
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

/** A failure that will be retried leaves the step running, with its last error; a final one fails it. */
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
    // The control store does not answer either. The caller throws the step's own error, and that is the one to show.
  }
}
