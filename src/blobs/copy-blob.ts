/**
 * Copies one blob from server to server, on conditions: the source still has the etag that was listed, and the target
 * is absent (or has the etag that was seen). Small blobs are copied in one request, large ones in blocks, so that a
 * copy that is cut short can continue.
 */
import type { BlobHTTPHeaders, BlobRequestConditions } from '@azure/storage-blob';
import { azureError } from '../azure/errors.ts';
import { isUnderstudyError } from '../errors/error.ts';
import {
  blobStatus,
  callbackErrors,
  isFolderMarker,
  quoted,
  showAddress,
  statBlob,
  type BlobAddress,
  type ListedBlob,
} from '../azure/storage/blobs.ts';

/** Sizes that decide how a blob is copied. */
export interface CopyLimits {
  /** The most that one "Put Blob From URL" copies: 256 MiB in Azure. */
  wholeBytes: number;
  /** At most 4000 MiB in Azure. A copy that is cut short loses at most one block. */
  blockBytes: number;
}
/** Azure's limits, with blocks of 64 MiB. */
export const azureLimits: CopyLimits = { wholeBytes: 256 * 1024 * 1024, blockBytes: 64 * 1024 * 1024 };

/** One copy. */
export interface CopyBlob {
  source: BlobAddress;
  /** As listed. The etag is the condition and names the version. Size, headers and metadata are kept. */
  listed: Omit<ListedBlob, 'path'>;
  /**
   * The source is a replica, which never changes. `listed.etag` is then that of the blob it is a copy of, and not a
   * condition. The MD5 is one instead: the service compares it when it copies a blob whole.
   */
  unchanging?: true;
  target: BlobAddress;
  /** Replaces the target if it has this etag. If absent, writes only where there is no target. */
  replace?: string;
  signal: AbortSignal;
  limits?: CopyLimits;
  onBlock?: () => Promise<void>;
}

/**
 * `exists`: there is a target that must not be replaced. `changed`: the source is not what was listed, or is gone.
 * `damaged`: the content of an unchanging source has changed.
 */
export type Copied = 'copied' | 'exists' | 'changed' | 'damaged';

/** Copies one blob. */
export async function copyBlob(request: CopyBlob): Promise<Copied> {
  const limits = request.limits ?? azureLimits;
  const tried = `copying ${showAddress(request.source)} to ${showAddress(request.target)}`;
  const interruption = callbackErrors(request.onBlock);
  try {
    if (isFolderMarker(request.listed)) return await makeMarker(request);
    return request.listed.sizeBytes <= limits.wholeBytes
      ? await copyWhole(request)
      : await copyBlocks({ ...request, onBlock: interruption.call }, limits);
  } catch (error) {
    interruption.rethrow();
    const known = azureError(tried, error, request.signal.aborted);
    const status = blobStatus(known);
    if (request.unchanging && isMd5Mismatch(known)) return 'damaged';
    if (status !== 404 && status !== 409 && status !== 412) throw known;
    // A 409 or 412 may be about either end, and the response to an earlier attempt may have been lost: check both.
    const [source, target] = await Promise.all([
      statBlob(request.source, request.signal),
      statBlob(request.target, request.signal),
    ]);
    if (!source || isOther(request, source)) return 'changed';
    if (target !== undefined && target.etag !== request.replace) return 'exists';
    throw known;
  }
}

function isMd5Mismatch(error: unknown): boolean {
  return isUnderstudyError(error, 'AzureError') && error.details.azure?.code === 'Md5Mismatch';
}

function isOther({ listed, unchanging }: CopyBlob, source: ListedBlob): boolean {
  return !unchanging && source.etag !== listed.etag;
}

/** The service copies headers and metadata, and keeps the spelling of metadata. */
async function copyWhole({ source, listed, target, replace, signal, unchanging }: CopyBlob): Promise<Copied> {
  const client = target.account.container(target.container).getBlockBlobClient(target.path);
  await client.syncCopyFromURL(source.account.readUrl(source.container, source.path), {
    abortSignal: signal,
    conditions: targetConditions(replace),
    ...(unchanging ? {} : { sourceConditions: { ifMatch: quoted(listed.etag) } }),
    ...(unchanging && listed.md5 !== undefined ? { sourceContentMD5: Buffer.from(listed.md5, 'base64') } : {}),
  });
  return 'copied';
}

