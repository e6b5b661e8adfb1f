/** Lists the unfinished jobs of a workspace, and those that a fence cancelled for a run that was itself cancelled. */
import type { Arm } from '../azure/azure.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { isFinished, withStatus, type RawJob } from '../workspace/jobs/job.ts';

/** What listing the unfinished jobs needs. */
export interface CollectJobs {
  arm: Arm;
  workspace: WorkspaceRef;
  signal?: AbortSignal;
  /**
   * Names of jobs that a fence has cancelled and that have no successor. They count as unfinished, although Azure calls
   * them canceled.
   */
  leftCancelled?: Readonly<Record<string, string>>;
  /**
   * Jobs that this run has drained, or set out to: they too count as unfinished, in the state in which they were before
   * it cancelled them.
   */
  drained?: ReadonlyMap<string, { status: string }>;
  /** Called for every job that there is, finished or not. */
  onListed?: (job: RawJob) => void;
}

/**
 * Lists the jobs as Azure's raw JSON.
 * Errors: AzureUnavailable, CredentialError, AzureError.
 */
export async function* collectJobs(request: CollectJobs): AsyncIterable<RawJob> {
  const { arm, workspace, signal, leftCancelled = {}, onListed } = request;
  const { drained = new Map<string, { status: string }>() } = request;
  const cancelled = new Set(Object.keys(leftCancelled));
  const options = {
    cancelled,
    ended: new Set(drained.keys()),
    ...(onListed ? { onListed } : {}),
    ...(signal ? { signal } : {}),
  };
  for await (const { name, status, raw } of azureJobs(arm, workspace).unfinished(options)) {
    const before = drained.get(name)?.status;
    // It was faster than the cancel.
    if (before !== undefined && status === 'Completed') continue;
    yield before === undefined || !isCancelled(status) ? raw : withStatus(raw, before);
  }
}

/** Whether a cancel shows: one that Azure has not accepted leaves the job as it was. */
function isCancelled(status: string): boolean {
  return status === 'CancelRequested' || isFinished(status);
}
