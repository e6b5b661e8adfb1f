/**
 * What container registries hold: tags, manifests and blobs by digest. Contents are files named by their digest, shared
 * by all registries.
 */

import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Journal, Table } from '../state/journal.ts';

export interface Manifest {
  registry: string;
  repository: string;
  digest: string;
  mediaType: string;
  sizeBytes: number;
  at: number;
}
export interface Tag {
  registry: string;
  repository: string;
  tag: string;
  digest: string;
  at: number;
}
interface BlobLink {
  registry: string;
  repository: string;
  digest: string;
}

export class RegistryStore {
  private readonly folder: string;
  private readonly manifestTable: Table<Manifest>;
  private readonly tagTable: Table<Tag>;
  private readonly blobTable: Table<BlobLink>;

  constructor(folder: string, journal: Journal) {
    this.folder = folder;
    this.manifestTable = journal.table('registryManifests');
    this.tagTable = journal.table('registryTags');
    this.blobTable = journal.table('registryBlobs');
  }

  /** Names of the repositories that have a manifest, in order. */
  repositories(registry: string): string[] {
    const names = Array.from(this.manifestTable.values())
      .filter((one) => one.registry === registry)
      .map(({ repository }) => repository);
    return [...new Set(names)].sort();
  }

  tags(registry: string, repository: string): Tag[] {
    return Array.from(this.tagTable.values())
      .filter((one) => one.registry === registry && one.repository === repository)
      .sort((a, b) => (a.tag < b.tag ? -1 : 1));
  }

  manifests(registry: string, repository: string): Manifest[] {
    return Array.from(this.manifestTable.values()).filter(
      (one) => one.registry === registry && one.repository === repository,
    );
  }

  /** By tag or by digest. */
  manifest(registry: string, repository: string, reference: string): Manifest | undefined {
    const digest = reference.includes(':')
      ? reference
      : this.tagTable.get(key(registry, repository, reference))?.digest;
    return digest === undefined ? undefined : this.manifestTable.get(key(registry, repository, digest));
  }

  putManifest(fields: Omit<Manifest, 'digest' | 'sizeBytes'>, bytes: Buffer, tag: string | undefined): Manifest {
    const digest = this.keep(bytes);
    const manifest = { ...fields, digest, sizeBytes: bytes.length };
    const { registry, repository, at } = fields;
    this.manifestTable.set(key(registry, repository, digest), manifest);
    if (tag !== undefined) this.tagTable.set(key(registry, repository, tag), { registry, repository, tag, digest, at });
    return manifest;
  }

  /** Removes the manifest and the tags that point at it. */
  removeManifest({ registry, repository, digest }: Manifest): void {
    this.manifestTable.delete(key(registry, repository, digest));
    for (const { tag } of this.tags(registry, repository).filter((one) => one.digest === digest))
      this.removeTag(registry, repository, tag);
  }

  removeTag(registry: string, repository: string, tag: string): void {
    this.tagTable.delete(key(registry, repository, tag));
  }

  hasBlob(registry: string, repository: string, digest: string): boolean {
    return this.blobTable.get(key(registry, repository, digest)) !== undefined;
  }

  linkBlob(registry: string, repository: string, digest: string): void {
    this.blobTable.set(key(registry, repository, digest), { registry, repository, digest });
  }

  unlinkBlob(registry: string, repository: string, digest: string): void {
    this.blobTable.delete(key(registry, repository, digest));
  }

  sizeOf(digest: string): number {
    return statSync(this.file(digest)).size;
  }

  /** A content in memory: manifests are small. */
  read(digest: string): Buffer {
    return readFileSync(this.file(digest));
  }

  stream(digest: string): ReturnType<typeof createReadStream> {
    return createReadStream(this.file(digest));
  }

  /** Stores a content; answers its digest. */
  keep(bytes: Buffer): string {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (!existsSync(this.file(digest))) {
      mkdirSync(this.folder, { recursive: true });
      const fresh = join(this.folder, randomUUID());
      writeFileSync(fresh, bytes);
      renameSync(fresh, this.file(digest));
    }
    return digest;
  }

  /** Where an upload grows until its digest is known. */
  uploadFile(id: string): string {
    mkdirSync(this.folder, { recursive: true });
    return join(this.folder, `upload-${id}`);
  }

  /** Takes an upload in under its digest. */
  adopt(uploadFile: string, digest: string): void {
    renameSync(uploadFile, this.file(digest));
  }

  /** The bytes that a registry's manifests and blobs take, each content once. */
  usedBytes(registry: string): number {
    const digests = [...this.blobTable.values(), ...this.manifestTable.values()]
      .filter((one) => one.registry === registry)
      .map(({ digest }) => digest);
    return [...new Set(digests)].reduce((sum, digest) => sum + this.sizeOf(digest), 0);
  }

  /** Everything of a registry goes; contents that no other has, too. */
  removeRegistry(registry: string): void {
    const gone = new Set<string>();
    for (const table of [this.manifestTable, this.blobTable, this.tagTable] as Table<{
      registry: string;
      repository: string;
      digest: string;
      tag?: string;
    }>[]) {
      for (const one of Array.from(table.values()).filter((row) => row.registry === registry)) {
        gone.add(one.digest);
        table.delete(key(registry, one.repository, one.tag ?? one.digest));
      }
    }
    for (const { digest } of [...this.manifestTable.values(), ...this.blobTable.values()]) gone.delete(digest);
    for (const digest of gone) rmSync(this.file(digest), { force: true });
  }

  private file(digest: string): string {
    return join(this.folder, digest.replace(':', '-'));
  }
}

/** Neither registries, repositories, tags nor digests have a '|'. */
function key(registry: string, repository: string, reference: string): string {
  return `${registry}|${repository}|${reference}`;
}
