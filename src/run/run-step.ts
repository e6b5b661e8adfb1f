/**
 * Runs one step: under the lease, journalled before it counts, and only once however often it is asked for. This is the
 * whole of what makes a run resumable on another Temporal: a step whose outcome is in the journal is not run again.
 */
import { UnderstudyError, isDefect, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { ActionName } from '../plan/actions.ts';
import { toSeconds } from '../topology/duration.ts';
import { sideOf } from '../topology/sides.ts';
import { holdWriterLease } from '../control-store/region-pointer.ts';
import type { OpenEnvironment, RunEnvironment } from './environment.ts';
import { readRun, readStep, recordStep } from './journal.ts';
import { holdRunLease, runLeaseMs } from './lease.ts';
import { assertNotOvertaken } from './overtaken.ts';
import { reconcile, type StepRecord, type StepResult } from './outcome.ts';
import { isMove, type RunExecution, type StepRequest } from './reference.ts';
import type { Action, Progress, StepContext } from './step-context.ts';

/** What the executor of a step lends it: cancellation, a place for progress, and the last progress of an earlier attempt. */
export interface StepRuntime {
  signal: AbortSignal;
  heartbeat(progress: Progress): void;
  lastProgress: Progress | undefined;
}

export function stepRunner(
  open: OpenEnvironment,
  actions: Record<ActionName, Action>,
  now: () => Date = () => new Date(),
) {
  return async ({ run, step: id }: StepRequest, runtime: StepRuntime): Promise<StepRecord> => {
    const environment = await open(run);
    const { store } = environment;
    const found = await readStep(store, run.runId, id);
    if (found && isSettled(found)) return found;
    await holdLeases(environment, run, now);
    const begun = await begin(environment, run, id, now);
    if (isSettled(begun)) return begun;
    const context = await contextOf(environment, run, id, runtime, now);
    try {
      const result = await actions[context.step.action](context);
      for (const counts of result.counts ?? []) reconcile(counts);
      await holdLeases(environment, run, now);
      return await settle(environment, run, id, ({ error: _mended, ...record }) => ({
        ...record,
        ...result,
        endedAt: now().toISOString(),
      }));
    } catch (error) {
      if (runtime.signal.aborted) throw error;
      await noteFailure(environment, run, id, error, now);
      throw error;
    }
  };
}

function isSettled(record: StepRecord): boolean {
  return record.state === 'completed' || record.state === 'skipped';
}

/** Moves hold the run lease, as long as no other run has moved the pointer; replication holds the writer lease of its epoch. */
async function holdLeases(
  { store, plan, bundle }: RunEnvironment,
  run: RunExecution,
  now: () => Date,
): Promise<void> {
  const at = now().getTime();
  if (isMove(run.operation)) {
    await holdRunLease(store, { runId: run.runId, holder: run.holder, ttlMs: runLeaseMs, now: at });
    // A lease that ran out (of a paused run, say) can be had again: not by a run that another has overtaken meanwhile.
    await assertNotOvertaken(store, run.runId, plan);
    return;
  }
  const { leaseTtl, clockSkew } = bundle.topology.policies;
  await holdWriterLease(store, {
    holder: run.runId,
    epoch: plan.madeInEpoch,
    ttlMs: toSeconds(leaseTtl) * 1000,
    skewMs: toSeconds(clockSkew) * 1000,
    now: at,
  });
}

async function begin(
  { store }: RunEnvironment,
  run: RunExecution,
  step: string,
  now: () => Date,
): Promise<StepRecord> {
  const record = await recordStep(store, run.runId, step, (before) => {
    if (before && isSettled(before)) return undefined;
    return {
      step,
      state: 'running',
      holder: run.holder,
      attempts: (before?.attempts ?? 0) + 1,
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

/** Writes an outcome, unless another execution has taken the step over meanwhile. */
async function settle(
  { store }: RunEnvironment,
  run: RunExecution,
  step: string,
  change: (record: StepRecord) => StepRecord,
): Promise<StepRecord> {
  const record = await recordStep(store, run.runId, step, (before) => {
    if (!before || before.holder !== run.holder) {
      throw new UnderstudyError(
        'FencedError',
        `another execution has taken over step "${step}" of run "${run.runId}"`,
      );
    }
    if (isSettled(before)) return undefined;
    return change(before);
  });
  if (!record)
    throw new UnderstudyError('ControlStoreError', `step "${step}" has no record after it was written`);
  return record;
}

/** A failure that will be retried leaves the step running, with what went wrong last; a final one fails it. */
async function noteFailure(
  { store }: RunEnvironment,
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
      before?.holder === run.holder && !isSettled(before)
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

async function contextOf(
  { azure, store, plan, bundle }: RunEnvironment,
  run: RunExecution,
  id: string,
  runtime: StepRuntime,
  now: () => Date,
): Promise<StepContext> {
  const step = plan.steps.find((each) => each.id === id);
  if (!step) throw new UnderstudyError('ControlStoreError', `step "${id}" is not in plan ${run.plan}`);
  const header = await readRun(store, run.runId);
  if (!header)
    throw new UnderstudyError('ControlStoreError', `run "${run.runId}" has no header in the control store`);
  const environment = { azure, store, plan, bundle };
  return {
    run: header,
    plan,
    step,
    topology: bundle.topology,
    from: sideOf(bundle.topology, plan.from),
    to: sideOf(bundle.topology, plan.to),
    azure,
    store,
    bundle,
    signal: runtime.signal,
    cursor: runtime.lastProgress?.cursor,
    now,
    async checkpoint(progress) {
      runtime.heartbeat(progress);
      runtime.signal.throwIfAborted();
      await holdLeases(environment, run, now);
    },
    async keepUndo<T>(make: () => T | Promise<T>): Promise<T> {
      const kept = await readStep(store, run.runId, id);
      if (kept?.undo !== undefined) return kept.undo as T;
      const undo = await make();
      await settle(environment, run, id, (record) => ({ ...record, undo }));
      return undo;
    },
    async outcomeOf(stepId) {
      const record = await readStep(store, run.runId, stepId);
      return record && isSettled(record) ? (record as unknown as StepResult) : undefined;
    },
  };
}

/** What undoes an action: given the context and what the action left in `undo`. Answers one line for a person. */
export type Undo = (context: StepContext, undo: unknown) => Promise<string>;

/**
 * Undoes one step that is completed, or that was broken off once it had kept what its undo needs; idempotent. A failure that will
 * be retried is thrown; a final one is recorded, and the next undo goes on all the same.
 */
export function stepUndoer(
  open: OpenEnvironment,
  undos: Partial<Record<ActionName, Undo>>,
  now: () => Date = () => new Date(),
) {
  return async ({ run, step: id }: StepRequest, runtime: StepRuntime): Promise<StepRecord | undefined> => {
    const environment = await open(run);
    const record = await readStep(environment.store, run.runId, id);
    // A step that was broken off or failed half-way may have changed things, once it has kept what its undo needs.
    const begun = (record?.state === 'running' || record?.state === 'failed') && record.undo !== undefined;
    if (!record || (record.state !== 'completed' && !begun)) return record;
    await holdLeases(environment, run, now);
    const context = await contextOf(environment, run, id, runtime, now);
    const undo = undos[context.step.action];
    if (!undo) return record;
    const finish = (state: 'undone' | 'undo-failed', detail: string) =>
      recordStep(
        environment.store,
        run.runId,
        id,
        (before) =>
          before && {
            ...before,
            state,
            detail: before.detail === undefined ? detail : `${before.detail} — ${detail}`,
          },
      );
    try {
      return await finish('undone', await undo(context, record.undo));
    } catch (error) {
      if (isUnderstudyError(error) && error.retryable) throw error;
      return finish('undo-failed', `undo failed: ${messageOf(error)}`);
    }
  };
}
