/** What providers may ask of storage accounts' data, past the regions' fronts. */

import type { ClientRequest } from 'node:http';
import type { Stored } from './resource.ts';

export interface BlobAccounts {
  /**
   * Opens a request past the regions' fronts, for contents too large for memory: path `/{account}/{container}/{blob}`,
   * encoded. `vouched`: by the cloud itself, without a signature.
   */
  open(method: string, path: string, headers: Record<string, string | string[]>, vouched: boolean): ClientRequest;
  /** Makes the account known to Azurite with these base64 keys (a rotation calls it again). */
  setKeys(account: string, key1: string, key2: string): Promise<void>;
  remove(account: string): Promise<void>;
  /** A SAS URL for a container, signed with key1 (for startPendingUpload and its kind). */
  containerSas(account: string, container: string, permissions: string, minutes: number): Promise<string>;
  /**
   * Makes the container, if it is not there; with `metadata`, which are names and values of headers, it has these and
   * no other.
   */
  createContainer(account: string, container: string, metadata?: Record<string, string>): Promise<void>;
  /** Removes the container with its blobs, if it is there. False: a lease holds it. */
  removeContainer(account: string, container: string): Promise<boolean>;
  /** The account's keys as they are now (after any rotation), or undefined where there is no such account. */
  keys(account: string): { key1: string; key2: string } | undefined;
  /**
   * Writes a block blob from within the cloud, past the region's front: what a running job writes goes on being written
   * while its region is dark. Overwrites. Errors: no such account or container.
   */
  putBlob(account: string, container: string, name: string, content: Buffer): Promise<void>;
  /** The content of a blob of text, past the region's front; undefined where there is none. */
  getBlob(account: string, container: string, name: string): Promise<string | undefined>;
  /** The names of the account's containers, past the region's front. */
  listContainers(account: string): Promise<string[]>;
  /**
   * The names of the blobs below a prefix, in order, past the region's front; empty where there is no such container.
   */
  listBlobs(account: string, container: string, prefix: string): Promise<string[]>;
}

export interface FileShares {
  /** The account's shares, and their snapshots. Times are milliseconds on the cloud's clock. */
  shares(account: string): {
    name: string;
    snapshot?: string;
    quotaGiB: number;
    accessTier: string;
    metadata: Record<string, string>;
    changedAt: number;
  }[];
  /** Makes the share, or changes these fields of it. */
  putShare(
    account: string,
    name: string,
    fields: { quotaGiB?: number; accessTier?: string; metadata?: Record<string, string> },
  ): void;
  /** Removes the share, its snapshots and all they hold. */
  removeShare(account: string, name: string): void;
  removeAccount(account: string): void;
}

export interface GeoReplication {
  /** The account has been made or changed: it gets, keeps or loses the replica that its redundancy and lag ask for. */
  follow(account: Stored): Promise<void>;
  /**
   * Brings the secondary to where it should be by now; milliseconds on the cloud's clock: all that was written before
   * is there.
   */
  lastSyncTime(account: Stored): Promise<number>;
  /** The secondary's state becomes the account's; answers the last sync time, after which what was written is lost. */
  failOver(account: Stored): Promise<number>;
  /** The account is gone. */
  forget(account: string): Promise<void>;
}
