/** Blob operations: list with the properties that a copy must keep, look up, and read to compute digests. */
import { createHash } from 'node:crypto';
import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { BlobAccount } from '../azure.ts';
import { azureError } from '../errors.ts';
import { isUnderstudyError, UnderstudyError } from '../../errors/error.ts';

/** A blob with the properties that a copy keeps. */
export interface ListedBlob {
  path: string;
  /** Without quotes. */
  etag: string;
  sizeBytes: number;
  /** When it was last written (ISO 8601). */
  writtenAt?: string | undefined;
  /** Base64, if the service has one. */
  md5?: string | undefined;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  contentLanguage?: string | undefined;
  contentDisposition?: string | undefined;
  cacheControl?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

/** Digests of a blob's content. */
export interface Digests {
  sha256: string;
  /** Base64, as Content-MD5. */
  md5: string;
  sizeBytes: number;
}

/** A blob of an account. */
export interface BlobAddress {
  account: BlobAccount;
  container: string;
  path: string;
}

/**
 * Lists the blob `root` itself and everything below it. '' is the whole container. Empty if the container does not
 * exist.
 */
export async function* listBlobs(
  account: BlobAccount,
  container: string,
  root: string,
  signal: AbortSignal,
): AsyncIterable<ListedBlob> {
  const list = (prefix: string) =>
    account.container(container).listBlobsFlat({
      includeMetadata: true,
      abortSignal: signal,
      ...(prefix === '' ? {} : { prefix }),
    });
  try {
    if (root !== '') {
      // The blob with exactly that name comes first. It is listed, not looked up, because a lookup returns metadata
      // names in lower case.
      const first = await list(root).byPage({ maxPageSize: 1 }).next();
      const item = first.done ? undefined : first.value.segment.blobItems[0];
      if (item?.name === root) yield fromItem(item);
    }
    for await (const item of list(root === '' ? '' : `${root}/`)) yield fromItem(item);
  } catch (error) {
    const known = azureError(`listing ${account.name}/${container}/${root}`, error, signal.aborted);
    if (blobStatus(known) !== 404) throw known;
  }
}

/** Returns undefined if the blob (or its container) does not exist. */
export async function statBlob(
  { account, container, path }: BlobAddress,
  signal: AbortSignal,
): Promise<ListedBlob | undefined> {
  try {
    const found = await account.container(container).getBlobClient(path).getProperties({ abortSignal: signal });
    return {
      path,
      etag: bare(found.etag),
      sizeBytes: found.contentLength ?? 0,
      ...(found.lastModified ? { writtenAt: found.lastModified.toISOString() } : {}),
      ...(found.contentMD5 ? { md5: Buffer.from(found.contentMD5).toString('base64') } : {}),
      ...headersOf(found),
      ...metadataOf(found.metadata),
    };
  } catch (error) {
    const known = azureError(`looking up ${showAddress({ account, container, path })}`, error, signal.aborted);
    if (blobStatus(known) === 404) return undefined;
    throw known;
  }
}

/**
 * Reads a blob and computes its digests. With `etag`, only if it still has it. `changed`: it has another. `gone`: it
 * does not exist. `onChunk` is called as bytes arrive.
 */
export async function hashBlob(
  address: BlobAddress,
  options: { signal: AbortSignal; etag?: string; onChunk?: () => Promise<void> },
): Promise<Digests | 'changed' | 'gone'> {
  const { account, container, path } = address;
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  const interruption = callbackErrors(options.onChunk);
  let sizeBytes = 0;
  try {
    const answer = await account
      .container(container)
      .getBlobClient(path)
      .download(0, undefined, {
        abortSignal: options.signal,
        maxRetryRequests: 3,
        ...(options.etag === undefined ? {} : { conditions: { ifMatch: quoted(options.etag) } }),
      });
    for await (const chunk of answer.readableStreamBody ?? []) {
      const bytes = Buffer.from(chunk);
      sha256.update(bytes);
      md5.update(bytes);
      sizeBytes += bytes.length;
      await interruption.call();
    }
    if (answer.contentLength !== undefined && answer.contentLength !== sizeBytes) {
      throw new UnderstudyError(
        'AzureUnavailable',
        `reading ${showAddress(address)}: the stream ended after ${sizeBytes} of ${answer.contentLength} bytes`,
      );
    }
  } catch (error) {
    interruption.rethrow();
    const known = azureError(`reading ${showAddress(address)}`, error, options.signal.aborted);
    if (blobStatus(known) === 404) return 'gone';
    if (blobStatus(known) === 412) return 'changed';
    throw known;
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('base64'), sizeBytes };
}

/** Creates a container unless it exists. */
export async function ensureContainer(container: ContainerClient, signal: AbortSignal): Promise<void> {
  try {
    await container.createIfNotExists({ abortSignal: signal });
  } catch (error) {
    throw azureError(`creating container "${container.containerName}"`, error, signal.aborted);
  }
}

/**
 * Distinguishes what a callback throws (the lease is lost) from Azure's errors: the callback's error is rethrown
 * unchanged.
 */
export function callbackErrors(callback: (() => Promise<void>) | undefined): {
  call: () => Promise<void>;
  rethrow: () => void;
} {
  let thrown: { error: unknown } | undefined;
  return {
    async call() {
      try {
        await callback?.();
      } catch (error) {
        thrown = { error };
        throw error;
      }
    },
    rethrow() {
      if (thrown) throw thrown.error;
    },
  };
}

/** Returns the HTTP status of an error that `azureError` made. */
export function blobStatus(error: unknown): number | undefined {
  return isUnderstudyError(error) ? error.details.azure?.status : undefined;
}

/** Formats an address for messages. */
export function showAddress({ account, container, path }: BlobAddress): string {
  return `${account.name}/${container}/${path}`;
}

/** Listings return etags without quotes, lookups with them. */
function bare(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

/** Returns an etag with quotes, as conditions need it. */
export function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

/** What a copy keeps besides the bytes. */
type BlobHeaders = Pick<
  ListedBlob,
  'contentType' | 'contentEncoding' | 'contentLanguage' | 'contentDisposition' | 'cacheControl'
>;

function headersOf(found: {
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  contentLanguage?: string | undefined;
  contentDisposition?: string | undefined;
  cacheControl?: string | undefined;
}): BlobHeaders {
  return {
    ...(found.contentType ? { contentType: found.contentType } : {}),
    ...(found.contentEncoding ? { contentEncoding: found.contentEncoding } : {}),
    ...(found.contentLanguage ? { contentLanguage: found.contentLanguage } : {}),
    ...(found.contentDisposition ? { contentDisposition: found.contentDisposition } : {}),
    ...(found.cacheControl ? { cacheControl: found.cacheControl } : {}),
  };
}

function metadataOf(metadata: Record<string, string> | undefined): Pick<ListedBlob, 'metadata'> {
  return metadata && Object.keys(metadata).length > 0 ? { metadata } : {};
}

function fromItem({ name, properties, metadata }: BlobItem): ListedBlob {
  return {
    path: name,
    etag: bare(properties.etag),
    sizeBytes: properties.contentLength ?? 0,
    writtenAt: properties.lastModified.toISOString(),
    ...(properties.contentMD5 ? { md5: Buffer.from(properties.contentMD5).toString('base64') } : {}),
    ...headersOf(properties),
    ...metadataOf(metadata),
  };
}

/**
 * Whether it is a folder, as accounts with a hierarchical namespace list it, and as their clients mark it elsewhere. It
 * cannot be copied as a blob.
 */
export function isFolderMarker(blob: Pick<ListedBlob, 'sizeBytes' | 'metadata'>): boolean {
  return blob.sizeBytes === 0 && blob.metadata?.['hdi_isfolder'] === 'true';
}

const headerNames = {
  contentType: 'content type',
  contentEncoding: 'content encoding',
  contentLanguage: 'content language',
  contentDisposition: 'content disposition',
  cacheControl: 'cache control',
} as const satisfies Record<keyof BlobHeaders, string>;

/**
 * Describes the first header or metadata value in which `held` differs from `wanted`, with both values. Undefined if
 * none differs. Metadata names are compared without regard to case, as in Azure.
 */
export function differenceOfHeaders(
  wanted: Omit<ListedBlob, 'path'>,
  held: Omit<ListedBlob, 'path'>,
): string | undefined {
  // A folder's headers have no meaning, and accounts with a hierarchical namespace choose them.
  const folders = isFolderMarker(wanted) && isFolderMarker(held);
  for (const [name, shown] of folders ? [] : Object.entries(headerNames)) {
    const [expected, found] = [wanted[name as keyof BlobHeaders], held[name as keyof BlobHeaders]];
    // Azure sets a content type if there is none.
    if (expected === found || (name === 'contentType' && expected === undefined)) continue;
    return `${shown} ${showValue(found)}, expected ${showValue(expected)}`;
  }
  const [expected, found] = [bagOf(wanted), bagOf(held)];
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    if (expected.get(name) !== found.get(name))
      return `metadata "${name}" ${showValue(found.get(name))}, expected ${showValue(expected.get(name))}`;
  }
  return undefined;
}

function bagOf({ metadata = {} }: Pick<ListedBlob, 'metadata'>): Map<string, string> {
  return new Map(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}

function showValue(value: string | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
