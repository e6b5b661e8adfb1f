/**
 * Starts a run: acquires its lease, records it, starts its workflow. If a command is killed between two of these, the
 * next command ends what it left.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { startRun } from '../../client/runs.ts';
import { readPointer } from '../../control-store/region-pointer.ts';
import { messageOf } from '../../errors/error.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import type { Plan } from '../../plan/plan.ts';
import { isOver } from '../../plan/run-states.ts';
import { bundleFolder, bundles } from '../../run/bundle.ts';
import { changeRun, openRun } from '../../run/journal.ts';
import { findOpenRun, releaseRunLease, takeRunLease, type OpenRun } from '../../run/lease.ts';
import { planFolder, plans } from '../../run/plan-document.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { endNeverStarted } from './never-started.ts';
import { endSupersededWorkflow, supersede } from './supersede.ts';
import { attach, referenceOf, refusedBy, whoAmI, type StartedRun } from './open-run.ts';
import { outageOf } from '../outage.ts';
import { registerIfNone } from '../register.ts';
import type { Session } from '../session.ts';

/** Why and when a run was started. */
export interface Trigger {
  reason: string;
  triggeredAt: Date;
  /** What the person said; absent: what the health checks saw. */
  outageBeganAt?: string;
  /** How long it may take in all, in seconds; default: the topology's policy. */
  deadlineSeconds?: number;
}

interface Start {
  operation: Operation;
  /** A plan that a person has confirmed; without one the run makes its own. */
  plan?: Plan;
  /** Digest of a bundle in the control store; default: the session's. */
  bundle?: string;
  trigger: Trigger;
}

/** FencedError if another run is open, with how to end that one. */
export async function startOperation(
  session: Session,
  client: Client,
  { operation, plan, bundle, trigger }: Start,
): Promise<StartedRun> {
  const { store } = session;
  const runId = newRunId(operation, trigger.triggeredAt);
  // If the pointer is lost, nothing can begin: fail at once, with what to do.
  await readPointer(store, { topology: session.topology, who: runId, now: new Date() });
  await endNeverStarted(session, client, operation);
  const ended = await supersede(session, { operation, runId });
  if (rowOf(operation).lease === 'run') {
    const open = await takeRunLease(store, { runId, now: new Date() });
    if (open) return watchSame(session, client, open, plan);
  }
  const sealed = bundle ?? (await bundles.seal(store, bundleFolder, await session.bundle()));
  await registerIfNone(store, sealed, whoAmI());
  const { reason, triggeredAt, outageBeganAt, deadlineSeconds } = trigger;
  const run: Omit<RunDocument, 'state'> = {
    runId,
    topology: session.topology.name,
    operation,
    bundle: sealed,
    reason,
    triggeredBy: whoAmI(),
    triggeredAt: triggeredAt.toISOString(),
    ...(ended ? { supersedes: ended.runId } : {}),
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    ...(plan ? await confirmed(session, plan, { triggeredAt, ...(outageBeganAt && { outageBeganAt }) }) : {}),
  };
  await openRun(store, run);
  return startWorkflow(session, client, run);
}

/** How long to wait for the run of somebody who was a moment faster to appear. */
const startingMs = 15_000;

/** Somebody was faster. The same move is watched; any other run is a FencedError. */
async function watchSame(session: Session, client: Client, open: OpenRun, plan: Plan | undefined): Promise<StartedRun> {
  for (const until = Date.now() + startingMs; ; await delay(300)) {
    const now = await findOpenRun(session.store, new Date());
    const run = now?.runId === open.runId ? now.run : open.run;
    const isSame =
      !run || (run.operation === plan?.operation && run.to === plan.to && !run.cancelled && !isOver(run.state));
    if (!isSame) throw refusedBy({ ...open, ...(run ? { run } : {}) });
    const running = run && (await attach(session, client, run.operation));
    if (running?.runId === open.runId) return running;
    if (Date.now() > until) throw refusedBy({ ...open, ...(run ? { run } : {}) });
  }
}

async function confirmed({ store }: Session, plan: Plan, trigger: Pick<Trigger, 'triggeredAt' | 'outageBeganAt'>) {
  const { from, to, recoveryPoint } = plan;
  return {
    plan: await plans.seal(store, planFolder, plan),
    from,
    to,
    ...(recoveryPoint ? { recoveryPoint: recoveryPoint.id } : {}),
    ...(rowOf(plan.operation).movesWriter
      ? await outageOf(store, from, { ...trigger, readAt: recoveryPoint?.startedAt })
      : {}),
  };
}

/** A run whose workflow cannot be started never began. It is recorded as such, and blocks no other. */
async function startWorkflow(session: Session, client: Client, run: Omit<RunDocument, 'state'>): Promise<StartedRun> {
  const { store } = session;
  const give = async (change: Pick<RunDocument, 'state' | 'stateReason'>) => {
    // It may have begun all the same (the response to its start was lost): then it continues.
    const endedAt = new Date().toISOString();
    const given = await changeRun(store, run.runId, ({ state }) =>
      state === 'pending' ? { ...change, endedAt } : undefined,
    );
    if (given.state !== change.state) return;
    await releaseRunLease(store, { runId: run.runId, ended: true });
  };
  try {
    await endSupersededWorkflow(session, client, run.operation);
    const { handle, started, runId } = await startRun(client, referenceOf(session, run));
    // Another command may have found it recorded and not executed, and started it in the meantime: then this is the
    // run.
    if (runId !== run.runId) await give({ state: 'cancelled', stateReason: `run "${runId}" was started first` });
    return { runId, handle, started };
  } catch (error) {
    await give({ state: 'failed', stateReason: `its workflow was not started: ${messageOf(error)}` });
    throw error;
  }
}

/** `20261121T101500Z-failover-3f9a`: sorts by time, says what it is. */
function newRunId(operation: string, at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${time}-${operation}-${randomBytes(2).toString('hex')}`;
}
