/**
 * Skips a step of an open run: a person decides to go on without what it does. The journal records it, so that it
 * counts on any Temporal; an attempt that is under way finds it there at its next checkpoint, and ends.
 */
import { UnderstudyError } from '../../errors/error.ts';
import { actionOf } from '../../plan/actions.ts';
import { isDone, isOpen } from '../../plan/run-states.ts';
import { recordStep, requireRun } from '../../run/journal.ts';
import { planFolder, plans } from '../../run/plan-document.ts';
import { withPlan, type RunDocument } from '../../run/run-document.ts';
import type { StepRecord } from '../../run/work/outcome.ts';
import { requireOpen, whoAmI } from './open-run.ts';
import type { Session } from '../session.ts';

/** The step to skip. */
export interface SkipRequest {
  step: string;
  /** Default: the open move. */
  runId?: string | undefined;
  reason: string;
}

/** What became of it. */
export interface Skipped {
  run: RunDocument;
  step: string;
  /** The run has failed, or will: the step has, and is not looked at again. It goes on only when it is retried. */
  waitsForRetry: boolean;
  /** What going on without it means, where its title does not say it. */
  without?: string;
  /** An attempt of the step may be under way: it ends at its next checkpoint. */
  isUnderWay: boolean;
}

/**
 * Errors: PreconditionError if the run is over or cancelled, or the step is done; UsageError if the plan has no such
 * step, or the run cannot go on without what it does.
 */
export async function skipStep(session: Session, { step: id, runId, reason }: SkipRequest): Promise<Skipped> {
  const { store } = session;
  if (reason.trim() === '') throw new UnderstudyError('UsageError', '--reason: expected why, got nothing');
  const run = runId === undefined ? await requireOpen(session, 'skip a step of') : await requireRun(store, runId);
  if (!isOpen(run.state) || run.cancelled)
    throw new UnderstudyError('PreconditionError', `run "${run.runId}" is ${run.state}: no step of it can be skipped`);
  const plan = await plans.open(store, planFolder, withPlan(run).plan);
  const optional = plan.steps.filter(({ action }) => actionOf(action).loss === 'acceptable');
  const step = optional.find((each) => each.id === id);
  if (!step)
    throw new UnderstudyError(
      'UsageError',
      `step "${id}": expected one that the run can do without: ${optional.map((each) => each.id).join(', ')}`,
    );
  const by = whoAmI();
  const at = new Date().toISOString();
  const { without } = actionOf(step.action);
  const meaning = without === undefined ? '' : `; ${without}`;
  const what = `skipped by ${by} (claimed): ${reason.trim()}${meaning}`;
  let before: StepRecord | undefined;
  await recordStep(store, run.runId, id, (found) => {
    before = found;
    if (found && isDone(found)) return undefined;
    const begun = found ?? { step: id, holder: by, attempts: 0, startedAt: at };
    const { error, ...rest } = begun as StepRecord;
    const met = error === undefined ? '' : `; it had met: ${error.message}`;
    return { ...rest, state: 'skipped', endedAt: at, detail: what + met, lost: [...(rest.lost ?? []), what + met] };
  });
  if (before && isDone(before))
    throw new UnderstudyError('PreconditionError', `step "${id}" of run "${run.runId}" is ${before.state} already`);
  return {
    run,
    step: id,
    waitsForRetry: run.state === 'failed' || before?.state === 'failed',
    isUnderWay: run.state !== 'failed' && before?.state === 'running',
    ...(without === undefined ? {} : { without }),
  };
}
