/** Lists the unfinished jobs of a workspace, and those that a fence cancelled for a run that was itself cancelled. */
import type { Arm } from '../azure/azure.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { withStatus, type RawJob } from '../workspace/jobs/job.ts';

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
  /** Jobs that this run has drained: they too count as unfinished, in the state in which they were before. */
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
  for await (const { name, raw } of azureJobs(arm, workspace).unfinished(options)) {
    const before = drained.get(name)?.status;
    yield before === undefined ? raw : withStatus(raw, before);
  }
}
