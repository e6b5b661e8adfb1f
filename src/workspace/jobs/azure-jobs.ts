/** The jobs of a workspace of Azure Machine Learning: implements `JobPlatform`. */
import { apiVersions, type Arm, type JsonObject } from '../../azure/azure.ts';
import type { JobPlatform, PlatformJob } from '../../run/work/job-platform.ts';
import { workspaceId } from '../../topology/sides.ts';
import type { WorkspaceRef } from '../../topology/topology.ts';
import { isFinished, resumeWishOf, statusOf, type RawJob } from './job.ts';

export type AzureJobs = JobPlatform<RawJob, { properties: JsonObject }>;

/** How many jobs are read concurrently. The client stays below the subscription's limits by itself. */
const window = 8;

/** The jobs of an Azure Machine Learning workspace, as the job platform that steps work with. */
export function azureJobs(arm: Arm, workspace: WorkspaceRef): AzureJobs {
  const jobs = `${workspaceId(workspace)}/jobs`;
  const version = apiVersions.machineLearning;
  const find: AzureJobs['find'] = async (name, options) => {
    const raw = await arm.find(`${jobs}/${name}`, version, options);
    return raw && platformJob(raw);
  };
  return {
    find,
    /**
     * Includes archived jobs. A list may omit parts of a job (the nodes of a pipeline), so each unfinished one is read
     * by itself. Jobs that finished or disappeared meanwhile are left out.
     */
    async *unfinished({ cancelled = new Set<string>(), ended = new Set<string>(), onListed, ...options } = {}) {
      const isWanted = (job: PlatformJob<RawJob>) =>
        !job.isFinished || ended.has(job.name) || isLeftCancelled(job, cancelled);
      let names: string[] = [];
      const read = async () => {
        const found = await Promise.all(names.map((name) => find(name, options)));
        names = [];
        return found.filter((job) => job !== undefined).filter(isWanted);
      };
      for await (const listed of arm.list(`${jobs}?listViewType=All`, version, options)) {
        onListed?.(listed);
        if (!isWanted(platformJob(listed))) continue;
        names.push(listed.name);
        if (names.length === window) yield* await read();
      }
      yield* await read();
    },
    cancel: (name, options) => arm.start(`${jobs}/${name}/cancel`, version, options),
    submit: async (name, spec, options) => void (await arm.put(`${jobs}/${name}`, version, spec, options)),
  };
}

function platformJob(raw: RawJob): PlatformJob<RawJob> {
  const status = statusOf(raw);
  return { name: raw.name, status, isFinished: isFinished(status), raw };
}

/** False if its owner has decided about the job. */
function isLeftCancelled({ name, status, raw }: PlatformJob<RawJob>, cancelled: ReadonlySet<string>): boolean {
  return status === 'Canceled' && cancelled.has(name) && resumeWishOf(raw) !== 'never';
}
