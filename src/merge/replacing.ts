/**
 * What a step may replace: versions and files of the side whose content does not count, as they are sealed in a
 * recovery point. Anything else that the workspace has under the same name stays.
 */
import type { ControlStore } from '../control-store/store.ts';
import { assetsAt, readAssetPlaces } from '../recovery-point/asset-places.ts';
import type { AssetLine, BlobLine, SealedManifest } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { assetKey, assetTypeNames, isAssetKey } from '../workspace/asset-types.ts';
import { fileNames } from './read-items.ts';

/** By item, and by place. */
export interface Replaceable {
  /** As the recovery point has it. */
  asset(item: string): AssetLine | undefined;
  /** Its content in the recovery point; undefined: what is there must stay. */
  blob(place: Pick<BlobLine, 'account' | 'container' | 'path'>): Pick<BlobLine, 'md5' | 'sizeBytes'> | undefined;
}

export const nothingReplaceable: Replaceable = { asset: () => undefined, blob: () => undefined };

/** Errors: RecoveryPointError; AzureUnavailable. */
export async function readReplaceable(
  store: ControlStore,
  sealed: SealedManifest,
  items: ReadonlySet<string>,
): Promise<Replaceable> {
  if (items.size === 0) return nothingReplaceable;
  const assets = new Map<string, AssetLine>();
  for (const type of assetTypeNames)
    for await (const line of readPart(store, sealed, type)) {
      const key = assetKey(line.type, line.name, line.version);
      if (items.has(key)) assets.set(key, line);
    }
  const blobs = new Map<string, Pick<BlobLine, 'md5' | 'sizeBytes'>>();
  const places = await readAssetPlaces(store, sealed);
  const nameOf = await fileNames(store, sealed);
  for await (const line of readPart(store, sealed, 'blobs')) {
    const of = assetsAt(places, line)
      .map(({ asset }) => asset)
      .filter((asset) => isAssetKey(asset));
    const names = of.length > 0 ? of : [nameOf(line)];
    const { md5, sizeBytes } = line;
    if (names.some((name) => items.has(name))) blobs.set(keyOf(line), { md5, sizeBytes });
  }
  return { asset: (item) => assets.get(item), blob: (place) => blobs.get(keyOf(place)) };
}

function keyOf({ account, container, path }: Pick<BlobLine, 'account' | 'container' | 'path'>): string {
  return `${account.toLowerCase()}/${container}/${path}`;
}
