/**
 * Where a vault is answered from. Azure keeps a copy of every vault in the region's pair: when a region is out as a
 * whole, its vaults are led there after some time, and take no writes until the region is back. Source: Azure, "Key
 * Vault availability and redundancy".
 */

import type { Faults } from '../faults/faults.ts';
import { ArmError, type ResourceStore } from '../contract/index.ts';
import { pairOf } from '../resource/regions.ts';
import type { Asked } from '../faults/parts.ts';

/** Azure takes minutes; here it is some seconds of the clock. */
const VAULT_FAILOVER_MS = 10_000;

interface Parts {
  faults: Faults;
  regions: readonly string[];
  now: () => number;
}

export class VaultFailover {
  private readonly parts: Parts;
  /** Since when a region is out as a whole. */
  private readonly since = new Map<string, number>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Call whenever what is out in a region has changed. */
  observe(region: string): void {
    const { faults, now } = this.parts;
    const isOut = faults
      .outagesOf(region)
      .some(({ mode, parts }) => parts === undefined && (mode === 'dark' || mode === 'hang'));
    if (!isOut) this.since.delete(region);
    else if (!this.since.has(region)) this.since.set(region, now());
  }

  /** The region that answers for the vaults of `region` now. */
  regionServing(region: string): string {
    const since = this.since.get(region);
    return since === undefined || this.parts.now() < since + VAULT_FAILOVER_MS
      ? region
      : pairOf(region, this.parts.regions);
  }
}

/** Throws ArmError for what is no reading: Azure names no code for it. */
export function requireReading({ method }: Asked, region: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new ArmError(
    503,
    'ServiceUnavailable',
    `The vault has failed over from '${region}' and is read-only until that region is back.`,
  );
}

/**
 * The region of the vault that a path below the global endpoint names (`/_/vault/{name}/…`): a vault's address names
 * none.
 */
export function regionOfVaultPath(
  store: ResourceStore,
  regions: readonly string[],
  path: string | undefined,
): string | undefined {
  const [, name] = /^\/_\/vault\/([^/?]+)/i.exec(path ?? '') ?? [];
  if (name === undefined) return undefined;
  const vaults = store.ofType('Microsoft.KeyVault/vaults');
  const found = vaults.find(({ resource }) => resource.name.toLowerCase() === name.toLowerCase());
  return found?.region ?? regions[0];
}
