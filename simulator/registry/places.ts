/** Where a container registry is served, and from where it may be called. */

import { isObject } from '../resource/fields.ts';
import { isNamed } from '../resource/address-rules.ts';
import { serviceSuffixes } from '../http/service-hosts.ts';
import type { Cloud, ResourceStore, Stored } from '../contract/index.ts';

export const REGISTRY = 'Microsoft.ContainerRegistry/registries';
export const REPLICATION = `${REGISTRY}/replications`;

/** 'name.azurecr.localhost:PORT' */
export function loginServerOf(cloud: Pick<Cloud, 'armEndpoint'>, name: string): string {
  return `${name.toLowerCase()}.${serviceSuffixes(cloud.armEndpoint).registry}`;
}

/** The registry's own region, then those of its replications that answer clients. */
export function regionsOf(cloud: { store: ResourceStore }, registry: Stored): string[] {
  const replicas = cloud.store
    .children(registry.resource.id, REPLICATION)
    .filter(({ resource }) => resource.properties.regionEndpointEnabled !== false)
    .filter(({ resource }) => resource.properties.provisioningState === 'Succeeded')
    .map(({ region }) => region ?? '');
  return [...new Set([registry.region ?? '', ...replicas])];
}

/** The public network, and the rules of a Premium registry. */
export function admitsRegistryCaller(registry: Stored, address: string | undefined): boolean {
  const { publicNetworkAccess, networkRuleSet } = registry.resource.properties;
  if (publicNetworkAccess === 'Disabled') return false;
  if (!isObject(networkRuleSet) || networkRuleSet.defaultAction !== 'Deny') return true;
  return isNamed(networkRuleSet.ipRules, address);
}
