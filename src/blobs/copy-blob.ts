/**
 * Copies one blob from server to server, on conditions: the source still has the etag that was listed, and the target is absent (or has
 * the etag that was seen). Small ones in one request, large ones in blocks, so that a copy cut short goes on.
 */
import type { BlobHTTPHeaders, BlobRequestConditions } from '@azure/storage-blob';
import { azureError } from '../azure/errors.ts';
import { isUnderstudyError } from '../errors/error.ts';
import {
  blobStatus,
  interruptible,
  isFolderMarker,
  quoted,
  show,
  statBlob,
  type BlobAddress,
  type ListedBlob,
} from '../azure/storage/blobs.ts';

export interface CopyLimits {
  /** The most that one "Put Blob From URL" takes: 256 MiB in Azure. */
  wholeBytes: number;
  /** At most 4000 MiB in Azure; a block is also what is lost when a copy is cut short. */
  blockBytes: number;
}
export const azureLimits: CopyLimits = { wholeBytes: 256 * 1024 * 1024, blockBytes: 64 * 1024 * 1024 };

export interface CopyBlob {
  source: BlobAddress;
  /** As listed: its etag is the condition and names the version; its size, headers and metadata are kept. */
  listed: Omit<ListedBlob, 'path'>;
  /**
   * The source is a replica, which never changes: `listed.etag` is that of the blob it is a copy of, and no condition. Its MD5 is: the
   * service compares what it reads of a blob that is copied whole.
   */
  unchanging?: true;
  target: BlobAddress;
  /** Replace the target if it has this etag; absent: only where there is none. */
  replace?: string;
  signal: AbortSignal;
  limits?: CopyLimits;
  onBlock?: () => Promise<void>;
}

/**
 * `exists`: there is a target, and it is not the one to replace. `changed`: the source is not what was listed, or gone. `damaged`: the
 * content of an unchanging source has changed.
 */
export type Copied = 'copied' | 'exists' | 'changed' | 'damaged';

export async function copyBlob(request: CopyBlob): Promise<Copied> {
  const limits = request.limits ?? azureLimits;
  const tried = `copying ${show(request.source)} to ${show(request.target)}`;
  const interruption = interruptible(request.onBlock);
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
    // A 409 or 412 may be about either end, and an earlier attempt's answer may have been lost: look which end it is.
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

/** Headers and metadata come with the copy, metadata in its own spelling. */
async function copyWhole({ source, listed, target, replace, signal, unchanging }: CopyBlob): Promise<Copied> {
  const client = target.account.container(target.container).getBlockBlobClient(target.path);
  await client.syncCopyFromURL(source.account.readUrl(source.container, source.path), {
    abortSignal: signal,
    conditions: targetConditions(replace),
    ...(unchanging ? {} : { sourceConditions: { ifMatch: quoted(listed.etag) } }),
    ...(unchanging && listed.md5 !== undefined
      ? { sourceContentMD5: Buffer.from(listed.md5, 'base64') }
      : {}),
  });
  return 'copied';
}

/** An empty folder means something to who reads the container, and a folder cannot be the source of a copy: it is made anew. */
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

/** Blocks are named by the source's etag and their place: those of an earlier attempt are used, those of another version are not. */
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
    // A SAS lives an hour: each block asks for its own.
    const url = source.account.readUrl(source.container, source.path);
    await client.stageBlockFromURL(id, url, offset, count, { abortSignal: signal });
    await request.onBlock?.();
  }
  // Staging takes no condition on the source: an etag that is still the same after all blocks covers them all.
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
    const known = azureError(`listing the blocks of ${show(target)}`, error, signal.aborted);
    if (blobStatus(known) === 404) return new Set();
    throw known;
  }
}

/** All ids of a blob must be of one length: base64 of at most 64 bytes. */
function blockId(etag: string, blockBytes: number, index: number): string {
  const version = `${etag}-${blockBytes}`.slice(-48).padStart(48, '-');
  return Buffer.from(`${version}-${String(index).padStart(6, '0')}`).toString('base64');
}

function targetConditions(replace: string | undefined): BlobRequestConditions {
  return replace === undefined ? { ifNoneMatch: '*' } : { ifMatch: quoted(replace) };
}
