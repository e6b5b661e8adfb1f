/** Starts a reprotection: returns the one that runs already, or a new run. */
import type { Client } from '@temporalio/client';
import { checkHealth, requireAnswering } from './health.ts';
import { planReprotect, requireNoProblem } from './plans/plan-operation.ts';
import { planningOf } from './plans/planning.ts';
import { attach, type StartedRun } from './runs/open-run.ts';
import { startOperation } from './runs/start-operation.ts';
import type { Session } from './session.ts';
import { readPointer } from '../control-store/region-pointer.ts';
import { unprotected } from '../fence/departures.ts';
import { findOpenRun } from '../run/lease.ts';
import { otherRegion } from '../topology/sides.ts';

/**
 * Starts it; `started: false`: it runs already, and this is it. NothingToDo if there is nothing to reprotect;
 * PreconditionError if the region does not answer, or a move is open.
 */
export async function reprotect(session: Session, client: Client, reason: string): Promise<StartedRun> {
  const running = await attach(session, client, 'reprotect');
  if (running) return running;
  const made = await planReprotect(await planningOf(session));
  requireNoProblem(made);
  requireAnswering(await checkHealth(session, made.plan.to));
  const trigger = { reason, triggeredAt: new Date() };
  return startOperation(session, client, { operation: 'reprotect', plan: made.plan, trigger });
}

/**
 * The region that a way back to `to` must make a standby first; undefined if it is one, if a move is open, or if there
 * is no way back: the plan of the move says why. Default of `to`: the region that is not active.
 */
export async function isToReprotect({ store, topology }: Session, to: string | undefined): Promise<string | undefined> {
  const now = new Date();
  const { writer } = await readPointer(store, { topology, who: 'failback', now });
  const region = otherRegion(topology, writer);
  if (to !== undefined && to !== region) return undefined;
  const open = await findOpenRun(store, now);
  return !open && (await unprotected(store, region)) ? region : undefined;
}
