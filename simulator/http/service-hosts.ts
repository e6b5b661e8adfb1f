/**
 * The names that Azure gives the data planes of accounts, vaults and registries: `{account}.blob.core.localhost` and
 * `.file.core`, `{vault}.vault.localhost`, `{registry}.azurecr.localhost`. Azure's own clients make them from a name
 * and the cloud's suffixes; they lead to the ARM endpoint's port, and from there to the region.
 */

/** What follows an account's, a vault's or a registry's name, without the port. */
const SUFFIXES = {
  storage: 'core.localhost',
  vault: 'vault.localhost',
  registry: 'azurecr.localhost',
  trafficManager: 'trafficmanager.localhost',
} as const;
export type ServiceName = 'blob' | 'file' | 'registry' | 'trafficManager' | 'vault';
const SERVICES: Record<string, ServiceName> = {
  'blob.core': 'blob',
  'file.core': 'file',
  azurecr: 'registry',
  trafficmanager: 'trafficManager',
  vault: 'vault',
};

/** The host names that a server certificate must be good for, beside localhost and its direct children. */
export const SERVICE_WILDCARDS = [
  `*.blob.${SUFFIXES.storage}`,
  `*.file.${SUFFIXES.storage}`,
  `*.${SUFFIXES.vault}`,
  `*.${SUFFIXES.registry}`,
  `*.${SUFFIXES.trafficManager}`,
] as const;

/** The suffixes as clients are told them, with the port of the ARM endpoint. */
export function serviceSuffixes(arm: string): {
  storage: string;
  vault: string;
  registry: string;
  trafficManager: string;
} {
  const { port } = new URL(arm);
  return {
    storage: `${SUFFIXES.storage}:${port}`,
    vault: `${SUFFIXES.vault}:${port}`,
    registry: `${SUFFIXES.registry}:${port}`,
    trafficManager: `${SUFFIXES.trafficManager}:${port}`,
  };
}

/** The service that a `Host` header names, or undefined where it names none (localhost). */
export function serviceOf(host: string | undefined): { service: ServiceName; name: string } | undefined {
  const [bare = ''] = (host ?? '').toLowerCase().split(':');
  const match = /^([a-z0-9-]+)\.(blob\.core|file\.core|azurecr|trafficmanager|vault)\.localhost$/.exec(bare);
  const [, name = '', label = ''] = match ?? [];
  const service = SERVICES[label];
  return service && { service, name };
}
