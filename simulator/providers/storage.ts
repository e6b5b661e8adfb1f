/** Microsoft.Storage: accounts whose keys are Azurite's own, their endpoints, and containers as management sees them. */

import { textOf } from '../http/fields.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type Provider, type Stored } from '../provider.ts';
import {
  ACCOUNT,
  findAccount,
  keysOf,
  listKeys,
  nameAvailability,
  prepareAccount,
  regenerateKey,
} from './storage-account.ts';
import { row } from './table.ts';

const BLOB_SERVICE = `${ACCOUNT}/blobServices`;
const CONTAINER = `${BLOB_SERVICE}/containers`;
const CONTAINER_NAME = /^(?!.*--)[a-z0-9$][a-z0-9-]{1,61}[a-z0-9]$/;

const accounts = row(ACCOUNT, {
  region: 'own',
  longRunning: { put: 3000 },
  createdStatus: 202,
  immutable: ['kind'],
  beforePut: prepareAccount,
  async afterPut({ cloud }, stored) {
    const { key1, key2 } = keysOf(stored);
    await cloud.blobs.setKeys(stored.resource.name, key1, key2);
    makeBlobService(cloud, stored);
  },
  afterDelete: ({ cloud }, stored) => cloud.blobs.remove(stored.resource.name),
  actions: { listkeys: listKeys, regeneratekey: regenerateKey },
});

const containers = row(CONTAINER, {
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

/** Services of an account that exist by themselves, once, under the name 'default'. */
const services = ['blobServices', 'fileServices', 'queueServices', 'tableServices', 'managementPolicies'].map(
  (name) =>
    row(`${ACCOUNT}/${name}`, {
      createdStatus: 200,
      beforePut({ id }) {
        if (id.name.toLowerCase() !== 'default')
          throw new ArmError(
            400,
            'InvalidResourceName',
            `The name of '${id.type}' must be 'default', got '${id.name}'.`,
          );
      },
    }),
);

export const storage: Provider = {
  namespace: 'Microsoft.Storage',
  types: [
    accounts,
    ...services,
    containers,
    row(`${ACCOUNT}/fileServices/shares`),
    row(`${ACCOUNT}/privateEndpointConnections`),
  ],
  route({ cloud, method, path, body }) {
    if (method !== 'POST' || !/\/providers\/Microsoft\.Storage\/checkNameAvailability$/i.test(path))
      return Promise.resolve(undefined);
    return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
  },
};

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

function makeBlobService(cloud: Cloud, account: Stored): void {
  const id = `${account.resource.id}/blobServices/default`;
  if (cloud.store.get(id)) return;
  const now = cloud.clock.now();
  const properties = {
    cors: { corsRules: [] },
    deleteRetentionPolicy: { enabled: false, allowPermanentDelete: false },
    isVersioningEnabled: false,
  };
  cloud.store.put({
    resource: { id, name: 'default', type: BLOB_SERVICE, properties },
    hidden: {},
    etag: `"${now.toString(16)}"`,
    region: account.region,
    createdAt: now,
    changedAt: now,
  });
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
