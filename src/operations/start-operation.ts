/** Starts a run: bundle and plan into the control store, a header into the journal, then its workflow. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { findRunning, startRun, type RunHandle } from '../client/runs.ts';
import { peekPointer } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';
import { isOver } from '../plan/run-states.ts';
import { changeRun, findNewestRun, openRun, readRun, type RunDocument } from '../run/journal.ts';
import { readRunLease } from '../run/lease.ts';
import type { RunHeader } from '../run/outcome.ts';
import { isMove, type RunReference } from '../run/reference.ts';
import { outageOf } from './outage.ts';
import type { Session } from './session.ts';

export interface StartedRun {
  runId: string;
  handle: RunHandle;
  /** False: one ran already, and this is it. */
  started: boolean;
}

export interface Trigger {
  reason: string;
  triggeredAt: Date;
  /** What the person says; else what the health checks saw. */
  outageBeganAt?: string;
}

/** The run that does this operation already, if one does. */
export async function attach(
  session: Session,
  client: Client,
  operation: Plan['operation'],
): Promise<StartedRun | undefined> {
  const running = await findRunning(client, { topology: session.topology.name, operation });
  return running ? { ...running, started: false } : undefined;
}

export async function startOperation(
  session: Session,
  client: Client,
  plan: Plan,
  trigger: Trigger,
): Promise<StartedRun> {
  if (isMove(plan.operation)) {
    // Somebody may have been faster while this one was planned: theirs is watched.
    const running = await attach(session, client, plan.operation);
    if (running) return running;
    await refuseSecondRun(session, new Date());
  }
  const bundle = await session.store.seal('bundles', await session.bundle());
  const digest = await session.store.seal('plans', plan);
  const header: RunHeader = {
    runId: newRunId(plan.operation, trigger.triggeredAt),
    topology: plan.topology,
    operation: plan.operation,
    from: plan.from,
    to: plan.to,
    plan: digest,
    bundle,
    reason: trigger.reason,
    triggeredBy: `${userInfo().username}@${hostname()}`,
    triggeredAt: trigger.triggeredAt.toISOString(),
    ...(plan.recoveryPoint ? { recoveryPoint: plan.recoveryPoint.id } : {}),
    ...(plan.operation === 'failover'
      ? await outageOf(session.store, plan.from, { ...trigger, readAt: plan.recoveryPoint?.startedAt })
      : {}),
  };
  await openRun(session.store, header);
  const { handle, started } = await startRun(client, referenceOf(session, header));
  if (started) return { runId: header.runId, handle, started };
  // Somebody was faster by a moment: theirs runs, this one never began.
  await changeRun(session.store, header.runId, {
    state: 'cancelled',
    stateReason: 'another run was started first',
  });
  const running = await findRunning(client, header);
  return { runId: running?.runId ?? header.runId, handle, started: false };
}

/** Takes a run up again from its journal, on whatever Temporal there is now. */
export async function resumeRun(session: Session, client: Client, runId: string): Promise<StartedRun> {
  const header = await readRun(session.store, runId);
  if (!header) {
    throw new UnderstudyError('UsageError', `there is no run "${runId}"`, {
      next: 'List them with "understudy runs".',
    });
  }
  if (header.state === 'completed' || header.state === 'cancelled') {
    throw new UnderstudyError(
      'PreconditionError',
      `run "${runId}" is ${header.state}: there is nothing to resume`,
      {
        next: `See "understudy report ${runId}".`,
      },
    );
  }
  const { handle, started } = await startRun(client, { ...referenceOf(session, header), resumed: true });
  const running = started ? { runId } : await findRunning(client, header);
  if (running && running.runId !== runId) {
    throw new UnderstudyError(
      'FencedError',
      `run "${running.runId}" is running: "${runId}" cannot be resumed beside it`,
    );
  }
  return { runId, handle, started };
}

/** The newest move, if it has failed: it may have moved half of the workspace, and is taken up again or undone. */
export async function findFailedMove({ store }: Session): Promise<RunDocument | undefined> {
  const newest = await findNewestRun(store, ({ operation }) => isMove(operation));
  return newest?.state === 'failed' ? newest : undefined;
}

/** Undoes what the newest move has done before it failed. PreconditionError if it has not failed; FencedError where the pointer has moved since. */
export async function undoFailedMove(session: Session, client: Client): Promise<StartedRun> {
  const header = await findFailedMove(session);
  if (!header) {
    throw new UnderstudyError(
      'PreconditionError',
      `no run moves "${session.topology.name}" now, and the last one has not failed: there is nothing to cancel`,
      {
        next: 'See "understudy runs". What is completed is taken back by a move the other way; a recovery point that is being taken is ended with "understudy cancel --replication".',
      },
    );
  }
  const { handle, started } = await startRun(client, {
    ...referenceOf(session, header),
    resumed: true,
    undo: true,
  });
  return { runId: header.runId, handle, started };
}

/**
 * On another Temporal, or with none, a run may be unfinished: the control store knows. FencedError while one acts, or
 * when the one that moved the region pointer last has not ended: what it began must be ended before anything is planned.
 */
export async function refuseSecondRun({ store }: Session, now: Date): Promise<void> {
  const lease = await readRunLease(store);
  if (lease && lease.expiresAt > now.getTime()) {
    throw new UnderstudyError(
      'FencedError',
      `run "${lease.runId}" is acting on this topology, on another Temporal`,
      {
        next: `Watch it there, or take it over with "understudy resume-run ${lease.runId}".`,
      },
    );
  }
  const pointer = await peekPointer(store);
  const mover = pointer && (await readRun(store, pointer.value.changedBy));
  if (!mover || isOver(mover.state)) return;
  throw new UnderstudyError(
    'FencedError',
    `run "${mover.runId}" (${mover.from} → ${mover.to}) has moved the region pointer and has not ended: its journal says ${mover.state}, and this Temporal does not know it`,
    { next: `Take it up again: "understudy resume-run ${mover.runId}".` },
  );
}

function referenceOf(session: Session, header: RunHeader): RunReference {
  return {
    runId: header.runId,
    topology: header.topology,
    operation: header.operation,
    controlStore: session.topology.controlStore,
    plan: header.plan,
    bundle: header.bundle,
  };
}

/** `20261121T101500Z-failover-3f9a`: sorts by time, says what it is. */
function newRunId(operation: string, at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${time}-${operation}-${randomBytes(2).toString('hex')}`;
}
