/** Archives an incomplete version in the standby and records why in a tag. Lists and labels then leave it out. */
import { apiVersions, type JsonObject } from '../azure/azure.ts';
import { objectAt } from '../azure/body/json.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { desiredAsset } from './asset-body.ts';
import { assetPath } from '../workspace/asset-types.ts';
import type { RestoreAsset } from './restore-asset.ts';

/** The tag that says what an archived asset has lost. */
export const lossTag = 'understudy.lost';
/** The longest tag value that Azure accepts, in characters. */
const longestTag = 256;

/** Returns why Azure refused, or undefined. */
export async function archiveAsset({
  line,
  arm,
  workspace,
  mapping,
  signal,
  why,
}: RestoreAsset & { why: string }): Promise<string | undefined> {
  const { properties } = desiredAsset(line, mapping);
  const body: JsonObject = {
    ...properties,
    isArchived: true,
    tags: { ...objectAt(properties, 'tags'), [lossTag]: why.slice(0, longestTag) },
  };
  try {
    await arm.put(assetPath(workspace, line), apiVersions.machineLearning, { properties: body }, { signal });
    return undefined;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return messageOf(error);
  }
}
