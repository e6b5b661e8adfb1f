/**
 * An asset may name its content through a job (`azureml://jobs/…/outputs/…`, `runs:/…`). A failover names the storage
 * path instead, since jobs do not move. After a failback, the asset there may name the job, and the recovery point the
 * path, although both mean the same.
 */
import type { Arm, ArmResource, JsonObject } from '../azure/azure.ts';
import { datastoreUri, parseAzureMlUri } from '../azure/ids.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { jobOutputs, joinPath } from '../workspace/jobs/job-outputs.ts';

/** Fields of a version that may name the output of a job. */
const fields = ['modelUri', 'dataUri'] as const;

/** The asset to resolve. */
export interface ResolveOutputs {
  arm: Arm;
  /** ARM id of the workspace that has the asset, and its name in parts. */
  workspace: string;
  ref: WorkspaceRef;
  signal: AbortSignal;
}

/**
 * Returns the properties with the storage path in place of the job. Undefined if they name no job.
 * Errors: AzureUnavailable.
 */
export async function withOutputsResolved(
  { properties }: Pick<ArmResource, 'properties'>,
  { arm, workspace, ref, signal }: ResolveOutputs,
): Promise<JsonObject | undefined> {
  const resolved: JsonObject = {};
  for (const field of fields) {
    const value = properties[field];
    const uri = typeof value === 'string' ? parseAzureMlUri(value) : undefined;
    if (uri?.scope.kind !== 'current') continue;
    const { target } = uri;
    if (target.kind !== 'job-output' && target.kind !== 'run') continue;
    const [job, output] = target.kind === 'run' ? [target.run, 'artifacts'] : [target.job, target.output];
    const place = await jobOutputs(arm, workspace, signal).find(job, output);
    resolved[field] = datastoreUri(ref, place.datastore, joinPath(place.path, target.path));
  }
  return Object.keys(resolved).length === 0 ? undefined : { ...properties, ...resolved };
}
