/** Blob containers as management sees them, kept in step with those that the data plane has. */

import { ArmError, type Cloud, type Json, type JsonObject } from '../provider.ts';
import { ACCOUNT, findAccount } from './storage-places.ts';
import { row } from './table.ts';

export const BLOB_SERVICE = `${ACCOUNT}/blobServices`;
const CONTAINER = `${BLOB_SERVICE}/containers`;
const CONTAINER_NAME = /^(?!.*--)[a-z0-9$][a-z0-9-]{1,61}[a-z0-9]$/;

export const containers = row(CONTAINER, {
  beforePut({ id }, next) {
    if (!CONTAINER_NAME.test(id.name)) {
      throw new ArmError(
        400,
        'ContainerNameInvalid',
        `The container name '${id.name}' is invalid: expected 3 to 63 lower-case letters, digits and single dashes.`,
      );
    }
    const times = { lastModifiedTime: next.resource.systemData as Json };
    next.resource.properties = {
      ...containerDefaults(),
      ...next.resource.properties,
      ...times,
      lastModifiedTime: new Date(next.changedAt).toISOString(),
    };
  },
  async afterPut({ cloud, id }) {
    await cloud.blobs.createContainer(id.names[0] ?? '', id.name);
  },
});

/** Notes in the management plane what a data-plane request did to a container. */
export function mirrorContainer(cloud: Cloud, account: string, container: string, exists: boolean): void {
  const stored = findAccount(cloud, account);
  if (!stored || !CONTAINER_NAME.test(container)) return;
  const id = `${stored.resource.id}/blobServices/default/containers/${container}`;
  if (!exists) cloud.store.remove(id);
  else if (!cloud.store.get(id)) {
    const now = cloud.clock.now();
    const properties = { ...containerDefaults(), lastModifiedTime: new Date(now).toISOString() };
    cloud.store.put({
      resource: { id, name: container, type: CONTAINER, properties },
      hidden: {},
      etag: `"${now.toString(16)}"`,
      region: stored.region,
      createdAt: now,
      changedAt: now,
    });
  }
}

/** After a failover the account has the containers of its last sync: management shows those. */
export async function reconcileContainers(cloud: Cloud, account: string): Promise<void> {
  const stored = findAccount(cloud, account);
  if (!stored) return;
  const there = new Set(await cloud.blobs.listContainers(account));
  for (const { resource } of cloud.store.children(`${stored.resource.id}/blobServices/default`, CONTAINER))
    if (!there.has(resource.name)) mirrorContainer(cloud, account, resource.name, false);
  for (const name of there) mirrorContainer(cloud, account, name, true);
}

function containerDefaults(): JsonObject {
  return {
    publicAccess: 'None',
    leaseStatus: 'Unlocked',
    leaseState: 'Available',
    hasImmutabilityPolicy: false,
    hasLegalHold: false,
    deleted: false,
    remainingRetentionDays: 0,
    defaultEncryptionScope: '$account-encryption-key',
    denyEncryptionScopeOverride: false,
  };
}
