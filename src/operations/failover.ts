/**
 * A failover as a command requests it: what is open already, the plan and the health that a person confirms, and its
 * start.
 */
import type { Client } from '@temporalio/client';
import { readPointer } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';
import { sideOf } from '../topology/sides.ts';
import { checkHealth, type Health } from './health.ts';
import { lookAtConfigs } from './look-at-configs.ts';
import { isNeverStarted } from './runs/never-started.ts';
import { attach, findOpen, refusedBy, type StartedRun } from './runs/open-run.ts';
import { planFailover, planningOf, requireNoProblem, type MadePlan } from './plan-operation.ts';
import type { Session } from './session.ts';
import type { TargetLook } from '../switch/look-at-configs.ts';
import { startOperation } from './runs/start-operation.ts';

/** What a person asks for with a failover. */
export interface FailoverRequest {
  /** The region to move to; default: the one that is not active. */
  to?: string;
  /** Default: the newest. */
  recoveryPoint?: string;
  /** Names of what the move goes without. */
  acceptLoss?: string[];
  /** Nobody watches: it asks before what cannot be taken back. */
  unattended?: boolean;
}

/** The result of requesting a failover. */
export type Asked =
  /** A failover to that region is open, and this Temporal executes it. */
  | { found: 'running'; run: StartedRun }
  /** The region is the active one: there is nothing to move. */
  | { found: 'moved'; region: string; epoch: number }
  /**
   * A plan that would not fail, the health of the region that it leaves, and what was found of the config files, which
   * does not block the move: for a person to confirm.
   */
  | { found: 'plan'; made: MadePlan; health: Health; configs: TargetLook[] };

/**
 * Changes nothing but the stored health of the region. FencedError: another run is open; PreconditionError,
 * RecoveryPointError: the move would fail.
 */
export async function askForFailover(session: Session, client: Client, request: FailoverRequest): Promise<Asked> {
  const { to } = request;
  if (to !== undefined) sideOf(session.topology, to);
  const run = await runningTo(session, client, to);
  if (run) return { found: 'running', run };
  const epoch = await epochIn(session, to);
  if (to !== undefined && epoch !== undefined) return { found: 'moved', region: to, epoch };
  const made = await planFailover(await planningOf(session), request);
  requireNoProblem(made);
  const [health, configs] = await Promise.all([
    checkHealth(session, made.plan.from),
    lookAtConfigs(session.topology, made.plan, () => Promise.resolve(client)),
  ]);
  return { found: 'plan', made, health, configs };
}

/** The open failover to the same region, if this Temporal executes it. FencedError if another run is open. */
async function runningTo(session: Session, client: Client, to: string | undefined): Promise<StartedRun | undefined> {
  const open = await findOpen(session, 'failover');
  if (!open || (await isNeverStarted(session, client, open))) return undefined;
  const running = await attach(session, client, open.operation);
  const isSame = running?.runId === open.runId && open.operation === 'failover' && !open.cancelled;
  if (isSame && (to === undefined || to === open.to)) return running;
  throw refusedBy({ runId: open.runId, run: open });
}

/** The epoch in which the region is the active one; undefined if it is not active. */
async function epochIn({ store, topology }: Session, region: string | undefined): Promise<number | undefined> {
  if (region === undefined) return undefined;
  const pointer = await readPointer(store, { topology, who: 'failover', now: new Date() });
  return pointer.writer === region ? pointer.epoch.number : undefined;
}

/** A failover that a person has confirmed. */
export interface Confirmed {
  plan: Plan;
  reason: string;
  triggeredAt: Date;
  /** When the outage began, as a person gave it: see `checkOutageBegan`. */
  outageBegan?: string;
}

const noReason = 'no reason was given';

/** Starts the plan that a person has confirmed; `started: false`: somebody was faster with the same move. */
export function startFailover(
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
