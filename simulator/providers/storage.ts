/** Microsoft.Storage: accounts whose keys are Azurite's own, their endpoints, and containers as management sees them. */

import { revokeKeys } from '../blobs/user-delegation.ts';
import { textOf } from '../http/fields.ts';
import type { Provider } from '../provider.ts';
import {
  keysOf,
  listKeys,
  nameAvailability,
  prepareAccount,
  regenerateKey,
  requireName,
} from './storage-account.ts';
import { containers } from './storage-containers.ts';
import { answersForAccount, expandAccount, failover } from './storage-failover.ts';
import { ACCOUNT } from './storage-places.ts';
import { listAccountSas, listServiceSas } from './storage-sas.ts';
import { makeServices, services } from './storage-services.ts';
import { shares } from './storage-shares.ts';
import { row } from './table.ts';

const accounts = row(ACCOUNT, {
  region: 'own',
  longRunning: { put: 3000 },
  createdStatus: 202,
  immutable: ['kind'],
  requireName: (cloud, { name, id }) => requireName(cloud, name, id),
  beforePut: prepareAccount,
  async afterPut({ cloud }, stored) {
    const { key1, key2 } = keysOf(stored);
    await cloud.blobs.setKeys(stored.resource.name, key1, key2);
    makeServices(cloud, stored);
    await cloud.geo.follow(stored);
  },
  async afterDelete({ cloud }, stored) {
    await cloud.geo.forget(stored.resource.name);
    await cloud.blobs.remove(stored.resource.name);
    cloud.files.removeAccount(stored.resource.name);
  },
  actions: {
    listkeys: listKeys,
    regeneratekey: regenerateKey,
    listaccountsas: listAccountSas,
    listservicesas: listServiceSas,
    failover,
    revokeuserdelegationkeys({ cloud, existing }) {
      if (existing) revokeKeys(cloud, existing);
      return { status: 200 };
    },
  },
  expand: expandAccount,
  answeredBy: answersForAccount,
});

export const storage: Provider = {
  namespace: 'Microsoft.Storage',
  types: [accounts, ...services, containers, shares, row(`${ACCOUNT}/privateEndpointConnections`)],
  route({ cloud, method, path, body }) {
    if (method !== 'POST' || !/\/providers\/Microsoft\.Storage\/checkNameAvailability$/i.test(path))
      return Promise.resolve(undefined);
    return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
  },
};
