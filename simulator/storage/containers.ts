/** Blob containers as management sees them, kept in step with those that the data plane has. */

import { isObject } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type ResourceId, type Stored } from '../contract/index.ts';
import { ACCOUNT, findAccount } from './places.ts';
import { requireSettings, type Settings } from '../resource/settings.ts';
import { invalid } from './refusals.ts';
import { row } from '../resource/table.ts';

export const BLOB_SERVICE = `${ACCOUNT}/blobServices`;
const CONTAINER = `${BLOB_SERVICE}/containers`;
const CONTAINER_NAME = /^(?!.*--)[a-z0-9$][a-z0-9-]{1,61}[a-z0-9]$/;

const SETTINGS: Settings = {
  publicAccess: ['None', 'Blob', 'Container'],
  denyEncryptionScopeOverride: 'boolean',
};

export const containers = row(CONTAINER, {
  beforePut({ cloud, id }, next) {
    if (!CONTAINER_NAME.test(id.name)) {
      throw new ArmError(
        400,
        'ContainerNameInvalid',
        `The container name '${id.name}' is invalid: expected 3 to 63 lower-case letters, digits and single dashes.`,
      );
    }
    requireSettings(next.resource.properties, SETTINGS, invalid);
    const { metadata } = next.resource.properties;
    if (metadata !== undefined && metadata !== null && !isMetadata(metadata))
      throw invalid('metadata', 'an object of names, as in a program, with texts', metadata);
    requirePermitted(cloud, id, next);
    const times = { lastModifiedTime: next.resource.systemData as Json };
    next.resource.properties = {
      ...containerDefaults(),
      ...next.resource.properties,
      ...times,
      lastModifiedTime: new Date(next.changedAt).toISOString(),
    };
  },
  async afterPut({ cloud, id }, { resource }) {
    const { metadata } = resource.properties;
    await cloud.blobs.createContainer(id.names[0] ?? '', id.name, isMetadata(metadata) ? metadata : undefined);
  },
  async beforeDelete({ cloud, id }) {
    if (await cloud.blobs.removeContainer(id.names[0] ?? '', id.name)) return;
    throw new ArmError(
      409,
      'ContainerOperationFailure',
      `The container '${id.name}' has a lease, without whose id it is not deleted: release or break it first.`,
    );
  },
});

/** Metadata travel as headers: their names and values must be able to. */
function isMetadata(value: Json | undefined): value is Record<string, string> {
  if (!isObject(value)) return false;
  const isText = (one: Json): boolean => typeof one === 'string' && /^[\x20-\x7e]*$/.test(one);
  return Object.entries(value).every(([name, one]) => /^[A-Za-z_]\w*$/.test(name) && isText(one));
}

/** A container is public only where its account lets it be. */
function requirePermitted(cloud: Cloud, id: ResourceId, { resource }: Stored): void {
  const account = findAccount(cloud, id.names[0] ?? '');
  const isPublic = (resource.properties.publicAccess ?? 'None') !== 'None';
  if (isPublic && account?.resource.properties.allowBlobPublicAccess !== true)
    throw new ArmError(
      409,
      'PublicAccessNotPermitted',
      `Public access is not permitted on the storage account '${id.names[0]}'.`,
      { target: 'publicAccess' },
    );
}

/**
 * Notes in the management plane what a data-plane request did to a container: its public access ('None', …) as it now
 * is; null: it is gone.
 */
export function mirrorContainer(cloud: Cloud, account: string, container: string, publicAccess: string | null): void {
  const stored = findAccount(cloud, account);
  if (!stored || !CONTAINER_NAME.test(container)) return;
  const id = `${stored.resource.id}/blobServices/default/containers/${container}`;
  if (publicAccess === null) return void cloud.store.remove(id);
  const held = cloud.store.get(id);
  const now = cloud.clock.now();
  const properties = {
    ...(held?.resource.properties ?? containerDefaults()),
    publicAccess,
    lastModifiedTime: new Date(now).toISOString(),
  };
  cloud.store.put({
    hidden: {},
    region: stored.region,
    createdAt: now,
    ...held,
    resource: { ...(held?.resource ?? { id, name: container, type: CONTAINER }), properties },
    etag: `"${now.toString(16)}"`,
    changedAt: now,
  });
}

/** After a failover the account has the containers of its last sync: management shows those. */
export async function reconcileContainers(cloud: Cloud, account: string): Promise<void> {
  const stored = findAccount(cloud, account);
  if (!stored) return;
  const there = new Set(await cloud.blobs.listContainers(account));
  for (const { resource } of cloud.store.children(`${stored.resource.id}/blobServices/default`, CONTAINER))
    if (!there.has(resource.name)) mirrorContainer(cloud, account, resource.name, null);
    else there.delete(resource.name);
  for (const name of there) mirrorContainer(cloud, account, name, 'None');
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
