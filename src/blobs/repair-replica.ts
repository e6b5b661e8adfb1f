/** Reads one replica, and repairs it from its source if that still has the content. */
import type { BlobAccount } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { hashBlob, statBlob, type BlobAddress, type ListedBlob } from '../azure/storage/blobs.ts';
import { azureLimits, copyBlob } from './copy-blob.ts';
import { replicaContainer, type BlobLine } from '../recovery-point/manifest.ts';

/** The replica to read. */
export interface ReadReplica {
  line: BlobLine;
  /** The account that has the replica. */
  account: BlobAccount;
  signal: AbortSignal;
  beat: () => Promise<void>;
}

/** The replica to repair. */
export interface RepairReplica extends ReadReplica {
  /** The account that it was copied from. Called only if it is needed. */
  source: () => Promise<BlobAccount>;
}

/** `actual`: what was read, or that it was missing. */
export type Repaired =
  | { state: 'whole' }
  | { state: 'repaired'; actual: string }
  | { state: 'damaged'; actual: string; reason: string };

/** What `readReplica` returns for a missing replica. */
export const gone = 'missing';

/**
 * Reads a replica and repairs it if it is damaged. Problems with the source are part of the result.
 * Errors: AzureUnavailable if the replica's own account does not answer.
 */
export async function repairReplica(request: RepairReplica): Promise<Repaired> {
  const actual = await readReplica(request);
  if (actual === undefined) return { state: 'whole' };
  const reason = await repair(request);
  if (reason === undefined) return { state: 'repaired', actual };
  return { state: 'damaged', actual, reason };
}

/**
 * Returns what a replica is instead of what was sealed: its sha256, or that it is missing. Undefined if it is intact. A
 * blob that Azure refuses to read, such as one in the archive tier, cannot be restored either.
 */
export async function readReplica({ line, account, signal, beat }: ReadReplica): Promise<string | undefined> {
  try {
    const digests = await hashBlob(replicaAt(account, line), { signal, onChunk: beat });
    if (typeof digests === 'string') return gone;
    if (digests.sha256 === line.sha256 && digests.sizeBytes === line.sizeBytes) return undefined;
    return `sha256 ${digests.sha256}`;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return `not readable (${messageOf(error)})`;
  }
}

/**
 * Returns why it cannot be repaired. Replaces it only after reading the right content, and reads it again afterwards.
 */
async function repair(request: RepairReplica): Promise<string | undefined> {
  const { line, signal, beat } = request;
  try {
    const source: BlobAddress = {
      account: await request.source(),
      container: line.container,
      path: line.path,
    };
    const there = await statBlob(source, signal);
    if (!there) return 'its source is gone';
    const content = await hashBlob(source, { signal, etag: there.etag, onChunk: beat });
    if (typeof content === 'string') return 'its source changes while it is read';
    if (content.sha256 !== line.sha256) return `its source has other content now (sha256 ${content.sha256})`;
    return await replace(request, source, there);
  } catch (error) {
    const isOfSource = isUnderstudyError(error, 'AzureError') || isUnderstudyError(error, 'AzureUnavailable');
    if (!isOfSource) throw error;
    return `its source cannot be read: ${messageOf(error)}`;
  }
}

async function replace(request: RepairReplica, source: BlobAddress, there: ListedBlob): Promise<string | undefined> {
  const { line, account, signal, beat } = request;
  const target = replicaAt(account, line);
  const damaged = await statBlob(target, signal);
  await copyBlob({
    source,
    // Headers and metadata are those that were sealed. If the source was written since, the blob is copied in blocks.
    listed: { ...line, etag: there.etag },
    ...(there.etag === line.etag ? {} : { limits: { ...azureLimits, wholeBytes: -1 } }),
    target,
    ...(damaged ? { replace: damaged.etag } : {}),
    signal,
    onBlock: beat,
  });
  // Another process may have repaired it meanwhile: check what is there now.
  const actual = await readReplica(request);
  return actual === undefined ? undefined : `the copy of its source is not equal either: ${actual}`;
}

function replicaAt(account: BlobAccount, { replica }: BlobLine): BlobAddress {
  return { account, container: replicaContainer, path: replica };
}
