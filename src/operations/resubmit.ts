/**
 * Resubmits jobs in the writer's own workspace, without any move: an outage has failed them, and ended by itself. What a
 * person confirms, and its start.
 */
import type { Client } from '@temporalio/client';
import type { Plan } from '../plan/plan.ts';
import { planResubmit, type MadeResubmit } from './plans/plan-resubmit.ts';
import { planningOf } from './plans/planning.ts';
import { attach, type StartedRun } from './runs/open-run.ts';
import { startOperation } from './runs/start-operation.ts';
import type { Session } from './session.ts';

/** What a person asks for. */
export type AskedResubmit = { running: StartedRun } | { made: MadeResubmit };

/** The resubmission that runs already, or a plan to confirm. Errors: those of `planResubmit`. */
export async function askForResubmit(
  session: Session,
  client: Client,
  names: readonly string[],
): Promise<AskedResubmit> {
  const running = await attach(session, client, 'resubmit');
  if (running) return { running };
  return { made: await planResubmit(await planningOf(session), names) };
}

/** Starts what a person has confirmed. */
export function startResubmit(session: Session, client: Client, plan: Plan, reason: string): Promise<StartedRun> {
  return startOperation(session, client, { operation: 'resubmit', plan, trigger: { reason, triggeredAt: new Date() } });
}
