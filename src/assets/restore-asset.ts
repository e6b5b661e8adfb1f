/** Registers one container or version in the standby, and reads it back. */
import { apiVersions, type Arm, type ArmResource, type JsonObject } from '../azure/azure.ts';
import type { ReferenceMapping } from '../azure/ids.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { assetPath, writableAsset } from '../workspace/asset-types.ts';
import { compareAsset, desiredAsset, isMutable, showDifferences, type AssetDifference } from './asset-body.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';
import { withOutputsResolved, type ResolveOutputs } from './resolve-outputs.ts';

/** `lost`: some of its blobs are lost, and a person has accepted that. */
export type RestoredAsset = { state: 'restored' | 'already' } | { state: 'failed'; reason: string; lost?: true };

/** What restoring one asset needs. */
export interface RestoreAsset {
  line: AssetLine;
  arm: Arm;
  /** ARM id of the standby's workspace. */
  workspace: string;
  mapping: ReferenceMapping;
  /** What another side made under this name, and may be replaced: as it is sealed. */
  replaceable?: AssetLine | undefined;
  signal: AbortSignal;
}

/**
 * Registers an asset. If Azure refuses it, the result is a failure with the reason.
 * Errors: AzureUnavailable.
 */
export async function restoreAsset(request: RestoreAsset): Promise<RestoredAsset> {
  const { line, arm, workspace, mapping, signal } = request;
  const { properties, unmapped } = desiredAsset(line, mapping);
  if (unmapped.length > 0) {
    const reasons = unmapped.map(({ place, reason }) => `${place}: ${reason}`);
    return { state: 'failed', reason: `it cannot be rewritten: ${reasons.join('; ')}` };
  }
  const path = assetPath(workspace, line);
  const held = await arm.find(path, apiVersions.machineLearning, { signal });
  if (held) {
    const different = await differencesFrom(properties, held, { arm, workspace, ref: mapping.to, signal });
    if (different.length === 0) return { state: 'already' };
    const fixed = different.filter((each) => !isMutable(each));
    if (fixed.length > 0 && line.version !== undefined) {
      const refusal = isReplaceable(request, held)
        ? await remove(request, path)
        : `there is another one of this name: ${showDifferences(fixed)}`;
      if (refusal !== undefined) return { state: 'failed', reason: refusal };
    }
  }
  let refusal: string | undefined;
  try {
    await arm.put(path, apiVersions.machineLearning, { properties }, { signal });
  } catch (error) {
    // A lost response or a second attempt can also lead here: check what is there.
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    refusal = messageOf(error);
  }
  const now = await arm.find(path, apiVersions.machineLearning, { signal });
  const different = now ? compareAsset(properties, now) : [];
  if (now && different.length === 0) return { state: 'restored' };
  return {
    state: 'failed',
    reason: refusal ?? (now ? `Azure stored it differently: ${showDifferences(different)}` : 'it is gone again'),
  };
}

/** It is still what was sealed. What Azure fixes cannot be changed otherwise than by making the version again. */
function isReplaceable({ replaceable }: RestoreAsset, held: ArmResource): boolean {
  if (!replaceable) return false;
  const { type, resource } = replaceable;
  return compareAsset(writableAsset(type, resource.properties), held).every(isMutable);
}

/** Returns why Azure refused, or undefined. */
async function remove({ arm, signal }: RestoreAsset, path: string): Promise<string | undefined> {
  try {
    await arm.remove(path, apiVersions.machineLearning, { signal });
    return undefined;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return `another one has this name, and is not to be replaced: ${messageOf(error)}`;
  }
}

async function differencesFrom(
  properties: JsonObject,
  held: ArmResource,
  place: ResolveOutputs,
): Promise<AssetDifference[]> {
  const different = compareAsset(properties, held);
  if (different.length === 0) return different;
  const resolved = await withOutputsResolved(held, place);
  return resolved ? compareAsset(properties, { ...held, properties: resolved }) : different;
}
