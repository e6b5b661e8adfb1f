/** Finds the blobs of checkpoint folders by reading a recovery point's blobs once, however many jobs there are. */
import { sameName } from '../azure/ids.ts';
import { isHopFolder } from '../workspace/jobs/hop-folder.ts';
import type { DatastorePath } from '../workspace/jobs/checkpoint.ts';
import { isFolderMarker } from '../azure/storage/blobs.ts';
import type { DatastorePlace } from '../workspace/datastores.ts';
import { rootsOf, type BlobLine } from '../recovery-point/manifest.ts';
import type { BlobRoot } from '../workspace/places.ts';

/** Returns the account and container of a path in a datastore. Undefined if the datastore is not one of blobs. */
export function folderAt(
  { datastore, path }: DatastorePath,
  datastores: readonly DatastorePlace[],
): BlobRoot | undefined {
  const blob = datastores.find(({ name }) => sameName(name, datastore))?.blob;
  return blob && { ...blob, path: path.replace(/^\/+|\/+$/g, '') };
}

/**
 * Whether a blob in a checkpoint folder is a file of the job's checkpoints. What successors write to their hop's
 * folder, below the path of their original, belongs to them alone; a folder marker is not a file, and neither is our
 * request for a checkpoint. `below`: its path below the folder; `request`: the name of the file that is the request.
 */
export function isCheckpointFile(
  below: string,
  blob: Pick<Located, 'sizeBytes' | 'metadata'>,
  request: string,
): boolean {
  const [first = ''] = below.split('/');
  return !isHopFolder(first) && below !== request && !isFolderMarker({ sizeBytes: -1, ...blob });
}

/** Calls `visit` for each file of checkpoints below each of the folders (`isCheckpointFile`). Folders may be nested. */
export async function visitFolders<T extends BlobRoot, L extends Located>(
  folders: Iterable<T>,
  lines: AsyncIterable<L>,
  request: string,
  visit: (folder: T, line: L) => void,
): Promise<void> {
  const byPlace = Map.groupBy(folders, placeKey);
  if (byPlace.size === 0) return;
  for await (const line of lines) {
    for (const path of rootsOf(line.path).slice(0, -1)) {
      for (const folder of byPlace.get(placeKey({ ...line, path })) ?? []) {
        if (isCheckpointFile(belowFolder(folder, line), line, request)) visit(folder, line);
      }
    }
  }
}

/** A blob that was copied, or that changed meanwhile. */
type Located = Pick<BlobLine, 'account' | 'container' | 'path'> & Partial<Pick<BlobLine, 'sizeBytes' | 'metadata'>>;

/** Returns the blob's path below a folder that contains it. */
export function belowFolder(folder: Pick<BlobRoot, 'path'>, line: Pick<BlobLine, 'path'>): string {
  return folder.path === '' ? line.path : line.path.slice(folder.path.length + 1);
}

/** Account names are compared without regard to case. */
function placeKey({ account, container, path }: BlobRoot): string {
  return `${account.toLowerCase()}/${container}/${path}`;
}
