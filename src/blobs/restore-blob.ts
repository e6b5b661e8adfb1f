/**
 * Restores one blob from its replica into the standby's own container, within one account. Damaged content is not
 * restored: the service compares what it copies whole, and for larger blobs the properties of the replica must match
 * what was sealed.
 */
import type { BlobAccount } from '../azure/azure.ts';
import { differenceOfHeaders, hashBlob, listBlobs, statBlob, type ListedBlob } from '../azure/storage/blobs.ts';
import { UnderstudyError } from '../errors/error.ts';
import { azureLimits, copyBlob } from './copy-blob.ts';
import type { Suspects } from '../recovery-point/damage.ts';
import { replicaContainer, type BlobLine } from '../recovery-point/manifest.ts';
import { readReplica } from './repair-replica.ts';
import { replicaName, versionsFolder } from './replica.ts';

/** One blob to restore. */
export interface RestoreBlob {
  line: BlobLine;
  account: BlobAccount;
  /** Container in the standby. */
  container: string;
  /** The blob that is there now. */
  there: ListedBlob | undefined;
  /** Epoch of the recovery point. */
  epoch: number;
  /** Content that may be replaced, besides earlier versions of the blob. */
  replaceable?: Pick<BlobLine, 'md5' | 'sizeBytes'> | undefined;
  /** Replicas that may be damaged. */
  suspects: Suspects;
  signal: AbortSignal;
  beat: () => Promise<void>;
}

/**
 * `kept`: the standby has content of its own there, which was never copied from the active side. It is left unchanged.
 * `contended`: another process wrote there at the same time. `damaged`: what the replica is instead of what was sealed.
 */
export type Restored = 'restored' | 'already' | 'kept' | 'contended' | { damaged: string };

/** Restores one blob. */
export async function restoreBlob(request: RestoreBlob): Promise<Restored> {
  const { line, account, container, there, signal, beat } = request;
  if (there && (await isContent(request, there, line))) {
    if (differenceOfHeaders(line, there) === undefined) return 'already';
  } else if (there && !(await mayReplace(request, there))) return 'kept';
  const damaged = await damageOf(request);
  if (damaged !== undefined) return { damaged };
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
  if (copied === 'changed' || copied === 'damaged') return { damaged: await actualOf(request) };
  // The response to our own write may have been lost, and the SDK may have retried.
  const now = await statBlob({ account, container, path: line.path }, signal);
  return now && (await isContent(request, now, line)) ? 'restored' : 'contended';
}

/** Checks a replica that the service does not compare when it copies it. */
async function damageOf(request: RestoreBlob): Promise<string | undefined> {
  const { line, account, suspects, signal } = request;
  if (line.sizeBytes <= azureLimits.wholeBytes) return undefined;
  const there = await statBlob({ account, container: replicaContainer, path: line.replica }, signal);
  const seemsWhole = there?.sizeBytes === line.sizeBytes && (there.md5 === undefined || there.md5 === line.md5);
  return seemsWhole && !suspects.has(line.replica) ? undefined : readReplica(request);
}

async function actualOf(request: RestoreBlob): Promise<string> {
  const actual = await readReplica(request);
  if (actual !== undefined) return actual;
  const { replica } = request.line;
  throw new UnderstudyError('AzureUnavailable', `restoring from ${replica}: it was damaged, and now it is not`);
}

/** Compares by MD5 if the service has one (verify reads everything anyway), otherwise by reading. */
async function isContent(
  { account, container, signal, beat }: RestoreBlob,
  there: ListedBlob,
  wanted: { sizeBytes: number; md5: string },
): Promise<boolean> {
  if (there.sizeBytes !== wanted.sizeBytes) return false;
  if (there.md5 !== undefined) return there.md5 === wanted.md5;
  const digests = await hashBlob({ account, container, path: there.path }, { signal, etag: there.etag, onChunk: beat });
  return typeof digests !== 'string' && digests.md5 === wanted.md5;
}

async function mayReplace(request: RestoreBlob, there: ListedBlob): Promise<boolean> {
  const { replaceable } = request;
  if (replaceable && (await isContent(request, there, replaceable))) return true;
  return isEarlierVersion(request, there);
}

/** True if the blob equals some version that was copied in this or an earlier epoch: an earlier restore wrote it. */
async function isEarlierVersion(request: RestoreBlob, there: ListedBlob): Promise<boolean> {
  const { line, account, epoch, signal, beat } = request;
  for (let each = epoch; each >= 1; each--) {
    const folder = versionsFolder(replicaName(each, line));
    for await (const version of listBlobs(account, replicaContainer, folder, signal)) {
      // Deeper names are versions of other blobs, below a folder with this blob's name.
      if (version.path.slice(folder.length + 1).includes('/') || version.sizeBytes !== there.sizeBytes) continue;
      const md5 = version.md5 ?? (await readMd5(request, version));
      if (md5 !== undefined && (await isContent(request, there, { sizeBytes: version.sizeBytes, md5 }))) return true;
      await beat();
    }
  }
  return false;
}

async function readMd5({ account, signal, beat }: RestoreBlob, version: ListedBlob): Promise<string | undefined> {
  const digests = await hashBlob(
    { account, container: replicaContainer, path: version.path },
    { signal, onChunk: beat },
  );
  return typeof digests === 'string' ? undefined : digests.md5;
}
