/** The regions of the local Azure: their names as Azure spells them, and their pairs. */

/** The regions of a cloud for which nobody asked for others. */
export const DEFAULT_REGIONS = ['eastus', 'westus3', 'centralus'] as const;

/** Names that listeners have already, and that is no place. */
const TAKEN = new Set(['admin', 'arm', 'front', 'proxy', 'global']);

/** The regions in their short spelling. Throws RangeError naming what is no name of a region, or comes twice. */
export function requireRegions(names: readonly string[]): string[] {
  const regions = names.map(normalizeRegion);
  for (const [i, region] of regions.entries()) {
    if (!/^[a-z][a-z0-9]{1,49}$/.test(region) || TAKEN.has(region))
      throw new RangeError(
        `regions: expected names of letters and digits, as in eastus,westus3, got "${names[i]}" in "${names.join(',')}"`,
      );
    if (regions.indexOf(region) !== i) throw new RangeError(`regions: "${region}" is there twice`);
  }
  if (regions.length === 0) throw new RangeError('regions: expected one at least');
  return regions;
}

/**
 * Azure's own pairs, for the regions that people try failovers with. The pair of westus3 is eastus, but not the
 * reverse.
 */
const PAIRS: Record<string, string> = {
  eastus: 'westus',
  westus: 'eastus',
  westus3: 'eastus',
  eastus2: 'centralus',
  centralus: 'eastus2',
  westus2: 'westcentralus',
  northeurope: 'westeurope',
  westeurope: 'northeurope',
  uksouth: 'ukwest',
  ukwest: 'uksouth',
  southcentralus: 'northcentralus',
  northcentralus: 'southcentralus',
};

const DISPLAY_NAMES: Record<string, string> = {
  eastus: 'East US',
  eastus2: 'East US 2',
  westus: 'West US',
  westus2: 'West US 2',
  westus3: 'West US 3',
  centralus: 'Central US',
  northeurope: 'North Europe',
  westeurope: 'West Europe',
  uksouth: 'UK South',
  ukwest: 'UK West',
  southcentralus: 'South Central US',
  northcentralus: 'North Central US',
};

/** 'East US' and 'eastus' are one region: the short spelling. */
export function normalizeRegion(location: string): string {
  return location.toLowerCase().replaceAll(' ', '');
}

export function displayName(region: string): string {
  return DISPLAY_NAMES[region] ?? region;
}

/**
 * The region that holds the geo-redundant copies of `region`: Azure's pair where the cloud has it, else the next region
 * of the cloud in its order, so that a cloud of any regions has secondaries. A cloud of one region is its own pair.
 */
export function pairOf(region: string, regions: readonly string[]): string {
  const pair = PAIRS[region];
  if (pair !== undefined && regions.includes(pair)) return pair;
  return regions[(regions.indexOf(region) + 1) % regions.length] ?? region;
}
