/** Undoes one step of a run, and records the outcome. */
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { isUndoable, type UndoableAction } from '../plan/actions.ts';
import { mayHaveChanged } from '../plan/undo.ts';
import type { Environments } from './environment.ts';
import { readStep, recordStep } from './journal.ts';
import { holdLeases } from './leases.ts';
import { outcomeOf, type StepOutcome, type StepRecord } from './work/outcome.ts';
import type { StepRequest } from './reference.ts';
import type { StepRuntime } from './work/step-context.ts';
import type { StepContext } from './work/step-context.ts';
import { makeContext } from './step-lifecycle.ts';

/** Undoes an action, given the context and what the action left in `undo`. Returns one line for a person. */
export type Undo = (context: StepContext, undo: unknown) => Promise<string>;

/** Every action that declares that it can be undone has an undo. */
export type Undos = Record<UndoableAction, Undo>;

/**
 * Idempotent: what is undone is not undone again, and what could not be undone is tried again. A failure that will be
 * retried is thrown; a final one is recorded, and does not stop the next undo.
 */
export function stepUndoer(open: Environments, undos: Undos, now: () => Date = () => new Date()) {
  return async ({ run, step: id }: StepRequest, runtime: StepRuntime): Promise<StepOutcome | undefined> => {
    const environment = await open.openPlanned(run);
    const { store } = environment;
    const record = await readStep(store, run.runId, id);
    if (!record || !mayHaveChanged(record)) return record && outcomeOf(record);
    await holdLeases(environment, run, now);
    const context = makeContext({ environment, run, id, runtime, now });
    const { action } = context.step;
    if (!isUndoable(action)) return outcomeOf(record);
    const finish = async (state: 'undone' | 'undo-failed', detail: string) => {
      // An execution that was replaced must not record anything about the step any more.
      await holdLeases(environment, run, now);
      const written = await recordStep(store, run.runId, id, (before) =>
        before && before.state !== 'undone' ? { ...before, state, detail: joined(before, detail) } : undefined,
      );
      return written && outcomeOf(written);
    };
    try {
      return await finish('undone', await undos[action](context, record.undo));
    } catch (error) {
      if (runtime.signal.aborted || (isUnderstudyError(error) && error.retryable)) throw error;
      return finish('undo-failed', `undo failed: ${messageOf(error)}`);
    }
  };
}

/** Replaces what an earlier attempt to undo it recorded. */
function joined({ state, detail }: StepRecord, more: string): string {
  const before = state === 'undo-failed' ? detail?.split(' — ').slice(0, -1).join(' — ') : detail;
  return before === undefined || before === '' ? more : `${before} — ${more}`;
}
