/** Lists the unfinished jobs of a workspace, and those that a fence cancelled in vain: whole. */
import { apiVersions, type Arm } from '../azure/azure.ts';
import { workspaceId } from '../topology/sides.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { isFinished, resumeWishOf, statusOf, type RawJob } from '../workspace/job.ts';

export interface CollectJobs {
  arm: Arm;
  workspace: WorkspaceRef;
  signal?: AbortSignal;
  /** Names of jobs that a fence has cancelled, and nothing has taken the place of: unfinished, though Azure calls them canceled. */
  leftCancelled?: Readonly<Record<string, string>>;
}

/** How many jobs are read side by side; the client paces itself below the subscription's limits anyway. */
const window = 8;

/**
 * Every job that has not finished, archived ones too, as Azure's raw JSON. A list may leave out parts of a job (the nodes of a
 * pipeline), so each unfinished one is read by itself; what has finished or gone by then is left out.
 * Errors: AzureUnavailable, CredentialError, AzureError.
 */
export async function* collectJobs({
  arm,
  workspace,
  signal,
  leftCancelled = {},
}: CollectJobs): AsyncIterable<RawJob> {
  const options = signal ? { signal } : {};
  const jobs = `${workspaceId(workspace)}/jobs`;
  const read = async (names: string[]): Promise<RawJob[]> => {
    const found = await Promise.all(
      names.map((name) => arm.find(`${jobs}/${name}`, apiVersions.machineLearning, options)),
    );
    return found.filter((job) => job !== undefined).filter(isUnfinished);
  };
  const isUnfinished = (job: RawJob): boolean => {
    const status = statusOf(job);
    if (!isFinished(status)) return true;
    // Its owner has had the last word on it.
    if (resumeWishOf(job) === 'never') return false;
    return status === 'Canceled' && Object.hasOwn(leftCancelled, job.name);
  };
  let names: string[] = [];
  for await (const listed of arm.list(`${jobs}?listViewType=All`, apiVersions.machineLearning, options)) {
    if (!isUnfinished(listed)) continue;
    names.push(listed.name);
    if (names.length < window) continue;
    yield* await read(names);
    names = [];
  }
  yield* await read(names);
}
