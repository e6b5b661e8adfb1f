/** The control store on a blob container. */
import { createHash } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import { RestError } from '@azure/core-rest-pipeline';
import { azureError } from '../azure/errors.ts';
import { UnderstudyError } from '../errors/error.ts';
import { canonical, type ControlStore, type Versioned } from './store.ts';

export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** `open` answers the container each time anew: its account's key may have been rotated since. */
export function blobControlStore(open: () => Promise<ContainerClient>): ControlStore {
  const tried = (what: string, name: string) => `${what} "${name}" in the control store`;

  const readText = async (name: string): Promise<{ text: string; etag: string } | undefined> => {
    try {
      const response = await (await open()).getBlobClient(name).download();
      const chunks: Buffer[] = [];
      for await (const chunk of response.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
      return { text: Buffer.concat(chunks).toString('utf8'), etag: response.etag ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw azureError(tried('reading', name), error);
    }
  };

  const read = async <T>(name: string): Promise<Versioned<T> | undefined> => {
    const found = await readText(name);
    if (!found) return undefined;
    try {
      return { value: JSON.parse(found.text) as T, etag: found.etag };
    } catch (error) {
      throw new UnderstudyError('ControlStoreError', `${tried('reading', name)}: it is not JSON`, {
        cause: error,
      });
    }
  };

  const put = async (
    name: string,
    content: Buffer | string,
    contentType: string,
    conditions: object,
  ): Promise<void> => {
    const body = Buffer.isBuffer(content) ? content : Buffer.from(content);
    await (await open()).getBlockBlobClient(name).upload(body, body.length, {
      conditions,
      blobHTTPHeaders: { blobContentType: contentType },
    });
  };

  const self: ControlStore = {
    read,
    async swap(name, value, etag) {
      const text = canonical(value);
      try {
        await put(
          name,
          text,
          'application/json',
          etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag },
        );
        return true;
      } catch (error) {
        const status = statusOf(error);
        // Refused, or the answer was lost on its way (and a retry of the SDK was refused): what is there decides.
        const there =
          status === 409 || status === 412 || status === undefined ? await readText(name) : undefined;
        if (there?.text === text) return true;
        if (status === 409 || status === 412) return false;
        throw azureError(tried('writing', name), error);
      }
    },
    async write(name, content, contentType) {
      try {
        await put(name, content, contentType, {});
      } catch (error) {
        throw azureError(tried('writing', name), error);
      }
    },
    async seal(folder, value) {
      const text = canonical(value);
      const digest = digestOf(text);
      const name = `${folder}/${digest}.json`;
      try {
        await put(name, text, 'application/json', { ifNoneMatch: '*' });
      } catch (error) {
        if (statusOf(error) !== 409 && statusOf(error) !== 412)
          throw azureError(tried('writing', name), error);
      }
      return digest;
    },
    async open<T>(folder: string, digest: string): Promise<T> {
      const name = `${folder}/${digest}.json`;
      const found = await readText(name);
      if (!found)
        throw new UnderstudyError('ControlStoreError', `${tried('reading', name)}: it is not there`);
      const actual = digestOf(found.text);
      if (actual !== digest) {
        throw new UnderstudyError(
          'ControlStoreError',
          `${tried('reading', name)}: expected sha256 ${digest}, got ${actual}: it was altered or cut short`,
        );
      }
      return JSON.parse(found.text) as T;
    },
    readText: async (name) => (await readText(name))?.text,
    async *list(prefix) {
      try {
        for await (const blob of (await open()).listBlobsFlat({ prefix })) yield blob.name;
      } catch (error) {
        throw azureError(tried('listing', prefix), error);
      }
    },
  };
  return self;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
