/**
 * The contract between the providers of the local Azure and the cloud that they are in. It reads in this order: JSON,
 * errors, resources, what storage and data planes offer, the cloud, and the provider itself.
 */

export type { Json, JsonObject } from './json.ts';
export { ArmError } from './arm-error.ts';
export type { Resource, ResourceId, ResourceStore, Stored } from './resource.ts';
export type { BlobAccounts, FileShares, GeoReplication } from './storage.ts';
export type { DataPlaneHandler, DataPlaneRequest, DataPlaneResponse } from './data-plane.ts';
export type { Clock, Cloud, Principal } from './cloud.ts';
export type { ActionResult, Call, Provider, ResourceType, Verb } from './provider.ts';
