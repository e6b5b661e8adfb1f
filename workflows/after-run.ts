/** Workflows that a run starts as it ends, and that outlive it. */
import { log, ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import type { RunExecution } from '../src/run/reference.ts';
import type { followMove } from './follow-move.ts';
import { causeOf } from './interpret.ts';
import type { tellOfEnd } from './tell-of-end.ts';

/** Starts the workflow that makes the region which was left a standby again. A person can do it too. */
export async function startFollowing({ holder, resumed: _resumed, ...reference }: RunExecution): Promise<void> {
  // In histories of release 0.3.0 nothing followed.
  if (!patched('reprotect-follows-a-move')) return;
  try {
    await startChild<typeof followMove>('followMove', {
      workflowId: `${workflowInfo().workflowId}/followed/${holder}`,
      args: [reference],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `reprotects what ${reference.runId} has left`,
    });
  } catch (error) {
    log.warn('nothing follows the run', { run: reference.runId, cause: causeOf(error) });
  }
}

/**
 * Starts the workflow that notifies of the run's end and outlives the run. If it does not start, `status` says that
 * nobody was told.
 */
export async function startTelling({ holder, resumed: _resumed, ...reference }: RunExecution): Promise<void> {
  // In histories of release 0.2.0, the report told of the end too.
  if (!patched('telling-outlives-the-run')) return;
  try {
    await startChild<typeof tellOfEnd>('tellOfEnd', {
      workflowId: `${workflowInfo().workflowId}/told/${holder}`,
      args: [reference],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `tells how ${reference.runId} ended`,
    });
  } catch (error) {
    log.warn('nobody is told how the run ended', { run: reference.runId, cause: causeOf(error) });
  }
}
