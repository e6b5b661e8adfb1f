/**
 * A folder that a job writes to, and the place in blob storage that it stands for. What is written appears there while
 * the job runs, file by file, each once it has been the same at two looks.
 */

import { stat } from 'node:fs/promises';
import type { BlobAccounts, Cloud } from '../../../contract/index.ts';
import { below, deleteBlob, uploadFile, type BlobPlace } from './blob-files.ts';
import { requireAccess } from './data-access.ts';
import { filesBelow } from './files-below.ts';

/** For how long a file must have been left alone to be taken as complete. */
const SETTLED_MS = 300;

interface Look {
  sizeBytes: number;
  changedMs: number;
}

interface Seen extends Look {
  /** It is in storage as it was then. */
  uploaded: boolean;
}

export class OutputFolder {
  private readonly cloud: Cloud;
  private readonly blobs: BlobAccounts;
  private readonly folder: string;
  private readonly place: BlobPlace;
  private readonly seen = new Map<string, Seen>();

  constructor(cloud: Cloud, folder: string, place: BlobPlace) {
    this.cloud = cloud;
    this.blobs = cloud.blobs;
    this.folder = folder;
    this.place = place;
  }

  /** What is in the folder now came from storage. */
  async adopt(): Promise<void> {
    for (const name of await filesBelow(this.folder)) {
      const now = await this.look(name);
      if (now) this.seen.set(name, { ...now, uploaded: true });
    }
  }

  /**
   * Uploads what has not changed since the last look, and removes what is gone. `writtenUntil` (milliseconds since
   * 1970): when its writer was ended; a file that was changed just before may be half written. Errors: storage that
   * refuses (RunFailure where the credentials do); the next call tries again.
   */
  async upload(writtenUntil = Date.now()): Promise<void> {
    await this.sendAll((now, before) => {
      const isSame = before?.sizeBytes === now.sizeBytes && before.changedMs === now.changedMs;
      return isSame && now.changedMs <= writtenUntil - SETTLED_MS;
    });
  }

  /** Uploads all, for nobody writes any more. */
  async uploadWhole(): Promise<void> {
    await this.sendAll(() => true);
  }

  private async sendAll(isComplete: (now: Look, before: Seen | undefined) => boolean): Promise<void> {
    const names = await filesBelow(this.folder);
    for (const name of names) {
      const now = await this.look(name);
      if (!now) continue; // Gone since it was listed.
      const before = this.seen.get(name);
      const isSame = before?.sizeBytes === now.sizeBytes && before.changedMs === now.changedMs;
      if (isSame && before.uploaded) continue;
      this.seen.set(name, { ...now, uploaded: false });
      if (!isComplete(now, before)) continue;
      requireAccess(this.cloud, this.place);
      if (await this.send(name)) this.seen.set(name, { ...now, uploaded: true });
    }
    await this.removeGone(new Set(names));
  }

  /** False: the file is gone meanwhile, as one that is renamed when it is complete. */
  private async send(name: string): Promise<boolean> {
    try {
      await uploadFile(this.blobs, `${this.folder}/${name}`, below(this.place, name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  private async removeGone(names: ReadonlySet<string>): Promise<void> {
    for (const [name, { uploaded }] of this.seen) {
      if (names.has(name)) continue;
      if (uploaded) await deleteBlob(this.blobs, below(this.place, name));
      this.seen.delete(name);
    }
  }

  private async look(name: string): Promise<Look | undefined> {
    const found = await stat(`${this.folder}/${name}`).catch(() => undefined); // It may go at any time.
    return found?.isFile() ? { sizeBytes: found.size, changedMs: found.mtimeMs } : undefined;
  }
}

/**
 * How much of itself a log must have grown by, or how long ago it must have been uploaded, to be uploaded again: it
 * goes up whole.
 */
const WORTHWHILE_GROWTH = 0.05;
const LONGEST_WAIT_MS = 5000;

/** A file that only grows, as a log does: it is shown as far as it is written. */
export class GrowingFile {
  private readonly blobs: BlobAccounts;
  private readonly file: string;
  private readonly blob: BlobPlace;
  private uploadedBytes = -1;
  private uploadedAt = 0;

  constructor(blobs: BlobAccounts, file: string, blob: BlobPlace) {
    this.blobs = blobs;
    this.file = file;
    this.blob = blob;
  }

  async upload(): Promise<void> {
    const { size } = await stat(this.file);
    const isSmallChange = size - this.uploadedBytes < this.uploadedBytes * WORTHWHILE_GROWTH;
    if (isSmallChange && Date.now() - this.uploadedAt < LONGEST_WAIT_MS) return;
    await this.send(size);
  }

  async uploadWhole(): Promise<void> {
    await this.send((await stat(this.file)).size);
  }

  private async send(sizeBytes: number): Promise<void> {
    if (sizeBytes === this.uploadedBytes) return;
    await uploadFile(this.blobs, this.file, this.blob);
    this.uploadedBytes = sizeBytes;
    this.uploadedAt = Date.now();
  }
}
