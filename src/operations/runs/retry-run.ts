/** Starts an open run again from its journal, on any Temporal; what is done is not done again. */
import type { Client } from '@temporalio/client';
import { startRun } from '../../client/runs.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { actionOf } from '../../plan/actions.ts';
import { rowOf } from '../../plan/operations.ts';
import { isOpen } from '../../plan/run-states.ts';
import { changeRun, requireRun } from '../../run/journal.ts';
import { findOpenRun } from '../../run/lease.ts';
import { afterOvertaken, overtakenBy, showOvertaken } from '../../run/overtaken.ts';
import { planFolder, plans } from '../../run/plan-document.ts';
import { withPlan, type RunDocument } from '../../run/run-document.ts';
import { referenceOf, refusedBy, whoAmI, type StartedRun } from './open-run.ts';
import type { Session } from '../session.ts';

/** A loss that a person accepts, so that the run continues. */
export interface Loss {
  /** Ids of steps that continue without what they cannot do. */
  steps: string[];
  reason: string;
}

/**
 * Starts the run again; a cancelled one is undone. UsageError: no such run, or a loss that cannot be accepted;
 * PreconditionError: it is over, or a move has overtaken it; FencedError: another run is open.
 */
export async function retryRun(session: Session, client: Client, runId: string, loss?: Loss): Promise<StartedRun> {
  const { store } = session;
  if (loss) requireReason(loss.steps, loss.reason);
  const run = await requireRun(store, runId);
  if (!isOpen(run.state))
    throw new UnderstudyError('PreconditionError', `run "${runId}" is ${run.state}: there is nothing to retry`, {
      next: `See "understudy report ${runId}".`,
    });
  if (rowOf(run.operation).lease === 'run') {
    const open = await findOpenRun(store, new Date());
    if (open && open.runId !== runId) throw refusedBy(open);
  }
  await refuseOvertaken(session, run);
  if (loss) await acceptLoss(session, run, loss);
  const started = await startRun(client, { ...referenceOf(session, run), resumed: true });
  if (started.runId !== runId)
    throw new UnderstudyError(
      'FencedError',
      `run "${started.runId}" is running: "${runId}" cannot be retried while it does`,
    );
  return started;
}

/** A plan of an earlier epoch would be refused by its first step, and what failed is not what is in its way. */
async function refuseOvertaken({ store }: Session, run: RunDocument): Promise<void> {
  // What was cancelled is only ended.
  const overtaken = run.cancelled ? undefined : await overtakenBy(store, run);
  if (!overtaken) return;
  throw new UnderstudyError(
    'PreconditionError',
    `run "${run.runId}" is ${showOvertaken(overtaken)}: it cannot be retried`,
    { next: afterOvertaken(overtaken) },
  );
}

/** The report names who accepted a loss, and why. UsageError if there is no reason. */
export function requireReason(acceptLoss: readonly string[] | undefined, reason: string | undefined): void {
  if (!acceptLoss || (reason ?? '').trim() !== '') return;
  throw new UnderstudyError('UsageError', '--accept-loss: expected --reason "…" with it');
}

/** UsageError if a step is not part of the run, or may not continue without what it cannot do. */
async function acceptLoss({ store }: Session, run: RunDocument, { steps, reason }: Loss): Promise<void> {
  const plan = await plans.open(store, planFolder, withPlan(run).plan);
  const acceptable = plan.steps.filter(({ action }) => actionOf(action).loss === 'acceptable');
  const unknown = steps.find((id) => !acceptable.some((step) => step.id === id));
  if (unknown !== undefined)
    throw new UnderstudyError(
      'UsageError',
      `--accept-loss "${unknown}": expected one of the steps ${acceptable.map(({ id }) => id).join(', ')}`,
    );
  const accepted = { by: whoAmI(), at: new Date().toISOString(), reason };
  await changeRun(store, run.runId, (found) => ({
    accepted: { ...found.accepted, ...Object.fromEntries(steps.map((id) => [id, accepted])) },
  }));
}
