/** What running and undoing a step share: how its outcome is recorded, and what its action gets. */
import { listenTo } from '../azure/listen.ts';
import { UnderstudyError } from '../errors/error.ts';
import { isDone } from '../plan/run-states.ts';
import { sideOf } from '../topology/sides.ts';
import type { PlannedEnvironment } from './environment.ts';
import { readRun, readStep, recordStep } from './journal.ts';
import { holdLeases } from './leases.ts';
import type { StepRecord, StepResult } from './work/outcome.ts';
import type { RunExecution } from './reference.ts';
import type { StepRuntime } from './work/step-context.ts';
import type { StepContext } from './work/step-context.ts';

/** Records an outcome, unless another execution has taken the step over meanwhile. */
export async function recordOutcome(
  { store }: PlannedEnvironment,
  run: RunExecution,
  step: string,
  change: (record: StepRecord) => StepRecord,
): Promise<StepRecord> {
  const record = await recordStep(store, run.runId, step, (before) => {
    if (!before || before.holder !== run.holder) {
      throw new UnderstudyError('FencedError', `another execution has taken over step "${step}" of run "${run.runId}"`);
    }
    if (isDone(before)) return undefined;
    return change(before);
  });
  if (!record) throw new UnderstudyError('ControlStoreError', `step "${step}" has no record after it was written`);
  return record;
}

/**
 * Checked after something is recorded that an undo depends on: either the undo finds it, or this finds the cancel. The
 * same applies to a lease that another execution has acquired since.
 */
export async function refuseCancelled(
  environment: PlannedEnvironment,
  run: RunExecution,
  now: () => Date,
): Promise<void> {
  await holdLeases(environment, run, now);
  const cancelled = (await readRun(environment.store, run.runId))?.cancelled;
  if (cancelled) throw new UnderstudyError('CancelledRun', `run "${run.runId}" was cancelled by ${cancelled.by}`);
}

interface ContextOf {
  environment: PlannedEnvironment;
  run: RunExecution;
  id: string;
  runtime: StepRuntime;
  now: () => Date;
}

/** What the action of a step gets. */
export function makeContext({ environment, run, id, runtime, now }: ContextOf): StepContext {
  const { azure, store, plan, bundle, run: header } = environment;
  const step = plan.steps.find((each) => each.id === id);
  if (!step) throw new UnderstudyError('ControlStoreError', `step "${id}" is not in plan ${header.plan}`);
  const acceptedLoss = header.accepted?.[id];
  return {
    run: header,
    plan,
    step,
    topology: bundle.topology,
    from: sideOf(bundle.topology, step.from ?? plan.from),
    to: sideOf(bundle.topology, step.to ?? plan.to),
    azure: listenTo(azure, () => runtime.alive()),
    store,
    bundle,
    signal: runtime.signal,
    cursor: runtime.lastProgress?.cursor,
    now,
    ...(acceptedLoss ? { acceptedLoss } : {}),
    async checkpoint(progress) {
      runtime.heartbeat(progress);
      runtime.signal.throwIfAborted();
      await holdLeases(environment, run, now);
    },
    async recordUndo<T>(make: () => T | Promise<T>): Promise<T> {
      const kept = await readStep(store, run.runId, id);
      if (kept?.undo !== undefined) return kept.undo as T;
      const undo = await make();
      await recordOutcome(environment, run, id, (record) => ({ ...record, undo }));
      // An execution that took the run over before this has not read it, and would not undo what comes of it: so
      // nothing may come of it.
      await refuseCancelled(environment, run, now);
      return undo;
    },
    async outcomeOf(of) {
      const record = await readStep(store, run.runId, of.id);
      return record && isDone(record) ? (record as unknown as StepResult) : undefined;
    },
  };
}
