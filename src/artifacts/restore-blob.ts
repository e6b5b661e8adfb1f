/** Restores one blob from its replica into the standby's own container, within one account. */
import type { BlobAccount } from '../azure/azure.ts';
import { differenceOfHeaders, hashBlob, listBlobs, statBlob, type ListedBlob } from './blobs.ts';
import { copyBlob } from './copy-blob.ts';
import { replicaContainer, type BlobLine } from './manifest.ts';
import { replicaName, versionsFolder } from './replica.ts';

export interface RestoreBlob {
  line: BlobLine;
  account: BlobAccount;
  /** Container of the standby. */
  container: string;
  /** What is there now. */
  there: ListedBlob | undefined;
  /** Epoch of the recovery point. */
  epoch: number;
  signal: AbortSignal;
  beat: () => Promise<void>;
}

/**
 * `kept`: the standby has content of its own there, which is no version that was ever copied from the active side: it stays.
 * `no-replica`: the copy that the recovery point names is gone. `contended`: somebody else wrote there at the same time.
 */
export type Restored = 'restored' | 'already' | 'kept' | 'no-replica' | 'contended';

export async function restoreBlob(request: RestoreBlob): Promise<Restored> {
  const { line, account, container, there, signal, beat } = request;
  if (there && (await isContent(request, there, line))) {
    if (differenceOfHeaders(line, there) === undefined) return 'already';
  } else if (there && !(await isEarlierVersion(request, there))) return 'kept';
  const copied = await copyBlob({
    source: { account, container: replicaContainer, path: line.replica },
    listed: line,
    unchanging: true,
    target: { account, container, path: line.path },
    ...(there ? { replace: there.etag } : {}),
    signal,
    onBlock: beat,
  });
  if (copied === 'copied') return 'restored';
  if (copied === 'changed') return 'no-replica';
  // The answer to our own write may have been lost on its way, and the SDK has tried again.
  const now = await statBlob({ account, container, path: line.path }, signal);
  return now && (await isContent(request, now, line)) ? 'restored' : 'contended';
}

/** By MD5 where the service has one (verify reads everything through anyway), else by reading it. */
async function isContent(
  { account, container, signal, beat }: RestoreBlob,
  there: ListedBlob,
  wanted: { sizeBytes: number; md5: string },
): Promise<boolean> {
  if (there.sizeBytes !== wanted.sizeBytes) return false;
  if (there.md5 !== undefined) return there.md5 === wanted.md5;
  const digests = await hashBlob(
    { account, container, path: there.path },
    { signal, etag: there.etag, onChunk: beat },
  );
  return typeof digests !== 'string' && digests.md5 === wanted.md5;
}

/** An earlier restore of ours left it, if it equals some version that was copied, in this epoch or one before. */
async function isEarlierVersion(request: RestoreBlob, there: ListedBlob): Promise<boolean> {
  const { line, account, epoch, signal, beat } = request;
  for (let each = epoch; each >= 1; each--) {
    const folder = versionsFolder(replicaName(each, line));
    for await (const version of listBlobs(account, replicaContainer, folder, signal)) {
      // Deeper names are versions of other blobs, below a folder of this one's name.
      if (version.path.slice(folder.length + 1).includes('/') || version.sizeBytes !== there.sizeBytes)
        continue;
      const md5 = version.md5 ?? (await readMd5(request, version));
      if (md5 !== undefined && (await isContent(request, there, { sizeBytes: version.sizeBytes, md5 })))
        return true;
      await beat();
    }
  }
  return false;
}

async function readMd5(
  { account, signal, beat }: RestoreBlob,
  version: ListedBlob,
): Promise<string | undefined> {
  const digests = await hashBlob(
    { account, container: replicaContainer, path: version.path },
    { signal, onChunk: beat },
  );
  return typeof digests === 'string' ? undefined : digests.md5;
}
