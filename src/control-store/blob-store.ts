/** The control store on a blob container. */
import type { BlobRequestConditions, ContainerClient } from '@azure/storage-blob';
import { RestError } from '@azure/core-rest-pipeline';
import { azureError } from '../azure/errors.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { digestOf } from './digest.ts';
import { canonical, type ControlStore, type Versioned } from './store.ts';

/** Opens the container again for each request: its account's key may have been rotated since. */
type OpenContainer = () => Promise<ContainerClient>;

/** A container of documents. */
interface Place {
  open: OpenContainer;
  /** What it is called in messages. */
  called: string;
  /** Whose errors these are, if a step must tell them from those of Azure. */
  origin?: 'control-store';
}

const tried = ({ called }: Place, what: string, name: string) => `${what} "${name}" in ${called}`;

/** `open`: see `OpenContainer`. Every error says that it comes from the control store. */
export function blobControlStore(open: OpenContainer): ControlStore {
  return blobDocuments({ open, called: 'the control store', origin: 'control-store' });
}

/** The same documents in another container. */
export function blobDocuments(at: Place): ControlStore {
  return {
    read: (name) => ours(at, () => readJson(at, name)),
    swap: (name, value, etag) => ours(at, () => swap(at, name, value, etag)),
    write: (name, content, contentType) =>
      ours(at, async () => {
        try {
          await put(at, { name, content, contentType });
        } catch (error) {
          throw azureError(tried(at, 'writing', name), error);
        }
      }),
    seal: (folder, value) => ours(at, () => seal(at, folder, value)),
    open: (folder, digest) => ours(at, () => openSealed(at, folder, digest)),
    readText: (name) => ours(at, async () => (await readText(at, name))?.text),
    async *list(prefix) {
      try {
        for await (const blob of (await at.open()).listBlobsFlat({ prefix })) yield blob.name;
      } catch (error) {
        throw asOurs(at, azureError(tried(at, 'listing', prefix), error));
      }
    },
    async *folders(prefix) {
      try {
        const items = (await at.open()).listBlobsByHierarchy('/', { prefix });
        for await (const item of items) if (item.kind === 'prefix') yield item.name;
      } catch (error) {
        throw asOurs(at, azureError(tried(at, 'listing', prefix), error));
      }
    },
  };
}

async function ours<T>(at: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asOurs(at, error);
  }
}

/** A step that uses Azure and the control store must know which of them failed. */
function asOurs({ origin }: Place, error: unknown): unknown {
  if (!isUnderstudyError(error) || origin === undefined) return error;
  return new UnderstudyError(error.code, error.message, {
    ...error.details,
    origin,
    cause: error,
  });
}

/** Undefined if the document does not exist. */
async function readText(at: Place, name: string): Promise<{ text: string; etag: string } | undefined> {
  try {
    const response = await (await at.open()).getBlobClient(name).download();
    const chunks: Buffer[] = [];
    for await (const chunk of response.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
    return { text: Buffer.concat(chunks).toString('utf8'), etag: response.etag ?? '' };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw azureError(tried(at, 'reading', name), error);
  }
}

async function readJson<T>(at: Place, name: string): Promise<Versioned<T> | undefined> {
  const found = await readText(at, name);
  if (!found) return undefined;
  try {
    return { value: JSON.parse(found.text) as T, etag: found.etag };
  } catch (error) {
    throw new UnderstudyError('ControlStoreError', `${tried(at, 'reading', name)}: it is not JSON`, {
      cause: error,
    });
  }
}

interface Put {
  name: string;
  content: Buffer | string;
  contentType: string;
  conditions?: BlobRequestConditions;
}

async function put(at: Place, { name, content, contentType, conditions = {} }: Put): Promise<void> {
  const body = Buffer.isBuffer(content) ? content : Buffer.from(content);
  await (await at.open()).getBlockBlobClient(name).upload(body, body.length, {
    conditions,
    blobHTTPHeaders: { blobContentType: contentType },
  });
}

const json = 'application/json';
const onlyIfNew: BlobRequestConditions = { ifNoneMatch: '*' };

async function swap(at: Place, name: string, value: unknown, etag: string | undefined): Promise<boolean> {
  const content = canonical(value);
  try {
    const conditions = etag === undefined ? onlyIfNew : { ifMatch: etag };
    await put(at, { name, content, contentType: json, conditions });
    return true;
  } catch (error) {
    const status = statusOf(error);
    // Either the write was refused, or the response was lost (and the SDK's retry was refused): check what is there.
    const there = isConflict(status) || status === undefined ? await readText(at, name) : undefined;
    if (there?.text === content) return true;
    if (isConflict(status)) return false;
    throw azureError(tried(at, 'writing', name), error);
  }
}

async function seal(at: Place, folder: string, value: unknown): Promise<string> {
  const content = canonical(value);
  const digest = digestOf(content);
  const name = `${folder}/${digest}.json`;
  try {
    await put(at, { name, content, contentType: json, conditions: onlyIfNew });
  } catch (error) {
    // It exists already: the same digest means the same content.
    if (!isConflict(statusOf(error))) throw azureError(tried(at, 'writing', name), error);
  }
  return digest;
}

async function openSealed<T>(at: Place, folder: string, digest: string): Promise<T> {
  const name = `${folder}/${digest}.json`;
  const found = await readText(at, name);
  if (!found) throw new UnderstudyError('ControlStoreError', `${tried(at, 'reading', name)}: it is not there`);
  const actual = digestOf(found.text);
  if (actual !== digest) {
    throw new UnderstudyError(
      'ControlStoreError',
      `${tried(at, 'reading', name)}: expected sha256 ${digest}, got ${actual}: it was altered or cut short`,
    );
  }
  return JSON.parse(found.text) as T;
}

function isConflict(status: number | undefined): boolean {
  return status === 409 || status === 412;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
