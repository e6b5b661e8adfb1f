/** Blobs of a repository: uploaded whole or in chunks, mounted from another repository, read, removed. */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { OciError, unsupported } from './oci-error.ts';
import { isDigest, isRepository } from './references.ts';
import type { RegistryStore } from './registry-store.ts';
import type { RegistryAnswer, RegistryRequest } from './request.ts';

export class Uploads {
  private readonly store: RegistryStore;

  constructor(store: RegistryStore) {
    this.store = store;
  }

  /** /v2/{name}/blobs/uploads/{id}; `id` is empty for a new one. */
  async ask(request: RegistryRequest, repository: string, id: string): Promise<RegistryAnswer> {
    const { method, path } = request;
    if (id === '') {
      if (method !== 'POST') throw unsupported(method, path);
      return this.begin(request, repository);
    }
    const file = this.fileOf(id);
    switch (method) {
      case 'GET':
        return { ...this.progress(request, repository, id), status: 204 };
      case 'PATCH':
        await this.append(request, file);
        return { ...this.progress(request, repository, id), status: 202 };
      case 'PUT':
        await this.append(request, file);
        return this.end(request, repository, file);
      case 'DELETE':
        rmSync(file);
        return { status: 204 };
      default:
        throw unsupported(method, path);
    }
  }

  /** /v2/{name}/blobs/{digest} */
  askBlob({ name, method, path }: RegistryRequest, repository: string, digest: string): RegistryAnswer {
    if (!isDigest(digest)) throw new OciError(400, 'DIGEST_INVALID', `Expected a sha256 digest, got '${digest}'.`);
    if (!this.store.hasBlob(name, repository, digest))
      throw new OciError(404, 'BLOB_UNKNOWN', `blob unknown to registry: ${digest} in '${repository}'`);
    if (method === 'DELETE') {
      this.store.unlinkBlob(name, repository, digest);
      return { status: 202 };
    }
    if (method !== 'GET' && method !== 'HEAD') throw unsupported(method, path);
    return {
      status: 200,
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(this.store.sizeOf(digest)),
        'Docker-Content-Digest': digest,
        ETag: `"${digest}"`,
      },
      stream: this.store.stream(digest),
    };
  }

  private async begin(request: RegistryRequest, repository: string): Promise<RegistryAnswer> {
    const { name, query, base } = request;
    const [mount, from] = [query.get('mount'), query.get('from')];
    if (mount !== null && from !== null && isRepository(from) && this.store.hasBlob(name, from, mount)) {
      this.store.linkBlob(name, repository, mount);
      return created(base, repository, mount);
    }
    const id = randomUUID();
    const file = this.store.uploadFile(id);
    writeFileSync(file, '');
    if (!query.has('digest')) return { ...this.progress(request, repository, id), status: 202 };
    await this.append(request, file);
    return this.end(request, repository, file);
  }

  private async append({ message, headers }: RegistryRequest, file: string): Promise<void> {
    const { size } = statSync(file);
    const range = /^(\d+)-(\d+)$/.exec(headers['content-range'] ?? '');
    if (range && Number(range[1]) !== size)
      throw new OciError(
        416,
        'BLOB_UPLOAD_INVALID',
        `The chunk starts at ${range[1]}, and the upload has ${size} bytes.`,
        {
          Range: rangeOf(size),
        },
      );
    await pipeline(message, createWriteStream(file, { flags: 'a' }));
  }

  private async end({ name, query, base }: RegistryRequest, repository: string, file: string): Promise<RegistryAnswer> {
    const wanted = query.get('digest') ?? '';
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    const digest = `sha256:${hash.digest('hex')}`;
    if (digest !== wanted) {
      rmSync(file);
      throw new OciError(
        400,
        'DIGEST_INVALID',
        `provided digest did not match uploaded content: expected ${wanted}, got ${digest}`,
      );
    }
    this.store.adopt(file, digest);
    this.store.linkBlob(name, repository, digest);
    return created(base, repository, digest);
  }

  private progress({ base }: RegistryRequest, repository: string, id: string): Pick<RegistryAnswer, 'headers'> {
    const { size } = statSync(this.fileOf(id));
    return {
      headers: {
        Location: `${base}/v2/${repository}/blobs/uploads/${id}`,
        'Docker-Upload-UUID': id,
        Range: rangeOf(size),
      },
    };
  }

  private fileOf(id: string): string {
    const file = this.store.uploadFile(id);
    if (!/^[0-9a-f-]{36}$/.test(id) || !existsSync(file))
      throw new OciError(404, 'BLOB_UPLOAD_UNKNOWN', `blob upload unknown to registry: '${id}'`);
    return file;
  }
}

function rangeOf(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}

function created(base: string, repository: string, digest: string): RegistryAnswer {
  return {
    status: 201,
    headers: { Location: `${base}/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest },
  };
}
