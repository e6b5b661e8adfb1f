/**
 * Finds one blob in a recovery point that may have a million, and finds the recovery points that refer to a replica.
 */
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { folderOf, orderKey, type BlobLine, type SealedManifest } from './manifest.ts';
import { readLines } from './parts.ts';
import { readChecked } from './read-seal.ts';

/**
 * Parts are sorted by blob, so only a few of them are read.
 * Errors: RecoveryPointError if one of these is damaged.
 */
async function findLine(
  store: ControlStore,
  sealed: SealedManifest,
  { account, container, path }: Pick<BlobLine, 'account' | 'container' | 'path'>,
): Promise<BlobLine | undefined> {
  const parts = sealed.parts.filter(({ kind }) => kind === 'blobs');
  const key = orderKey(account, container, path);
  const keyOf = (line: BlobLine) => orderKey(line.account, line.container, line.path);
  let [low, high] = [0, parts.length - 1];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const part = parts[middle];
    if (!part) return undefined;
    const lines = await Array.fromAsync(readLines(store, folderOf(sealed.epoch, sealed.id), [part], 'blobs'));
    const [first, last] = [lines.at(0), lines.at(-1)];
    if (!first || !last) return undefined;
    if (key < keyOf(first)) high = middle - 1;
    else if (key > keyOf(last)) low = middle + 1;
    else return lines.find((line) => keyOf(line) === key);
  }
  return undefined;
}

/**
 * Returns the last recovery point that refers to a replica. `ids`: recovery points from the first one that refers to
 * it, oldest first. They refer to it until its blob changes, so reading a few of them is enough.
 */
export async function lastReferring(
  store: ControlStore,
  ids: readonly string[],
  line: BlobLine,
): Promise<string | undefined> {
  const refers = async (index: number) => {
    const id = ids[index];
    return id !== undefined && (await replicaIn(store, id, line)) === line.replica;
  };
  if (await refers(ids.length - 1)) return ids.at(-1);
  let [low, high] = [0, ids.length - 1];
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (await refers(middle)) low = middle;
    else high = middle;
  }
  return ids[low];
}

/**
 * Returns the replica that a recovery point has of a blob. Undefined if it has none, belongs to another region, or
 * cannot be read.
 */
export async function replicaIn(
  store: ControlStore,
  id: string,
  blob: Pick<BlobLine, 'account' | 'container' | 'path'>,
  region?: string,
): Promise<string | undefined> {
  try {
    const { sealed } = await readChecked(store, id);
    if (region !== undefined && sealed.region !== region) return undefined;
    return (await findLine(store, sealed, blob))?.replica;
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    return undefined;
  }
}
