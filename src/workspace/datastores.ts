/** Datastores: where in which storage account each one is, and what that is called in the standby. */
import { createHash } from 'node:crypto';
import type { ArmResource } from '../azure/azure.ts';

/** Made by Azure with every workspace; the standby has its own. */
const builtIn = [
  'workspaceblobstore',
  'workspaceartifactstore',
  'workspacefilestore',
  'workspaceworkingdirectory',
];

export function isBuiltIn(name: string): boolean {
  return builtIn.includes(name.toLowerCase());
}

export interface DatastorePlace {
  name: string;
  type: string;
  /** Absent: not in a blob container, and `unsupported` says what it is in. */
  blob?: { account: string; container: string };
  unsupported?: string;
  /** `AccountKey`, `Sas`, `ServicePrincipal`, `Certificate`, `None`. */
  credentials: string;
}

/** What a datastore's ARM resource says of its place. */
export function placeOfDatastore({ name, properties }: ArmResource): DatastorePlace {
  const type = text(properties.datastoreType) ?? 'Unknown';
  const credentials =
    text((properties.credentials as { credentialsType?: unknown } | null)?.credentialsType) ?? 'None';
  const account = text(properties.accountName);
  const container =
    type === 'AzureDataLakeGen2' ? text(properties.filesystem) : text(properties.containerName);
  const known = { name, type, credentials };
  if (
    (type === 'AzureBlob' || type === 'AzureDataLakeGen2') &&
    account !== undefined &&
    container !== undefined
  ) {
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
 * What a container of the active side is called in the standby's account: the same where it is of the workspace's own account, else
 * with the account's name before it, since two accounts may each have a container of one name.
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
