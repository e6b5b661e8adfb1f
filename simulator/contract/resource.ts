/** A resource, how it is called, and where all of them are kept. */

import type { Json, JsonObject } from './json.ts';

/** A resource as ARM shows it. `properties` and the envelope's other fields keep everything a client put. */
export interface Resource {
  id: string;
  name: string;
  type: string;
  location?: string;
  properties: JsonObject;
  [field: string]: Json;
}

/** A resource as the local Azure keeps it. */
export interface Stored {
  resource: Resource;
  /** What is kept beside the resource and shown by no GET: secrets, keys, the inner life of a job. */
  hidden: JsonObject;
  etag: string;
  /** The region whose outage takes this resource down; null: global. */
  region: string | null;
  /** Milliseconds on the cloud's clock. */
  createdAt: number;
  changedAt: number;
}

/** A parsed ARM id. Comparison is by `key` (lower case); `id` keeps the spelling of the client. */
export interface ResourceId {
  id: string;
  key: string;
  subscriptionId?: string;
  resourceGroup?: string;
  /** 'Microsoft.MachineLearningServices' */
  provider: string;
  /** 'Microsoft.MachineLearningServices/workspaces/models/versions' */
  type: string;
  /** The names, in the order of the type's segments. */
  names: string[];
  name: string;
  /** The id one level up (a workspace for a model), or undefined at the top. */
  parent?: string;
  /**
   * What stands before the last '/providers/': a resource group, a subscription, or the resource an extension is put
   * on.
   */
  scope: string;
}

/** The store of all resources; every change is persisted before the client has its answer. */
export interface ResourceStore {
  get(id: string): Stored | undefined;
  put(stored: Stored): void;
  /** Removes the resource and everything below it; answers what was removed. */
  remove(id: string): Stored[];
  /** The direct children of `parent` of one type (full type name), in order of creation. */
  children(parent: string, type: string): Stored[];
  /** All resources of a type (any parent), in order of creation. */
  ofType(type: string): Stored[];
  /** All resources in a resource group (by its id), at any depth. */
  below(id: string): Stored[];
}
