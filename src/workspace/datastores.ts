/** Datastores: the storage account and container of each, and the container's name in the standby. */
import { createHash } from 'node:crypto';
import type { ArmResource } from '../azure/azure.ts';

/** Made by Azure with every workspace. The standby has its own. */
const builtIn = ['workspaceblobstore', 'workspaceartifactstore', 'workspacefilestore', 'workspaceworkingdirectory'];

/** Whether Azure makes this datastore with every workspace. */
export function isBuiltIn(name: string): boolean {
  return builtIn.includes(name.toLowerCase());
}

/** Where a datastore keeps its data. */
export interface DatastorePlace {
  name: string;
  type: string;
  /** Absent if it is not in a blob container: `unsupported` then says what it is in. */
  blob?: { account: string; container: string };
  unsupported?: string;
  /** One of `AccountKey`, `Sas`, `ServicePrincipal`, `Certificate`, `None`. */
  credentials: string;
}

/** Reads a datastore's place from its ARM resource. */
export function placeOfDatastore({ name, properties }: ArmResource): DatastorePlace {
  const type = text(properties.datastoreType) ?? 'Unknown';
  const credentials = text((properties.credentials as { credentialsType?: unknown } | null)?.credentialsType) ?? 'None';
  const account = text(properties.accountName);
  const container = type === 'AzureDataLakeGen2' ? text(properties.filesystem) : text(properties.containerName);
  const known = { name, type, credentials };
  if ((type === 'AzureBlob' || type === 'AzureDataLakeGen2') && account !== undefined && container !== undefined) {
    return { ...known, blob: { account, container } };
  }
  return { ...known, unsupported: unsupportedReason(type) };
}

function unsupportedReason(type: string): string {
  if (type === 'AzureFile') return 'a file share: only blob containers are copied';
  if (type === 'AzureBlob' || type === 'AzureDataLakeGen2') return 'it names no account or container';
  return `of type ${type}: only blob containers are copied`;
}

/**
 * Returns the name in the standby's account of a container of the active side. It is the same if the container is in
 * the workspace's own account. Otherwise the account's name precedes it, since two accounts may each have a container
 * of one name.
 */
export function standbyContainer(account: { name: string; own: boolean }, container: string): string {
  if (account.own) return container;
  const name = `${account.name}-${container}`;
  if (name.length <= 63) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, 54).replace(/-+$/, '')}-${hash}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
