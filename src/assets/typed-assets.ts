/** Reads the standby's assets through Azure's own typed client, instead of the raw requests that wrote them. */
import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { Json, JsonObject } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import type { AssetType } from '../workspace/asset-types.ts';

/**
 * Returns version → properties for every version of one asset, including archived ones. Empty if the asset does not
 * exist.
 */
export async function typedVersions(
  client: AzureMachineLearningWorkspaces,
  { resourceGroup, name: workspace }: WorkspaceRef,
  type: AssetType,
  name: string,
  abortSignal: AbortSignal,
): Promise<Map<string, JsonObject>> {
  const found = new Map<string, JsonObject>();
  try {
    for await (const { name: version, properties } of listVersions(
      client,
      type,
      [resourceGroup, workspace, name],
      abortSignal,
    )) {
      if (version !== undefined) found.set(version, plain(properties));
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return found;
    throw azureError(`listing the versions of ${type}/${name} in "${workspace}"`, error, abortSignal.aborted);
  }
  return found;
}

function listVersions(
  client: AzureMachineLearningWorkspaces,
  type: AssetType,
  place: [resourceGroup: string, workspace: string, name: string],
  abortSignal: AbortSignal,
): AsyncIterable<{ name?: string; properties: object }> {
  const all = { listViewType: 'All', abortSignal };
  switch (type) {
    case 'codes':
      return client.codeVersions.list(...place, { abortSignal });
    case 'environments':
      return client.environmentVersions.list(...place, all);
    case 'models':
      return client.modelVersions.list(...place, all);
    case 'data':
      return client.dataVersions.list(...place, all);
    case 'components':
      return client.componentVersions.list(...place, all);
  }
}

/** Converts dates and undefined to their JSON form. */
function plain(properties: object): JsonObject {
  return JSON.parse(JSON.stringify(properties)) as Json as JsonObject;
}
