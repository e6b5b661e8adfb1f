/** The cloud that a provider is in: what the code of its rows may use. */

import type { DataPlaneHandler } from './data-plane.ts';
import type { Json, JsonObject } from './json.ts';
import type { Resource, ResourceStore, Stored } from './resource.ts';
import type { BlobAccounts, FileShares, GeoReplication } from './storage.ts';

/** The cloud's clock: real time by default, faster by a factor, or driven by a test through the admin API. */
export interface Clock {
  /** Milliseconds since 1970, on this clock. */
  now(): number;
  /** Runs `action` when the clock has come `ms` further; not persisted: a provider re-arms its timers in `start`. */
  after(ms: number, action: () => void): { cancel(): void };
}

/** Who a request comes from: the service principal of its bearer token. */
export interface Principal {
  objectId: string;
  clientId: string;
  tenantId: string;
}

/** What a row's code may use. */
export interface Cloud {
  readonly clock: Clock;
  readonly store: ResourceStore;
  readonly tenantId: string;
  /** The regions there are, in Azure's short spelling ('westus3'). */
  readonly regions: readonly string[];
  /** Where Azure's clients find the ARM endpoint: 'https://localhost:PORT'. */
  readonly armEndpoint: string;
  /**
   * The base of a region's data plane, e.g. 'https://localhost:PORT': blobs at /{account}, scoring and the rest below
   * /_/.
   */
  dataPlane(region: string): string;
  /** Is the region answering at all for this kind of thing? Row code rarely asks: the envelope already refuses. */
  isDark(region: string): boolean;
  /** Does storage in the region answer nothing? */
  isStorageOut(region: string): boolean;
  /**
   * A PUT through the same rules as a client's, by the cloud itself. Resolves when it has ended, its long-running
   * operation included; rejects with the ArmError that a client would have got (or that ended the operation).
   */
  createResource(id: string, body: JsonObject, apiVersion: string): Promise<Stored>;
  /** A DELETE through the same rules; resolves when its long-running operation has ended. */
  deleteResource(id: string, apiVersion: string): Promise<void>;
  /**
   * The entries of a list as it shows them now: all of them, unless a scenario has lists lag. `belongs`: would the list
   * have held a resource that is gone?
   */
  asListed(entries: Stored[], belongs: (stored: Stored) => boolean): Stored[];
  /** The resource as a GET shows it, or undefined. Asks no region whether it is dark. */
  showResource(id: string): Resource | undefined;
  /** POST {id}/{action} (listKeys and its kind) through the same rules; a long-running one is awaited. */
  invokeAction(id: string, action: string, body: JsonObject, apiVersion: string): Promise<Json>;
  /**
   * A draft of the cloud as it is. `createResource` in it leaves what a PUT would, by the same rules, at once and with
   * no other effect; its store and `showResource` tell what that is, and nothing of it leaves the draft.
   */
  draft(): Cloud;
  /** The cloud with no more rights than this principal's: what a deployment makes, its deployer makes. */
  as(principal: Principal): Cloud;
  /**
   * Checks 'Bearer …' of a data-plane request: signature, expiry, audience. Throws ArmError 401 with WWW-Authenticate.
   */
  authenticate(authorization: string | undefined, audiences: readonly string[]): Principal;
  /** A number in [0, 1) from the cloud's seed, so that a failure repeats. */
  random(): number;
  /** Registers an HTTP handler on every region's data plane below `/_/{prefix}/`. */
  onDataPlane(prefix: string, handler: DataPlaneHandler): void;
  /** Blob accounts behind the regions' fronts. */
  readonly blobs: BlobAccounts;
  /** The file shares of the accounts. */
  readonly files: FileShares;
  /** How far the secondaries of geo-redundant accounts are. */
  readonly geo: GeoReplication;
  /** A folder on this machine for what the cloud's computes work on; made by who needs it. */
  readonly workFolder: string;
  /** `listener` hears of every change of a region's outages; what dies with a region asks then whether it does. */
  onOutage(listener: (region: string) => void): void;
  /** Are the computes of the region lost, and with them all that runs there? */
  areComputesLost(region: string): boolean;
  log(message: string): void;
}
