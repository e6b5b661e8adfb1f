/**
 * Microsoft.Compute, as far as one asks it before a move: which sizes a region offers to the subscription, and the
 * limits of cores. There are no virtual machines here, so none are in use: Azure Machine Learning counts its own cores
 * apart, in its own usages.
 */

import { textOf } from '../../resource/fields.ts';
import { parameter } from '../../http/paging.ts';
import { ArmError, type Cloud, type JsonObject, type Provider } from '../../contract/index.ts';
import { normalizeRegion } from '../../resource/regions.ts';
import { listUsages } from './quota.ts';
import { FAMILIES, offeredSizes, SIZES, type Size } from './sizes.ts';

/** Azure's regions that have availability zones. */
const ZONED = new Set(
  'eastus eastus2 centralus southcentralus westus2 westus3 northeurope westeurope uksouth'.split(' '),
);
const SKUS = /^\/subscriptions\/[^/]+\/providers\/Microsoft\.Compute\/skus$/i;
const OF_LOCATION = /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.Compute\/locations\/([^/]+)\/(usages|vmSizes)$/i;

export const compute: Provider = {
  namespace: 'Microsoft.Compute',
  types: [],
  route({ cloud, method, path, query }) {
    if (method !== 'GET') return Promise.resolve(undefined);
    if (SKUS.test(path)) {
      const value = regionsAsked(cloud, parameter(query, '$filter')).flatMap((region) => skusOf(cloud, region));
      return Promise.resolve({ status: 200, body: { value } });
    }
    const [, subscription = '', location = '', what = ''] = OF_LOCATION.exec(path) ?? [];
    if (what === '') return Promise.resolve(undefined);
    const region = requireRegion(cloud, decodeURIComponent(location));
    const value =
      what.toLowerCase() === 'usages' ? usagesOf(cloud, subscription, region) : offeredSizes(cloud, region).map(vmSize);
    return Promise.resolve({ status: 200, body: { value } });
  },
};

/** `location eq '…'` is the only filter there is; a region that is none has no sizes. */
function regionsAsked(cloud: Cloud, filter: string | undefined): readonly string[] {
  if (filter === undefined || filter.trim() === '') return cloud.regions;
  const location = /^\s*location\s+eq\s+'([^']+)'\s*$/i.exec(filter)?.[1];
  if (location === undefined)
    throw new ArmError(400, 'InvalidParameter', `The filter '${filter}' is not supported: only "location eq '…'" is.`, {
      target: '$filter',
    });
  return cloud.regions.filter((region) => region === normalizeRegion(location));
}

function requireRegion(cloud: Cloud, location: string): string {
  const region = normalizeRegion(location);
  if (cloud.regions.includes(region)) return region;
  throw new ArmError(
    400,
    'NoRegisteredProviderFound',
    `No registered resource provider found for location '${location}'. The supported locations are '${cloud.regions.join(', ')}'.`,
  );
}

/** Every size there is, those that the region does not offer with the reason. */
function skusOf(cloud: Cloud, region: string): JsonObject[] {
  const offered = new Set(offeredSizes(cloud, region).map(({ name }) => name));
  return SIZES.map((size) => ({
    resourceType: 'virtualMachines',
    name: size.name,
    tier: 'Standard',
    size: size.name.replace(/^Standard_/, ''),
    family: size.family,
    locations: [region],
    locationInfo: [{ location: region, zones: ZONED.has(region) ? ['1', '2', '3'] : [], zoneDetails: [] }],
    capabilities: capabilities(size),
    restrictions: offered.has(size.name)
      ? []
      : [
          {
            type: 'Location',
            values: [region],
            restrictionInfo: { locations: [region] },
            reasonCode: 'NotAvailableForSubscription',
          },
        ],
  }));
}

function capabilities({ name, vCPUs, memoryGB, gpus, resourceVolumeMB }: Size): JsonObject[] {
  const flag = (is: boolean): string => (is ? 'True' : 'False');
  const values: Record<string, string> = {
    MaxResourceVolumeMB: String(resourceVolumeMB),
    OSVhdSizeMB: '1047552',
    vCPUs: String(vCPUs),
    HyperVGenerations: 'V1,V2',
    MemoryGB: String(memoryGB),
    CpuArchitectureType: 'x64',
    LowPriorityCapable: flag(true),
    PremiumIO: flag(name.toLowerCase().includes('s')),
    vCPUsAvailable: String(vCPUs),
    ...(gpus > 0 ? { GPUs: String(gpus) } : {}),
  };
  return Object.entries(values).map(([key, value]) => ({ name: key, value }));
}

function vmSize({ name, vCPUs, memoryGB, resourceVolumeMB }: Size): JsonObject {
  return {
    name,
    numberOfCores: vCPUs,
    osDiskSizeInMB: 1_047_552,
    resourceDiskSizeInMB: resourceVolumeMB,
    memoryInMB: memoryGB * 1024,
    maxDataDiskCount: Math.min(32, vCPUs * 4),
  };
}

/** The limits are those of the same families in Azure Machine Learning. */
function usagesOf(cloud: Cloud, subscription: string, region: string): JsonObject[] {
  const ofFamilies = listUsages(cloud, subscription, region).filter(({ type }) => textOf(type).includes('/vmFamily/'));
  const usage = (value: string, localizedValue: string, limit: number): JsonObject => ({
    unit: 'Count',
    currentValue: 0,
    limit,
    name: { value, localizedValue },
  });
  const families = FAMILIES.map((family, i) =>
    usage(family, `${spaced(family)} vCPUs`, Number(ofFamilies[i]?.limit ?? 0)),
  );
  const cores = families.reduce((sum, { limit }) => sum + Number(limit), 0);
  return [
    usage('availabilitySets', 'Availability Sets', 2500),
    usage('cores', 'Total Regional vCPUs', cores),
    usage('virtualMachines', 'Virtual Machines', 25_000),
    usage('lowPriorityCores', 'Total Regional Low-priority vCPUs', cores),
    ...families,
  ];
}

/** 'standardDSv2Family' → 'Standard DSv2 Family'. */
function spaced(family: string): string {
  const core = family.replace(/^standard\s*/i, '').replace(/\s*family$/i, '');
  return `Standard ${core} Family`;
}
