/** Resolves the output of a job: what `azureml://jobs/{job}/outputs/{output}` and `runs:/{job}` refer to. */
import { z } from 'zod';
import { apiVersions, type Arm } from '../../azure/azure.ts';
import { objectAt, textAt } from '../../azure/body/json.ts';
import { outputPlace } from './checkpoint.ts';
import type { RawJob } from './job.ts';

/** Where one output of a job is. */
export const JobOutputLine = z.strictObject({
  job: z.string(),
  /** MLflow's run artifacts are the output `artifacts`. */
  output: z.string(),
  datastore: z.string(),
  path: z.string(),
});
export type JobOutputLine = z.infer<typeof JobOutputLine>;

/** Looks up outputs of jobs. */
export interface JobOutputs {
  find(job: string, output: string): Promise<JobOutputLine>;
  /** Returns all outputs that were looked up. */
  all(): JobOutputLine[];
}

/**
 * Jobs are immutable, so each is read once. If a job no longer exists, its outputs are assumed where Azure puts them by
 * default.
 */
export function jobOutputs(arm: Arm, workspace: string, signal: AbortSignal): JobOutputs {
  const found = new Map<string, JobOutputLine>();
  return {
    async find(job, output) {
      const key = `${job}/${output}`;
      const known = found.get(key);
      if (known) return known;
      const resource = await arm.find(`${workspace}/jobs/${encodeURIComponent(job)}`, apiVersions.machineLearning, {
        signal,
      });
      const declared = resource && outputPlace(resource, output);
      const line: JobOutputLine = { job, output, ...(declared ?? defaultPlace(job, output)) };
      found.set(key, line);
      return line;
    },
    all: () => [...found.values()].toSorted((a, b) => (`${a.job}/${a.output}` < `${b.job}/${b.output}` ? -1 : 1)),
  };
}

/** Returns where a job writes an output, by its spec. */
export function placeOfOutput(job: RawJob, output: string): { datastore: string; path: string } | { address: string } {
  const declared = objectAt(objectAt(job.properties, 'outputs') ?? {}, output);
  const uri = textAt(declared ?? {}, 'uri') ?? '';
  if (/^(?!azureml:)[a-z]+:\/\//i.test(uri)) return { address: uri };
  return outputPlace(job, output) ?? defaultPlace(job.name, output);
}

/**
 * Run artifacts (MLflow's, and the output `default`) are in the artifact store. Named outputs are in the default
 * datastore.
 */
function defaultPlace(job: string, output: string): { datastore: string; path: string } {
  return output === 'artifacts' || output === 'default'
    ? { datastore: 'workspaceartifactstore', path: `ExperimentRun/dcid.${job}` }
    : { datastore: 'workspaceblobstore', path: `azureml/${job}/${output}` };
}

/** Joins paths: `model/` of `runs:/x/model`. */
export function joinPath(...parts: string[]): string {
  return parts
    .map((part) => part.replace(/^\/+|\/+$/g, ''))
    .filter((part) => part !== '')
    .join('/');
}
