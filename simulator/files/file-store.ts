/** The shares, directories and files of all accounts: records in the journal, contents as sparse files in a folder. */

import { randomUUID } from 'node:crypto';
import { closeSync, copyFileSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal, Table } from '../state/journal.ts';

export interface Share {
  account: string;
  name: string;
  /** When a snapshot: its name, the time it was taken. */
  snapshot?: string;
  quotaGiB: number;
  accessTier: string;
  metadata: Record<string, string>;
  etag: string;
  changedAt: number;
}

/** A range of bytes that has been written, both ends included. */
export type ByteRange = [from: number, to: number];

export interface Entry {
  /** Of its share: `account/share`, or `account/share@snapshot`. */
  share: string;
  /** As it was created, from the root down: 'Folder/file.txt'. Names are found whatever their case. */
  path: string;
  kind: 'directory' | 'file';
  id: string;
  metadata: Record<string, string>;
  /** Content-Type and its kind, as they were set. */
  headers: Record<string, string>;
  attributes: string;
  etag: string;
  createdAt: number;
  changedAt: number;
  sizeBytes: number;
  ranges: ByteRange[];
}

export class FileStore {
  private readonly folder: string;
  private readonly shareTable: Table<Share>;
  private readonly entryTable: Table<Entry>;
  /** What is directly below a directory: keys of entries, by the key of the directory. */
  private readonly below = new Map<string, Set<string>>();
  /** The bytes that a share's files take, by the key of the share. */
  private readonly used = new Map<string, number>();

  constructor(folder: string, journal: Journal) {
    this.folder = folder;
    this.shareTable = journal.table('fileShares');
    this.entryTable = journal.table('fileEntries');
    for (const entry of this.entryTable.values()) this.index(entry, 0);
  }

  share(account: string, name: string, snapshot?: string): Share | undefined {
    return this.shareTable.get(shareKey(account, name, snapshot));
  }

  /** All shares of an account, snapshots after their share, in order of name. */
  shares(account: string): Share[] {
    return Array.from(this.shareTable.values())
      .filter((share) => share.account === account)
      .sort((a, b) => compare(keyOfShare(a), keyOfShare(b)));
  }

  putShare(share: Share): void {
    this.shareTable.set(keyOfShare(share), share);
  }

  /** Removes the share with all it holds; not its snapshots. */
  removeShare(share: Share): void {
    const key = keyOfShare(share);
    for (const child of this.children(key, '')) this.removeTree(child);
    this.shareTable.delete(key);
  }

  /** A copy that stays as it is: `taken` is its name. */
  takeSnapshot(share: Share, taken: Share): void {
    const [from, to] = [keyOfShare(share), keyOfShare(taken)];
    this.putShare(taken);
    for (const entry of Array.from(this.entryTable.values()).filter((one) => one.share === from)) {
      const copy: Entry = { ...entry, share: to, id: randomUUID() };
      if (entry.kind === 'file' && entry.ranges.length > 0) copyFileSync(this.file(entry.id), this.file(copy.id));
      this.put(copy);
    }
  }

  entry(share: string, path: string): Entry | undefined {
    return this.entryTable.get(entryKey(share, path));
  }

  put(entry: Entry): void {
    const key = entryKey(entry.share, entry.path);
    const before = this.entryTable.get(key)?.sizeBytes ?? 0;
    this.entryTable.set(key, entry);
    this.index(entry, before);
  }

  /** Direct children of a directory ('' for the root), in order of name. */
  children(share: string, path: string): Entry[] {
    const keys = Array.from(this.below.get(entryKey(share, path)) ?? []).sort(compare);
    return keys.flatMap((key) => this.entryTable.get(key) ?? []);
  }

  remove(entry: Entry): void {
    const key = entryKey(entry.share, entry.path);
    this.entryTable.delete(key);
    this.below.get(parentKey(entry))?.delete(key);
    this.used.set(entry.share, this.usedBytes(entry.share) - entry.sizeBytes);
    rmSync(this.file(entry.id), { force: true });
  }

  /** The bytes in use by the files of a share, as its files are long. */
  usedBytes(share: string): number {
    return this.used.get(share) ?? 0;
  }

  /** Sets the length of a file's content: longer, the new part reads as zeros. */
  resize(entry: Entry, sizeBytes: number): void {
    this.withFile(entry, (descriptor) => ftruncateSync(descriptor, sizeBytes));
  }

  write(entry: Entry, at: number, bytes: Buffer): void {
    this.withFile(entry, (descriptor) => {
      for (let done = 0; done < bytes.length;)
        done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
    });
  }

  /** The bytes from `at` on; what was never written is zeros. */
  read(entry: Entry, at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (entry.ranges.length === 0) return bytes;
    this.withFile(entry, (descriptor) => {
      for (let done = 0; done < length;) {
        const got = readSync(descriptor, bytes, done, length - done, at + done);
        if (got === 0) break;
        done += got;
      }
    });
    return bytes;
  }

  private removeTree(entry: Entry): void {
    for (const child of this.children(entry.share, entry.path)) this.removeTree(child);
    this.remove(entry);
  }

  private withFile(entry: Entry, work: (descriptor: number) => void): void {
    mkdirSync(this.folder, { recursive: true });
    const descriptor = openSync(this.file(entry.id), 'a+');
    closeSync(descriptor);
    const opened = openSync(this.file(entry.id), 'r+');
    try {
      work(opened);
    } finally {
      closeSync(opened);
    }
  }

  private file(id: string): string {
    return join(this.folder, id);
  }

  private index(entry: Entry, sizeBefore: number): void {
    this.used.set(entry.share, this.usedBytes(entry.share) + entry.sizeBytes - sizeBefore);
    const parent = parentKey(entry);
    let children = this.below.get(parent);
    if (!children) this.below.set(parent, (children = new Set()));
    children.add(entryKey(entry.share, entry.path));
  }
}

export function keyOfShare({ account, name, snapshot }: Share): string {
  return shareKey(account, name, snapshot);
}

function shareKey(account: string, name: string, snapshot: string | undefined): string {
  return snapshot === undefined ? `${account}/${name}` : `${account}/${name}@${snapshot}`;
}

function entryKey(share: string, path: string): string {
  return `${share}|${path.toLowerCase()}`;
}

function parentKey({ share, path }: Entry): string {
  return entryKey(share, path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
