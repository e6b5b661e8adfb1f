/**
 * The names that Azure gives the data planes of accounts and vaults: `{account}.blob.core.localhost`, `{vault}.vault.localhost`. Azure's
 * own clients make them from a name and the cloud's suffixes; they lead to the ARM endpoint's port, and from there to the region.
 */

/** What follows an account's or a vault's name, without the port. */
const SUFFIXES = { storage: 'core.localhost', vault: 'vault.localhost' } as const;

/** The host names that a server certificate must be good for, beside localhost and its direct children. */
export const SERVICE_WILDCARDS = [`*.blob.${SUFFIXES.storage}`, `*.${SUFFIXES.vault}`] as const;

/** The suffixes as clients are told them, with the port of the ARM endpoint. */
export function serviceSuffixes(arm: string): { storage: string; vault: string } {
  const { port } = new URL(arm);
  return { storage: `${SUFFIXES.storage}:${port}`, vault: `${SUFFIXES.vault}:${port}` };
}

/** The service that a `Host` header names, or undefined where it names none (localhost). */
export function serviceOf(host: string | undefined): { service: 'blob' | 'vault'; name: string } | undefined {
  const [bare = ''] = (host ?? '').toLowerCase().split(':');
  const match = /^([a-z0-9-]+)\.(blob\.core|vault)\.localhost$/.exec(bare);
  if (!match) return undefined;
  return { service: match[2] === 'vault' ? 'vault' : 'blob', name: match[1] ?? '' };
}
