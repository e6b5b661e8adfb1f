/**
 * A move (a failover or a switchover) as a command requests it: what is open already, the plan and the health that a
 * person confirms, and its start.
 */
import type { Client } from '@temporalio/client';
import { readPointer } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import { needsBothRegions } from '../plan/operations.ts';
import type { Plan } from '../plan/plan.ts';
import { sideOf } from '../topology/sides.ts';
import type { RunDocument } from '../run/run-document.ts';
import { checkHealth, type Health } from './health.ts';
import { lookAtConfigs } from './look-at-configs.ts';
import { isNeverStarted } from './runs/never-started.ts';
import { attach, findOpen, refusedBy, type StartedRun } from './runs/open-run.ts';
import { planMove, requireNoProblem, type MoveOperation } from './plans/plan-operation.ts';
import { planningOf, type MadePlan } from './plans/planning.ts';
import type { Session } from './session.ts';
import type { TargetLook } from '../switch/look-at-configs.ts';
import { startOperation } from './runs/start-operation.ts';
import { givesWay } from './runs/supersede.ts';

/** What a person asks for with a move. */
export interface MoveRequest {
  /** The region to move to; default: the one that is not active. */
  to?: string;
  /** Default: the newest. */
  recoveryPoint?: string;
  /** Names of what the move goes without. */
  acceptLoss?: string[];
  /** Nobody watches: it asks before what cannot be taken back. */
  unattended?: boolean;
  /** What a person has decided about a merge: `ITEM=WHO`. */
  decide?: string[];
}

/** The result of requesting a move. */
export type Asked =
  /** The same move to that region is open, and this Temporal executes it. */
  | { found: 'running'; run: StartedRun }
  /** The region is the active one: there is nothing to move. */
  | { found: 'moved'; region: string; epoch: number }
  /**
   * A plan that would not fail, the health of the region that it leaves (of planned work: of both), and what was found
   * of the config files, which does not block the move: for a person to confirm. `ends`: an open switchover that the
   * move ends.
   */
  | { found: 'plan'; made: MadePlan; health: Health[]; configs: TargetLook[]; ends?: RunDocument };

/**
 * Changes nothing but the stored health of the region. FencedError: another run is open, and it does not give way, or
 * its region is healthy; PreconditionError, RecoveryPointError: the move would fail.
 */
export async function askForMove(
  session: Session,
  client: Client,
  operation: MoveOperation,
  request: MoveRequest,
): Promise<Asked> {
  const { to } = request;
  if (to !== undefined) sideOf(session.topology, to);
  const { run, ends } = await openOf(session, client, { operation, to });
  if (run) return { found: 'running', run };
  const epoch = await epochIn(session, operation, to);
  if (to !== undefined && epoch !== undefined) return { found: 'moved', region: to, epoch };
  const made = await planMove(await planningOf(session), operation, request);
  requireNoProblem(made);
  const { from, to: target } = made.plan;
  const regions = needsBothRegions(operation) ? [from, target] : [from];
  const [health, configs] = await Promise.all([
    Promise.all(regions.map((region) => checkHealth(session, region))),
    lookAtConfigs(session.topology, made, () => Promise.resolve(client)),
  ]);
  // Where nothing has failed, those who work there are asked first.
  if (ends && health[0]?.state === 'healthy') throw refusedBy({ runId: ends.runId, run: ends });
  return { found: 'plan', made, health, configs, ...(ends ? { ends } : {}) };
}

/**
 * `run`: the same move is open, and this Temporal executes it. `ends`: a switchover is open, and a failover may end it.
 * FencedError if another run is open.
 */
async function openOf(
  session: Session,
  client: Client,
  { operation, to }: { operation: MoveOperation; to: string | undefined },
): Promise<{ run?: StartedRun; ends?: RunDocument }> {
  const open = await findOpen(session, operation);
  if (!open || (await isNeverStarted(session, client, open))) return {};
  const running = await attach(session, client, open.operation);
  const isSame = running?.runId === open.runId && open.operation === operation && !open.cancelled;
  if (isSame && (to === undefined || to === open.to)) return { run: running };
  if (givesWay(open, operation) && (to === undefined || to === open.to)) return { ends: open };
  throw refusedBy({ runId: open.runId, run: open });
}

/** The epoch in which the region is the active one; undefined if it is not active. */
async function epochIn(
  { store, topology }: Session,
  who: MoveOperation,
  region: string | undefined,
): Promise<number | undefined> {
  if (region === undefined) return undefined;
  const pointer = await readPointer(store, { topology, who, now: new Date() });
  return pointer.writer === region ? pointer.epoch.number : undefined;
}

/** A move that a person has confirmed. */
export interface Confirmed {
  plan: Plan;
  reason: string;
  triggeredAt: Date;
  /** When the outage began, as a person gave it: see `checkOutageBegan`. */
  outageBegan?: string;
}

const noReason = 'no reason was given';

/** Starts the plan that a person has confirmed; `started: false`: somebody was faster with the same move. */
export function startMove(
  session: Session,
  client: Client,
  { plan, reason, triggeredAt, outageBegan }: Confirmed,
): Promise<StartedRun> {
  const outageBeganAt = outageBegan === undefined ? {} : { outageBeganAt: new Date(outageBegan).toISOString() };
  const trigger = { reason: reason.trim() === '' ? noReason : reason.trim(), triggeredAt, ...outageBeganAt };
  return startOperation(session, client, { operation: plan.operation, plan, trigger });
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * UsageError unless `time` is in the past and has a zone: without its zone it means another time on every machine, and
 * a time in the future would make an RTO negative.
 */
export function checkOutageBegan(time: string | undefined, now: Date): void {
  if (time === undefined) return;
  if (!isoTime.test(time) || Number.isNaN(Date.parse(time))) {
    throw new UnderstudyError(
      'UsageError',
      `--outage-began: expected a time with its zone such as "2026-11-21T02:58:00Z", got "${time}"`,
    );
  }
  if (Date.parse(time) > now.getTime()) {
    throw new UnderstudyError(
      'UsageError',
      `--outage-began: expected a time that is past, got "${time}"; it is ${now.toISOString()} now`,
    );
  }
}
