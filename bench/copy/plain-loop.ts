/** What anyone would write first: list a folder, and copy each blob of it with `syncCopyFromURL`, so many at a time. */
import { createHash } from 'node:crypto';
import { forEachBounded } from '../../src/run/work/bounded.ts';
import type { BlobAccount } from '../../src/azure/azure.ts';

export interface Load {
  blobs: number;
  sizeBytes: number;
  /** `1,000 × 4 KiB` */
  name: string;
}

export interface Place {
  account: BlobAccount;
  container: string;
  /** With a trailing slash. */
  folder: string;
}

export interface PlainLoop {
  from: Place;
  to: Place;
  concurrency: number;
  /** Read each copy through for its digest, as a careful person would. */
  readBack: boolean;
}

export async function plainLoop({ from, to, concurrency, readBack }: PlainLoop): Promise<void> {
  await to.account.container(to.container).createIfNotExists();
  const blobs = from.account.container(from.container).listBlobsFlat({ prefix: from.folder });
  await forEachBounded(blobs, concurrency, async ({ name }) => {
    const target = `${to.folder}${name.slice(from.folder.length)}`;
    const client = to.account.container(to.container).getBlockBlobClient(target);
    await client.syncCopyFromURL(from.account.readUrl(from.container, name));
    if (!readBack) return;
    const { readableStreamBody } = await client.download();
    const hash = createHash('sha256');
    for await (const chunk of readableStreamBody ?? []) hash.update(Buffer.from(chunk));
    hash.digest();
  });
}

/** Blobs of random bytes: `part-00000.bin` and on. */
export async function upload(to: Place, { blobs, sizeBytes }: Load, content: Buffer): Promise<void> {
  const container = to.account.container(to.container);
  const names = Array.from({ length: blobs }, (_, index) => `part-${String(index).padStart(5, '0')}.bin`);
  await forEachBounded(names, 16, async (name) => {
    await container.getBlockBlobClient(`${to.folder}${name}`).upload(content, sizeBytes);
  });
}

/** Lists afresh: what a tool says it copied is not asked. */
export async function countBlobs({ account, container, folder }: Place): Promise<{ blobs: number; bytes: number }> {
  const found = { blobs: 0, bytes: 0 };
  for await (const { properties } of account.container(container).listBlobsFlat({ prefix: folder })) {
    found.blobs += 1;
    found.bytes += properties.contentLength ?? 0;
  }
  return found;
}