/**
 * An empty folder means something to readers of the container. A folder cannot be the source of a copy, so it is
 * created.
 */
async function makeMarker({ listed, target, replace, signal }: CopyBlob): Promise<Copied> {
  const client = target.account.container(target.container).getBlockBlobClient(target.path);
  await client.upload('', 0, {
    abortSignal: signal,
    conditions: targetConditions(replace),
    blobHTTPHeaders: headersToSet(listed),
    ...(listed.metadata ? { metadata: listed.metadata } : {}),
  });
  return 'copied';
}

/**
 * Block ids contain the source's etag and the block's index. Blocks of an earlier attempt are reused, those of another
 * version are not.
 */
async function copyBlocks(request: CopyBlob, { blockBytes }: CopyLimits): Promise<Copied> {
  const { source, listed, target, signal } = request;
  const client = target.account.container(target.container).getBlockBlobClient(target.path);
  const staged = await stagedBlocks(request);
  const ids: string[] = [];
  for (let offset = 0, index = 0; offset < listed.sizeBytes; offset += blockBytes, index++) {
    const id = blockId(listed.etag, blockBytes, index);
    ids.push(id);
    if (staged.has(id)) continue;
    const count = Math.min(blockBytes, listed.sizeBytes - offset);
    // A SAS is valid for an hour, so each block requests its own.
    const url = source.account.readUrl(source.container, source.path);
    await client.stageBlockFromURL(id, url, offset, count, { abortSignal: signal });
    await request.onBlock?.();
  }
  // Staging has no condition on the source. If the etag is still the same after all blocks, it covers them all.
  const now = await statBlob(source, signal);
  if (!now || isOther(request, now)) return 'changed';
  await client.commitBlockList(ids, {
    abortSignal: signal,
    conditions: targetConditions(request.replace),
    blobHTTPHeaders: {
      ...headersToSet(listed),
      ...(listed.md5 ? { blobContentMD5: Buffer.from(listed.md5, 'base64') } : {}),
    },
    ...(listed.metadata ? { metadata: listed.metadata } : {}),
  });
  return 'copied';
}

function headersToSet(listed: CopyBlob['listed']): BlobHTTPHeaders {
  return {
    ...(listed.contentType ? { blobContentType: listed.contentType } : {}),
    ...(listed.contentEncoding ? { blobContentEncoding: listed.contentEncoding } : {}),
    ...(listed.contentLanguage ? { blobContentLanguage: listed.contentLanguage } : {}),
    ...(listed.contentDisposition ? { blobContentDisposition: listed.contentDisposition } : {}),
    ...(listed.cacheControl ? { blobCacheControl: listed.cacheControl } : {}),
  };
}

async function stagedBlocks({ target, signal }: CopyBlob): Promise<Set<string>> {
  const client = target.account.container(target.container).getBlockBlobClient(target.path);
  try {
    const list = await client.getBlockList('uncommitted', { abortSignal: signal });
    return new Set((list.uncommittedBlocks ?? []).map((block) => block.name));
  } catch (error) {
    const known = azureError(`listing the blocks of ${showAddress(target)}`, error, signal.aborted);
    if (blobStatus(known) === 404) return new Set();
    throw known;
  }
}

/** All block ids of a blob must have the same length: base64 of at most 64 bytes. */
function blockId(etag: string, blockBytes: number, index: number): string {
  const version = `${etag}-${blockBytes}`.slice(-48).padStart(48, '-');
  return Buffer.from(`${version}-${String(index).padStart(6, '0')}`).toString('base64');
}

function targetConditions(replace: string | undefined): BlobRequestConditions {
  return replace === undefined ? { ifNoneMatch: '*' } : { ifMatch: quoted(replace) };
}
