/**
 * Uploads of local files and folders to the workspace's default datastore, in the layout of Azure's Python client:
 * `LocalUpload/<hash of the content>/<name>/…`. The first file carries `upload_status: completed` when all are there, so
 * that the same content is uploaded once, and a broken upload is taken up again.
 */
import { basename } from 'node:path';
import { type TokenCredential } from '@azure/identity';
import { ContainerClient, RestError, StorageSharedKeyCredential } from '@azure/storage-blob';
import { localFiles, uploadHash, type LocalFile } from './content-hash.ts';
import { LoadError } from './load-error.ts';

/** Files uploaded at the same time. */
const CONCURRENCY = 8;

export interface BlobContainer {
  /** 'https://account.blob.core.windows.net': the account's blob endpoint, as ARM tells it. */
  endpoint: string;
  account: string;
  container: string;
  /** The account's key; without one (identity-based access) the token credential is used. */
  key: string | undefined;
}

export interface Uploaded {
  /** In the container: 'LocalUpload/<hash>/<name>'. */
  path: string;
  isFile: boolean;
  files: number;
  sizeBytes: number;
  /** False where the content was there already. */
  transferred: boolean;
}

export class Uploads {
  readonly #client: ContainerClient;
  readonly url: string;

  constructor(container: BlobContainer, credential: TokenCredential) {
    this.url = `${container.endpoint.replace(/\/+$/u, '')}/${container.container}`;
    this.#client =
      container.key === undefined
        ? new ContainerClient(this.url, credential)
        : new ContainerClient(this.url, new StorageSharedKeyCredential(container.account, container.key));
  }

  /** Makes the container if it is not there; answers whether it made it. */
  async createContainer(): Promise<boolean> {
    return (await this.#client.createIfNotExists()).succeeded;
  }

  async upload(path: string): Promise<Uploaded> {
    const files = await localFiles(path).catch((error: unknown) => {
      throw new LoadError(`cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`);
    });
    const first = files[0];
    if (first === undefined)
      throw new LoadError(`"${path}" is an empty folder: expected at least one file to upload`);
    const isFile = files.length === 1 && first.path === path;
    const root = `LocalUpload/${await uploadHash(path)}/${basename(path)}`;
    const blobOf = (file: LocalFile) => (isFile ? root : `${root}/${file.relativePath}`);
    const transferred = !(await this.#isComplete(blobOf(first)));
    if (transferred) {
      await inParallel(files, async (file) => {
        await this.#client.getBlockBlobClient(blobOf(file)).uploadFile(file.path);
      });
      await this.#client.getBlobClient(blobOf(first)).setMetadata({ upload_status: 'completed' });
    }
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { path: root, isFile, files: files.length, sizeBytes, transferred };
  }

  async #isComplete(blob: string): Promise<boolean> {
    try {
      const properties = await this.#client.getBlobClient(blob).getProperties();
      return properties.metadata?.upload_status === 'completed';
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return false;
      throw error;
    }
  }
}

async function inParallel<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
}
