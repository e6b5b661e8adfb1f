/** Which region a service's host name leads to. */

import type { ResourceStore } from '../contract/index.ts';
import { REGISTRY, regionsOf } from '../registry/places.ts';
import { findAccount, secondaryOf } from '../storage/places.ts';
import { serviceOf } from '../http/service-hosts.ts';

/**
 * The region that serves a host name. One that belongs to no account and no vault is answered by any: its front says
 * that there is no such thing, where Azure's names do not resolve. A registry with replications is led to a region that
 * is up. Undefined: the host is none of a service.
 */
export function regionOfHost(
  store: ResourceStore,
  regions: readonly string[],
  host: string | undefined,
  isUp: (region: string) => boolean = () => true,
): string | undefined {
  const named = serviceOf(host);
  if (!named || named.service === 'trafficManager') return undefined;
  const [any = ''] = regions;
  if (named.service === 'vault') {
    const vaults = store.ofType('Microsoft.KeyVault/vaults');
    return vaults.find(({ resource }) => resource.name.toLowerCase() === named.name)?.region ?? any;
  }
  if (named.service === 'registry') {
    const registry = store.ofType(REGISTRY).find(({ resource }) => resource.name.toLowerCase() === named.name);
    if (!registry) return any;
    const served = regionsOf({ store }, registry);
    return served.find(isUp) ?? served[0] ?? any;
  }
  const secondary = /^(.*)-secondary$/.exec(named.name);
  const account = findAccount({ store }, secondary?.[1] ?? named.name);
  if (!account) return any;
  return (secondary ? secondaryOf(account) : account.region) ?? any;
}
