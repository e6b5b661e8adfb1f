/** Where a storage account is: its regions, its endpoints, and what its redundancy makes of them. */

import { isObject, textOf } from '../resource/fields.ts';
import type { Cloud, JsonObject, Stored } from '../contract/index.ts';
import { pairOf } from '../resource/regions.ts';

export const ACCOUNT = 'Microsoft.Storage/storageAccounts';
const SERVICES = ['dfs', 'file', 'queue', 'table', 'web'] as const;

/**
 * The primary's place, and the secondary's where the redundancy has one. `pair`: where the last failover came from, if
 * there was one.
 */
export function places(
  cloud: Pick<Cloud, 'dataPlane' | 'regions'>,
  account: string,
  region: string,
  sku: string,
  pair?: string,
): JsonObject {
  const found: JsonObject = {
    primaryLocation: region,
    statusOfPrimary: 'available',
    primaryEndpoints: endpoints(cloud, region, account),
  };
  if (!isGeoRedundant(sku)) return found;
  const secondary = pair ?? pairOf(region, cloud.regions);
  found.secondaryLocation = secondary;
  found.statusOfSecondary = 'available';
  if (isReadable(sku)) found.secondaryEndpoints = endpoints(cloud, secondary, `${account}-secondary`);
  return found;
}

export function isGeoRedundant(sku: string): boolean {
  return /_(RA)?GZ?RS$/i.test(sku);
}

function isReadable(sku: string): boolean {
  return /_RAGZ?RS$/i.test(sku);
}

/** 'Standard_RAGRS' */
export function skuOf(account: Stored): string {
  return isObject(account.resource.sku) ? textOf(account.resource.sku.name) : '';
}

/** The region of the secondary, or undefined where the account has none. */
export function secondaryOf(account: Stored): string | undefined {
  const { secondaryLocation } = account.resource.properties;
  return typeof secondaryLocation === 'string' ? secondaryLocation : undefined;
}

/** The region whose listener serves reads of the secondary, or undefined. */
export function readableSecondaryOf(account: Stored): string | undefined {
  return isReadable(skuOf(account)) ? secondaryOf(account) : undefined;
}

function endpoints(cloud: Pick<Cloud, 'dataPlane'>, region: string, account: string): JsonObject {
  const base = cloud.dataPlane(region);
  // Files have no readable secondary.
  const services = SERVICES.filter((one) => one !== 'file' || !account.endsWith('-secondary'));
  const others = services.map((service) => [service, `${base}/_/${service}/${account}/`]);
  return { ...Object.fromEntries(others), blob: `${base}/${account}/` } as JsonObject;
}

/** The account of this name, wherever it is. */
export function findAccount(cloud: Pick<Cloud, 'store'>, name: string): Stored | undefined {
  return cloud.store.ofType(ACCOUNT).find(({ resource }) => resource.name === name);
}
