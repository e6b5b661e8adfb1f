/** Microsoft.Storage: accounts whose keys are Azurite's own, their endpoints, and containers as management sees them. */

import { textOf } from '../http/fields.ts';
import { ArmError, type Cloud, type Provider, type Stored } from '../provider.ts';
import { keysOf, listKeys, nameAvailability, prepareAccount, regenerateKey } from './storage-account.ts';
import { BLOB_SERVICE, containers } from './storage-containers.ts';
import { answersForAccount, expandAccount, failover } from './storage-failover.ts';
import { ACCOUNT } from './storage-places.ts';
import { row } from './table.ts';

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
    await cloud.geo.follow(stored);
  },
  async afterDelete({ cloud }, stored) {
    await cloud.geo.forget(stored.resource.name);
    await cloud.blobs.remove(stored.resource.name);
  },
  actions: { listkeys: listKeys, regeneratekey: regenerateKey, failover },
  expand: expandAccount,
  answeredBy: answersForAccount,
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
