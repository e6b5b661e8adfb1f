/**
 * Storage accounts that hold a million blobs and next to no memory: which blobs are there is a bit each, and what they
 * are is computed from their number. As much of the storage SDK's clients as copying, restoring and reconciling use.
 */
import { createHash } from 'node:crypto';
import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { BlobAccount } from '../../src/azure/azure.ts';
import { batches } from '../../src/run/work/bounded.ts';
import { replicaContainer } from '../../src/recovery-point/manifest.ts';
import { replicaName } from '../../src/blobs/replica.ts';

export interface Shape {
  blobs: number;
  /** Over which they are spread evenly. */
  folders: number;
}

export const sourceContainer = 'data';

/** `set-00007`: a folder below `sets/`. */
export function folderName(folder: number): string {
  return `sets/set-${String(folder).padStart(5, '0')}`;
}

function pathOf(shape: Shape, index: number): string {
  const folder = Math.floor(index / Math.ceil(shape.blobs / shape.folders));
  return `${folderName(folder)}/part-${String(index).padStart(8, '0')}.parquet`;
}

/** The blob's number, from its own path or that of its replica. */
function indexOf(path: string): number {
  return Number(/part-(\d{8})\.parquet/.exec(path)?.[1] ?? Number.NaN);
}

function contentOf(index: number): Buffer {
  return Buffer.from(`the content of blob ${index}, which is not long\n`);
}

const writtenOn = new Date('2026-11-21T08:00:00.000Z');

/** What a container of a `Shape` says of the blob of this number. */
function itemOf(name: string, index: number): BlobItem {
  const content = contentOf(index);
  return {
    name,
    deleted: false,
    snapshot: '',
    properties: {
      etag: etagOf(index),
      lastModified: writtenOn,
      contentLength: content.length,
      contentMD5: createHash('md5').update(content).digest(),
      contentType: 'application/octet-stream',
    },
  };
}

function etagOf(index: number): string {
  return `0x8D${index.toString(16).toUpperCase().padStart(13, '0')}`;
}

interface Held {
  has(index: number): boolean;
  add(index: number): void;
}

function everything(): Held {
  return { has: () => true, add: () => undefined };
}

function bits(size: number): Held {
  const held = new Uint8Array(size);
  return { has: (index) => held[index] === 1, add: (index) => void (held[index] = 1) };
}

class NotFound extends Error {
  readonly statusCode = 404;
  override readonly name = 'RestError';
  readonly code = 'BlobNotFound';
}

interface ContainerOf {
  shape: Shape;
  held: Held;
  /** What the blob of a number is called in this container. */
  nameOf: (index: number) => string;
}

function container(of: ContainerOf): ContainerClient {
  const { shape, held } = of;
  const mustHold = (path: string): number => {
    const index = indexOf(path);
    if (!(index >= 0 && index < shape.blobs) || !held.has(index)) throw new NotFound(`no blob ${path}`);
    return index;
  };
  const blob = (path: string) => ({
    getProperties: async () => {
      const index = mustHold(path);
      const { properties } = itemOf(path, index);
      return { ...properties, etag: `"${properties.etag}"` };
    },
    download: async () => {
      const content = contentOf(mustHold(path));
      return { readableStreamBody: [content], contentLength: content.length };
    },
    syncCopyFromURL: async () => {
      held.add(indexOf(path));
      return { copyStatus: 'success' };
    },
  });
  return {
    createIfNotExists: () => Promise.resolve({ succeeded: true }),
    getBlobClient: blob,
    getBlockBlobClient: blob,
    listBlobsFlat: ({ prefix = '' }: { prefix?: string } = {}) => ({
      [Symbol.asyncIterator]: () => list(of, prefix),
      async *byPage({ maxPageSize = 5000 }: { maxPageSize?: number } = {}) {
        for await (const blobItems of batches(list(of, prefix), maxPageSize)) yield { segment: { blobItems } };
      },
    }),
  } as unknown as ContainerClient;
}

async function* list({ shape, held, nameOf }: ContainerOf, prefix: string): AsyncGenerator<BlobItem> {
  for (const index of numbersBelow(shape, prefix)) {
    if (!held.has(index)) continue;
    // A page of five thousand is an answer to wait for.
    if (index % 5000 === 0) await new Promise((resolve) => setImmediate(resolve));
    const name = nameOf(index);
    if (name.startsWith(prefix)) yield itemOf(name, index);
  }
}

/** The numbers of the blobs of the folder that a prefix names; of all, if it names none. */
function* numbersBelow({ blobs, folders }: Shape, prefix: string): Iterable<number> {
  if (/azureml\//.test(prefix)) return;
  const each = Math.ceil(blobs / folders);
  const folder = /set-(\d{5})/.exec(prefix)?.[1];
  const first = folder === undefined ? 0 : Number(folder) * each;
  const last = folder === undefined ? blobs : Math.min(blobs, first + each);
  for (let index = first; index < last; index++) yield index;
}

/** An account that holds all of a shape in `sourceContainer`. */
export function fullAccount(name: string, shape: Shape): BlobAccount {
  return account(name, () => container({ shape, held: everything(), nameOf: (index) => pathOf(shape, index) }));
}

/** The standby's account: replicas of `source`'s blobs, and what is restored of them, both none at first. */
export function emptyAccount(name: string, source: string, shape: Shape): BlobAccount {
  const nameOf = (index: number) => {
    const blob = {
      account: source,
      container: sourceContainer,
      path: pathOf(shape, index),
      etag: etagOf(index),
    };
    return replicaName(1, blob);
  };
  const replicas = container({ shape, held: bits(shape.blobs), nameOf });
  const restored = container({ shape, held: bits(shape.blobs), nameOf: (index) => pathOf(shape, index) });
  return account(name, (which) => (which === replicaContainer ? replicas : restored));
}

function account(name: string, of: (container: string) => ContainerClient): BlobAccount {
  return {
    accountId: accountId(name),
    name,
    endpoint: `https://${name}.blob.core.windows.net/`,
    service: undefined as never,
    container: of,
    readUrl: (inContainer, path) => `https://${name}.blob.core.windows.net/${inContainer}/${path}?sig=x`,
  };
}

export function accountId(name: string): string {
  return `/subscriptions/sub-1/resourceGroups/ml/providers/Microsoft.Storage/storageAccounts/${name}`;
}
