/** Lists the unfinished jobs of a workspace, and those that a fence cancelled for a run that was itself cancelled. */
import type { Arm } from '../azure/azure.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';

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
}

/**
 * Lists the jobs as Azure's raw JSON.
 * Errors: AzureUnavailable, CredentialError, AzureError.
 */
export async function* collectJobs({ arm, workspace, signal, leftCancelled = {} }: CollectJobs): AsyncIterable<RawJob> {
  const cancelled = new Set(Object.keys(leftCancelled));
  const jobs = azureJobs(arm, workspace).unfinished({ cancelled, ...(signal ? { signal } : {}) });
  for await (const { raw } of jobs) yield raw;
}
