/** The outputs of a job that have a name are registered as assets when it has completed: data, or models. */

import { ArmError, type Cloud, type JsonObject, type Stored } from '../../../contract/index.ts';
import { objectOf, OWN_API_VERSION, textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { jobOutputUri, longUri } from '../../job-life/job-outputs.ts';
import { nextLook } from './children.ts';
import { outputsOf } from '../data/job-data.ts';
import { RunFailure } from '../data/run-failure.ts';

/**
 * Registers what the job, as it is now in the store, declares with an `assetName`: as its `assetVersion`, else as the
 * next one. While its region is dark this waits, unless `isStopped` says that nobody waits for it any more.
 *
 * Errors: RunFailure with the refusal of the asset (a version that is there with other content).
 */
export async function registerOutputs(cloud: Cloud, id: string, isStopped: () => boolean): Promise<void> {
  const job = cloud.store.get(id);
  if (!job) return;
  for (const [name, output] of outputsOf(job)) {
    const asset = textOf(output.assetName);
    if (asset === undefined) continue;
    while (cloud.isDark(job.region ?? '') && !isStopped()) await nextLook();
    if (isStopped()) return;
    const kind = textOf(output.jobOutputType) ?? 'uri_folder';
    const container = `${workspaceIdOf(id)}/${kind.endsWith('_model') ? 'models' : 'data'}/${asset}`;
    const version = textOf(output.assetVersion) ?? nextVersion(cloud, container);
    const properties = { ...describe(cloud, job, name, kind), description: output.description ?? null };
    try {
      await cloud.createResource(`${container}/versions/${version}`, { properties }, OWN_API_VERSION);
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      throw new RunFailure('UserError', `The output '${name}' could not be registered: ${error.message}`);
    }
  }
}

/** The best trial of a sweep has what the sweep made. */
function describe(cloud: Cloud, job: Stored, name: string, kind: string): JsonObject {
  const workspaceId = workspaceIdOf(job.resource.id);
  const best = textOf(objectOf(job.resource.properties.properties).best_child_run_id);
  const maker = (best === undefined ? undefined : cloud.store.get(`${workspaceId}/jobs/${best}`)) ?? job;
  const uri = longUri(workspaceId, jobOutputUri(maker.resource, name));
  return kind.endsWith('_model')
    ? { modelUri: uri, modelType: kind, jobName: maker.resource.name }
    : { dataUri: uri, dataType: kind };
}

function nextVersion(cloud: Cloud, container: string): string {
  return textOf(cloud.showResource(container)?.properties.nextVersion) ?? '1';
}
