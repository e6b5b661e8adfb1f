/**
 * A run that was recorded and whose workflow was never started: its command was killed between the two. Nothing was
 * done for it. The next start of a run ends it; `retry` starts it after all, and `cancel` ends it.
 */
import type { Client } from '@temporalio/client';
import type { ControlStore } from '../../control-store/store.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import { changeRun, listOpenRuns } from '../../run/journal.ts';
import { findOpenRun, readRunLease, releaseRunLease, runLeaseMs } from '../../run/lease.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { attach } from './open-run.ts';
import type { Session } from '../session.ts';

/**
 * Whether nobody will start the run any more: it has not begun, this Temporal does not execute it, and its command has
 * had its time.
 */
export async function isNeverStarted(
  session: Session,
  client: Client,
  run: RunDocument,
  now = new Date(),
): Promise<boolean> {
  if (run.state !== 'pending' || run.cancelled) return false;
  if (now.getTime() < (await startsUntil(session.store, run))) return false;
  return (await attach(session, client, run.operation))?.runId !== run.runId;
}

/**
 * Until when a command may still be starting it (milliseconds since 1970). A person may have confirmed long after the
 * trigger.
 */
async function startsUntil(store: ControlStore, { runId, operation, triggeredAt }: RunDocument) {
  const lease = rowOf(operation).lease === 'run' ? await readRunLease(store) : undefined;
  return lease?.runId === runId ? lease.expiresAt : Date.parse(triggeredAt) + runLeaseMs;
}

/** Ends a run that has not begun; leaves any other as it is. */
export async function endPending(store: ControlStore, runId: string, why: string, now: Date): Promise<void> {
  await changeRun(store, runId, ({ state, cancelled }) =>
    state === 'pending' && !cancelled
      ? { state: 'cancelled', stateReason: why, endedAt: now.toISOString() }
      : undefined,
  );
}

/** Ends runs that were never started: one would block a new run of this operation, or stay open for good. */
export async function endNeverStarted(session: Session, client: Client, operation: Operation): Promise<void> {
  const { store } = session;
  const found =
    rowOf(operation).lease === 'run'
      ? [(await findOpenRun(store, new Date()))?.run]
      : (await listOpenRuns(store)).runs.filter((run) => run.operation === operation);
  for (const run of found) {
    if (!run || !(await isNeverStarted(session, client, run))) continue;
    const why = 'never started: its command was cut off before it started the workflow';
    await endPending(store, run.runId, why, new Date());
    await releaseRunLease(store, { runId: run.runId, ended: true });
  }
}
