/**
 * Resubmits jobs in the writer's own workspace, without any move: an outage has failed them, and ended by itself. What
 * a person confirms, and its start.
 */
import type { Client } from '@temporalio/client';
import { UnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';
import { requireNoProblem } from './plans/plan-operation.ts';
import { planResubmit, type MadeResubmit } from './plans/plan-resubmit.ts';
import { planningOf } from './plans/planning.ts';
import { attach, type StartedRun } from './runs/open-run.ts';
import { startOperation } from './runs/start-operation.ts';
import type { Session } from './session.ts';

/** What a person asks for. */
export type AskedResubmit = { running: StartedRun } | { made: MadeResubmit };

/**
 * The resubmission that runs already, or a plan to confirm. Errors: PreconditionError if jobs are named while one runs,
 * or if a move is open; those of `planResubmit`.
 */
export async function askForResubmit(
  session: Session,
  client: Client,
  names: readonly string[],
): Promise<AskedResubmit> {
  const running = await attach(session, client, 'resubmit');
  if (running && names.length > 0) {
    throw new UnderstudyError(
      'PreconditionError',
      `run "${running.runId}" resubmits jobs already, and may not have these`,
      {
        next: 'Watch it with "understudy status --watch"; then name them again.',
      },
    );
  }
  if (running) return { running };
  const made = await planResubmit(await planningOf(session), names);
  requireNoProblem(made);
  return { made };
}

/** Starts what a person has confirmed. */
export function startResubmit(session: Session, client: Client, plan: Plan, reason: string): Promise<StartedRun> {
  return startOperation(session, client, { operation: 'resubmit', plan, trigger: { reason, triggeredAt: new Date() } });
}
