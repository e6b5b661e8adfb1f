/**
 * A failover may end a switchover that has not set out to take the region pointer: the region has failed meanwhile.
 * What the switchover has done stays as it is (its schedules are stopped, its jobs drained), since the failover would
 * do the same. That goes for one that is being undone too: its undo waits for the region that has failed.
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { findRunning } from '../../client/runs.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import { isOpen } from '../../plan/run-states.ts';
import { changeRun, readRun } from '../../run/journal.ts';
import { findOpenRun } from '../../run/lease.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';
import { whoAmI } from './open-run.ts';

/** Whether the open run may be ended by a run of this operation. */
export function givesWay({ operation, state, committedAt }: RunDocument, to: Operation): boolean {
  const isHard = rowOf(to).movesWriter && rowOf(to).recoveryPoint === 'newest sealed';
  return isHard && rowOf(operation).givesWay && isOpen(state) && committedAt === undefined;
}

/**
 * Ends the open run, if it gives way, by compare-and-swap with its own taking of the pointer. Returns the run that was
 * ended.
 */
export async function supersede(
  { store }: Session,
  { operation, runId }: { operation: Operation; runId: string },
): Promise<RunDocument | undefined> {
  const open = (await findOpenRun(store, new Date()))?.run;
  if (!open || !givesWay(open, operation)) return undefined;
  const at = new Date().toISOString();
  const ended = await changeRun(store, open.runId, (found) =>
    givesWay(found, operation)
      ? {
          state: 'cancelled',
          stateReason: `run "${runId}" (${operation}) moves at once instead`,
          endedAt: at,
          paused: null,
          ...(found.cancelled ? {} : { cancelled: { by: whoAmI(), at } }),
          supersededBy: runId,
        }
      : undefined,
  );
  return ended.supersededBy === runId ? ended : undefined;
}

/** The workflow of a run that was ended this way would only find out that it has lost its lease. */
export async function endSupersededWorkflow(session: Session, client: Client, operation: Operation): Promise<void> {
  const running = await findRunning(client, { topology: session.topology.name, operation });
  if (!running) return;
  const by = (await readRun(session.store, running.runId))?.supersededBy;
  if (by === undefined) return;
  try {
    await running.handle.terminate(`superseded by run "${by}"`);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
