/** Archives a version in the standby that is not whole, and says so in a tag: lists and labels leave it out from then on. */
import { apiVersions, type JsonObject } from '../azure/azure.ts';
import { objectAt } from '../azure/body/json.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { desiredAsset } from './asset-body.ts';
import { pathOf, type RestoreAsset } from './restore-asset.ts';

export const lossTag = 'understudy.lost';
/** Azure takes values of 256 characters. */
const longestTag = 256;

/** Answers why Azure refuses it. */
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
    await arm.put(pathOf(workspace, line), apiVersions.machineLearning, { properties: body }, { signal });
    return undefined;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return messageOf(error);
  }
}
