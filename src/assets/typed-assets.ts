/** The standby's assets through Azure's own typed client: another path than the raw one they were written by. */
import type { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import type { Json, JsonObject } from '../azure/azure.ts';
import { azureError } from '../azure/errors.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import type { AssetType } from '../workspace/asset-types.ts';

/** Version → its properties, for every version of one asset, archived ones too. An asset that is not there has none. */
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

/** Dates and undefined as JSON has them. */
function plain(properties: object): JsonObject {
  return JSON.parse(JSON.stringify(properties)) as Json as JsonObject;
}
