/**
 * Cancels a run. The cancel is recorded first, then carried out, so that it is not lost with a command, a worker or
 * Temporal.
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { UnderstudyError } from '../../errors/error.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import { isOpen } from '../../plan/run-states.ts';
import { changeRun, findNewestRun, readRun, requireRun } from '../../run/journal.ts';
import { readRunLease } from '../../run/lease.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { anyMove, attach, findOpen, nothingOpen, whoAmI, type StartedRun } from './open-run.ts';
import { retryRun } from './retry-run.ts';
import type { Session } from '../session.ts';
import { requireCompleted, type Watched } from './watch-run.ts';

/** The state of a cancel. */
export interface Cancelled {
  run: RunDocument;
  /** Somebody cancelled it before, and that has been carried out: nothing is left to do. */
  alreadyOver: boolean;
}

/**
 * Records by compare-and-swap that a run is cancelled: from then on it is only undone, on any Temporal. Without
 * `runId`: the open move, or the replication that runs. PreconditionError if the run is over, with how it ended.
 */
export async function cancelRun(
  session: Session,
  { runId, replication = false }: { runId: string | undefined; replication?: boolean },
): Promise<Cancelled> {
  const { store } = session;
  const id = runId ?? (await runToCancel(session, replication ? 'replicate' : anyMove));
  await requireRun(store, id);
  const run = await changeRun(store, id, (found) =>
    isOpen(found.state) && !found.cancelled
      ? {
          state: 'undoing',
          stateReason: null,
          endedAt: null,
          cancelled: { by: whoAmI(), at: new Date().toISOString() },
        }
      : undefined,
  );
  if (run.state === 'completed') throw tooLate(run);
  return { run, alreadyOver: run.state === 'cancelled' };
}

/** The open run. PreconditionError if none is open, with how the last one ended: the cancel may have come too late. */
async function runToCancel(session: Session, operation: Operation): Promise<string> {
  const open = await findOpen(session, operation);
  if (open) return open.runId;
  const last = await lastOf(session, operation);
  const ended = last && `; the last run, "${last.runId}", is over: ${endingOf(last)}`;
  throw await nothingOpen(session, operation, 'cancel', ended);
}

async function lastOf({ store }: Session, operation: Operation): Promise<RunDocument | undefined> {
  if (rowOf(operation).lease !== 'run') return findNewestRun(store, (run) => run.operation === operation);
  const lease = await readRunLease(store);
  return lease && readRun(store, lease.runId);
}

function endingOf({ state, endedAt }: Pick<RunDocument, 'state' | 'endedAt'>): string {
  return endedAt === undefined ? state : `${state} at ${endedAt}`;
}

/**
 * Checks how the run of a cancel ended. PreconditionError if it completed first, or failed; Declined if nobody watches
 * any more.
 */
export function requireCancelled(run: RunDocument, watched: Watched): void {
  if (watched.state === 'completed') throw tooLate({ ...run, state: 'completed' });
  if (watched.state !== 'cancelled') requireCompleted(watched);
}

function tooLate(run: RunDocument): UnderstudyError {
  return new UnderstudyError(
    'PreconditionError',
    `run "${run.runId}" is over: ${endingOf(run)}, before it was cancelled: there is nothing to cancel`,
    {
      next: rowOf(run.operation).movesWriter
        ? `See "understudy report ${run.runId}". To take it back: "understudy reprotect", then switch over in the other direction.`
        : `See "understudy report ${run.runId}".`,
    },
  );
}

/** Carries a cancel out on Temporal: cancels the workflow that runs, or starts a new one that undoes. */
export async function carryOutCancel(session: Session, client: Client, run: RunDocument): Promise<StartedRun> {
  const running = await attach(session, client, run.operation);
  if (running?.runId !== run.runId) return retryRun(session, client, run.runId);
  try {
    await running.handle.cancel();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    // It has ended since it was found: as cancelled, or without carrying the cancel out.
    if (isOpen((await requireRun(session.store, run.runId)).state)) return retryRun(session, client, run.runId);
  }
  return running;
}
