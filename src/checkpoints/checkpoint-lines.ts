/** The blobs of checkpoint folders, found in one reading of a recovery point's blobs however many jobs there are. */
import { sameName } from '../azure/ids.ts';
import { isHopFolder } from '../workspace/jobs/hop-folder.ts';
import type { DatastorePath } from '../workspace/jobs/checkpoint.ts';
import { isFolderMarker } from '../azure/storage/blobs.ts';
import type { DatastorePlace } from '../workspace/datastores.ts';
import type { BlobLine } from '../recovery-point/manifest.ts';
import type { BlobRoot } from '../workspace/places.ts';

/** Where in which account a path of a datastore is; undefined where the datastore is none of blobs. */
export function folderAt(
  { datastore, path }: DatastorePath,
  datastores: readonly DatastorePlace[],
): BlobRoot | undefined {
  const blob = datastores.find(({ name }) => sameName(name, datastore))?.blob;
  return blob && { ...blob, path: path.replace(/^\/+|\/+$/g, '') };
}

/**
 * Calls `visit` for each file below each of the folders, one of which may lie in another. What successors write to a folder of their
 * hop below the path of their origin belongs to them alone; a marker of a folder is no file.
 */
export async function visitFolders<T extends BlobRoot, L extends Located>(
  folders: Iterable<T>,
  lines: AsyncIterable<L>,
  visit: (folder: T, line: L) => void,
): Promise<void> {
  const byPlace = Map.groupBy(folders, placeKey);
  if (byPlace.size === 0) return;
  for await (const line of lines) {
    if (isFolderMarker({ sizeBytes: -1, ...line })) continue;
    for (const path of ancestors(line.path)) {
      for (const folder of byPlace.get(placeKey({ ...line, path })) ?? []) {
        const [first = ''] = belowFolder(folder, line).split('/');
        if (!isHopFolder(first)) visit(folder, line);
      }
    }
  }
}

/** Of a list of blobs: copied ones, or those that changed meanwhile. */
type Located = Pick<BlobLine, 'account' | 'container' | 'path'> &
  Partial<Pick<BlobLine, 'sizeBytes' | 'metadata'>>;

/** The blob's path below a folder that it lies in. */
export function belowFolder(folder: Pick<BlobRoot, 'path'>, line: Pick<BlobLine, 'path'>): string {
  return folder.path === '' ? line.path : line.path.slice(folder.path.length + 1);
}

/** Names of accounts are compared without regard to case. */
function placeKey({ account, container, path }: BlobRoot): string {
  return `${account.toLowerCase()}/${container}/${path}`;
}

/** `a/b/c`: '', 'a', 'a/b'. */
function ancestors(path: string): string[] {
  const segments = path.split('/').slice(0, -1);
  return ['', ...segments.map((_, index) => segments.slice(0, index + 1).join('/'))];
}
