/** Which assets a blob of a recovery point belongs to. */
import type { ControlStore } from '../control-store/store.ts';
import { rootsOf, type BlobLine, type SealedManifest } from './manifest.ts';
import { readPart } from './recovery-point.ts';

/**
 * Assets by account, container and path of what contains them. A lookup depends on the depth of a path, not on the
 * number of units. A job's checkpoints are not in it: they are copied and compared when the job is resubmitted.
 */
export type AssetPlaces = ReadonlyMap<string, readonly string[]>;

/** Errors: RecoveryPointError. */
export async function readAssetPlaces(store: ControlStore, sealed: SealedManifest): Promise<AssetPlaces> {
  const found = new Map<string, string[]>();
  for await (const { account, container, places } of readPart(store, sealed, 'units')) {
    for (const { asset, path } of places.filter(({ growing }) => !growing)) {
      const key = keyOf(account, container, path);
      found.set(key, [...(found.get(key) ?? []), asset]);
    }
  }
  return found;
}

/**
 * The assets that a blob belongs to, each with its path in the unit: more than once if it has several that contain it.
 */
export function assetsAt(
  places: AssetPlaces,
  { account, container, path }: Pick<BlobLine, 'account' | 'container' | 'path'>,
): { asset: string; root: string }[] {
  return rootsOf(path).flatMap((root) =>
    (places.get(keyOf(account, container, root)) ?? []).map((asset) => ({ asset, root })),
  );
}

function keyOf(account: string, container: string, path: string): string {
  return `${account}/${container}/${path}`;
}
