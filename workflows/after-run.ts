/** Workflows that a run starts as it ends, and that outlive it. */
import { log, ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import type { RunExecution, RunReference } from '../src/run/reference.ts';
import { causeOf } from './interpret.ts';

/** Starts the workflow that makes the region which was left a standby again. A person can do it too. */
export async function startFollowing(run: RunExecution): Promise<void> {
  // In histories of release 0.3.0 nothing followed.
  if (!patched('reprotect-follows-a-move')) return;
  await startAfter('followMove', run, {
    id: 'followed',
    summary: `reprotects what ${run.runId} has left`,
    ifNot: 'nothing follows the run',
  });
}

/**
 * Starts the workflow that notifies of the run's end and outlives the run. If it does not start, `status` says that
 * nobody was told.
 */
export async function startTelling(run: RunExecution): Promise<void> {
  // In histories of release 0.2.0, the report told of the end too.
  if (!patched('telling-outlives-the-run')) return;
  await startAfter('tellOfEnd', run, {
    id: 'told',
    summary: `tells how ${run.runId} ended`,
    ifNot: 'nobody is told how the run ended',
  });
}

interface After {
  /** Of the workflow, below that of the run. */
  id: string;
  summary: string;
  /** What is logged if it does not start. */
  ifNot: string;
}

async function startAfter(
  workflow: 'followMove' | 'tellOfEnd',
  { holder, resumed: _resumed, ...reference }: RunExecution,
  { id, summary, ifNot }: After,
): Promise<void> {
  try {
    await startChild<(run: RunReference) => Promise<void>>(workflow, {
      workflowId: `${workflowInfo().workflowId}/${id}/${holder}`,
      args: [reference],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: summary,
    });
  } catch (error) {
    log.warn(ifNot, { run: reference.runId, cause: causeOf(error) });
  }
}
