/**
 * Microsoft.Storage: accounts whose keys are Azurite's own, their endpoints, and containers as management sees them.
 */

import { revokeKeys } from '../storage-protocol/user-delegation.ts';
import { textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type JsonObject, type Provider } from '../contract/index.ts';
import { normalizeRegion } from '../resource/regions.ts';
import { keysOf, listKeys, nameAvailability, prepareAccount, regenerateKey, requireName } from './account.ts';
import { containers } from './containers.ts';
import { answersForAccount, expandAccount, failover } from './failover.ts';
import { ACCOUNT } from './places.ts';
import { listAccountSas, listServiceSas } from './sas.ts';
import { skuList } from './settings.ts';
import { makeServices, services } from './services.ts';
import { shares } from './shares.ts';
import { row } from '../resource/table.ts';

const accounts = row(ACCOUNT, {
  region: 'own',
  longRunning: { put: 3000 },
  createdStatus: 202,
  immutable: ['kind'],
  requireName: (cloud, { name, id }) => requireName(cloud, name, id),
  beforePut: prepareAccount,
  spreads: ({ cloud }, stored) => makeServices(cloud, stored),
  async afterPut({ cloud }, stored) {
    const { key1, key2 } = keysOf(stored);
    await cloud.blobs.setKeys(stored.resource.name, key1, key2);
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

/**
 * In one subscription and region. Source: Azure, "Scalability and performance targets for standard storage accounts".
 */
const MOST_ACCOUNTS = 250;
const OF_SUBSCRIPTION =
  /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.Storage\/(skus|deletedAccounts|locations\/([^/]+)\/usages)$/i;

export const storage: Provider = {
  namespace: 'Microsoft.Storage',
  types: [accounts, ...services, containers, shares, row(`${ACCOUNT}/privateEndpointConnections`)],
  route({ cloud, method, path, body }) {
    if (method === 'POST' && /\/providers\/Microsoft\.Storage\/checkNameAvailability$/i.test(path))
      return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
    if (method !== 'GET') return Promise.resolve(undefined);
    const [, subscription = '', what = '', location = ''] = OF_SUBSCRIPTION.exec(path) ?? [];
    switch (what.split('/', 1)[0]?.toLowerCase()) {
      case 'skus':
        return Promise.resolve({ status: 200, body: { value: skuList(cloud.regions) } });
      case 'locations':
        return Promise.resolve({ status: 200, body: { value: [usageOf(cloud, subscription, location)] } });
      case 'deletedaccounts':
        // A deleted account is gone, with its blobs: there is none to be recovered.
        return Promise.resolve({ status: 200, body: { value: [] } });
      default:
        return Promise.resolve(undefined);
    }
  },
};

/** Accounts of the subscription in the region. Throws ArmError 400 for what is no region. */
function usageOf(cloud: Cloud, subscription: string, location: string): JsonObject {
  const region = normalizeRegion(location);
  if (!cloud.regions.includes(region))
    throw new ArmError(
      400,
      'LocationNotAvailableForResourceType',
      `The provided location '${location}' is not available for resource type 'Microsoft.Storage/locations/usages'. List of available regions for the resource type is '${cloud.regions.join(',')}'.`,
    );
  const below = `/subscriptions/${subscription}/`.toLowerCase();
  const held = cloud.store
    .ofType(ACCOUNT)
    .filter((one) => one.region === region && one.resource.id.toLowerCase().startsWith(below));
  return {
    unit: 'Count',
    currentValue: held.length,
    limit: MOST_ACCOUNTS,
    name: { value: 'StorageAccounts', localizedValue: 'Storage Accounts' },
  };
}
