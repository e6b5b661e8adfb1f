/** Microsoft.ContainerRegistry: registries, their replications, and imports from one to another. */

import { Unanswered } from '../http/answer.ts';
import { fieldAt, isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Provider,
  type Stored,
} from '../contract/index.ts';
import type { RegistryStore } from './registry-store.ts';
import { ensurePasswords, listCredentials, regenerateCredential } from './credentials.ts';
import { importImage } from './import.ts';
import { loginServerOf, REGISTRY, REPLICATION } from './places.ts';
import { requireSettings, type Settings } from '../resource/settings.ts';
import { row } from '../resource/table.ts';

const SKUS = ['Basic', 'Standard', 'Premium'];
const NAME = /^[A-Za-z0-9]{5,50}$/;
const TIMES = { put: 2000, delete: 1000 };
const GIB = 2 ** 30;
/** Storage and webhooks that each tier includes. Source: Azure Container Registry service tiers. */
const LIMITS: Record<string, { bytes: number; webhooks: number; replications: number }> = {
  Basic: { bytes: 10 * GIB, webhooks: 2, replications: 0 },
  Standard: { bytes: 100 * GIB, webhooks: 10, replications: 0 },
  Premium: { bytes: 500 * GIB, webhooks: 500, replications: 50 },
};

const ENABLED = ['Enabled', 'Disabled'];
const POLICY = ['enabled', 'disabled'];
/** Source: Azure, REST API, Registries – Create. */
const SETTINGS: Settings = {
  adminUserEnabled: 'boolean',
  anonymousPullEnabled: 'boolean',
  dataEndpointEnabled: 'boolean',
  publicNetworkAccess: ENABLED,
  zoneRedundancy: ENABLED,
  networkRuleBypassOptions: ['AzureServices', 'None'],
  'networkRuleSet.defaultAction': ['Allow', 'Deny'],
  'policies.quarantinePolicy.status': POLICY,
  'policies.trustPolicy.status': POLICY,
  'policies.retentionPolicy.status': POLICY,
  'policies.exportPolicy.status': POLICY,
  'policies.softDeletePolicy.status': POLICY,
};
/**
 * Settings of Premium registries, by the value that any registry may have. Source: Azure Container Registry service
 * tiers.
 */
const OF_PREMIUM: { place: string; unless: Json }[] = [
  { place: 'networkRuleSet.defaultAction', unless: 'Allow' },
  { place: 'publicNetworkAccess', unless: 'Enabled' },
  { place: 'dataEndpointEnabled', unless: false },
  { place: 'encryption.status', unless: 'disabled' },
  { place: 'policies.trustPolicy.status', unless: 'disabled' },
  { place: 'policies.retentionPolicy.status', unless: 'disabled' },
  { place: 'policies.exportPolicy.status', unless: 'enabled' },
];

export function containerRegistry(store: RegistryStore): Provider {
  return {
    namespace: 'Microsoft.ContainerRegistry',
    types: [
      row(REGISTRY, {
        region: 'own',
        longRunning: TIMES,
        beforePut: prepareRegistry,
        afterDelete: (_call, stored) => store.removeRegistry(stored.resource.name.toLowerCase()),
        actions: {
          listcredentials: listCredentials,
          regeneratecredential: regenerateCredential,
          importimage: (call) => importImage(store, call),
        },
      }),
      row(REPLICATION, { region: 'own', longRunning: TIMES, beforePut: prepareReplication }),
    ],
    route({ cloud, method, path, body }) {
      if (method === 'POST' && /\/providers\/Microsoft\.ContainerRegistry\/checkNameAvailability$/i.test(path))
        return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
      const usages = /^(.*\/registries\/[^/]+)\/listUsages$/i.exec(path);
      if (method !== 'GET' || !usages) return Promise.resolve(undefined);
      return Promise.resolve({ status: 200, body: { value: usagesOf(cloud, store, usages[1] ?? '') } });
    },
  };
}

function prepareRegistry({ id, cloud, existing }: Call, next: Stored): void {
  requireName(cloud, id.name, id.key);
  const asked = next.resource.sku ?? existing?.resource.sku;
  const sku = SKUS.find((one) => one.toLowerCase() === (isObject(asked) ? textOf(asked.name).toLowerCase() : ''));
  if (sku === undefined)
    throw new ArmError(
      400,
      'InvalidParameter',
      `The SKU '${isObject(asked) ? textOf(asked.name) : ''}' is not valid: expected ${SKUS.join(', ')}.`,
      { target: 'sku.name' },
    );
  if (sku !== 'Premium' && cloud.store.children(id.id, REPLICATION).length > 0)
    throw new ArmError(
      409,
      'SkuNotSupported',
      `The registry '${id.name}' has replications, which tier '${sku}' does not support. Delete them first.`,
    );
  next.resource.sku = { name: sku, tier: sku };
  ensurePasswords(next);
  const { properties } = next.resource;
  requireSettings(properties, SETTINGS, invalidProperty);
  if (sku !== 'Premium') requireTier(sku, properties);
  next.resource.properties = {
    ...properties,
    loginServer: loginServerOf(cloud, id.name),
    creationDate: new Date(next.createdAt).toISOString(),
    adminUserEnabled: properties.adminUserEnabled ?? false,
    anonymousPullEnabled: properties.anonymousPullEnabled ?? false,
    dataEndpointEnabled: properties.dataEndpointEnabled ?? false,
    publicNetworkAccess: properties.publicNetworkAccess ?? 'Enabled',
    networkRuleBypassOptions: properties.networkRuleBypassOptions ?? 'AzureServices',
    zoneRedundancy: properties.zoneRedundancy ?? 'Disabled',
  };
}

/** What Premium registries alone have. */
function requireTier(sku: string, properties: JsonObject): void {
  const asked = OF_PREMIUM.find(({ place, unless }) => {
    const value = fieldAt(properties, place);
    return value !== undefined && value !== null && value !== unless;
  });
  if (asked)
    throw new ArmError(
      400,
      'SkuNotSupported',
      `The registry's tier is '${sku}': '${asked.place}' of ${JSON.stringify(fieldAt(properties, asked.place))} needs Premium.`,
      { target: asked.place },
    );
}

function invalidProperty(name: string, expected: string, got: Json): ArmError {
  return new ArmError(
    400,
    'InvalidParameter',
    `The value of '${name}' is not valid: expected ${expected}, got ${JSON.stringify(got)}.`,
    { target: name },
  );
}

function prepareReplication({ id, cloud }: Call, next: Stored): void {
  const registry = cloud.store.get(id.parent ?? '');
  const sku = registry && isObject(registry.resource.sku) ? textOf(registry.resource.sku.name) : '';
  if (sku !== 'Premium')
    throw new ArmError(400, 'SkuNotSupported', `The registry's tier is '${sku}': replications need Premium.`);
  if (registry?.region === next.region)
    throw new ArmError(
      409,
      'RegistryHomeRegion',
      `The registry itself is in '${next.region}': a replication goes to another region.`,
    );
  const twin = cloud.store
    .children(id.parent ?? '', REPLICATION)
    .find((other) => other.region === next.region && other.resource.id.toLowerCase() !== id.key);
  if (twin)
    throw new ArmError(
      409,
      'ReplicationAlreadyExists',
      `The replication '${twin.resource.name}' is already in '${next.region}'.`,
    );
  const { properties } = next.resource;
  next.resource.properties = {
    regionEndpointEnabled: true,
    zoneRedundancy: 'Disabled',
    ...properties,
    status: {
      displayStatus: 'Ready',
      message: 'The replica is ready.',
      timestamp: new Date(next.changedAt).toISOString(),
    },
  };
}

function requireName(cloud: Cloud, name: string, key: string): void {
  if (!NAME.test(name))
    throw new ArmError(
      400,
      'InvalidName',
      `The registry name '${name}' is invalid: expected 5 to 50 letters and digits.`,
    );
  const taken = cloud.store
    .ofType(REGISTRY)
    .some(({ resource }) => resource.name.toLowerCase() === name.toLowerCase() && resource.id.toLowerCase() !== key);
  if (taken)
    throw new ArmError(409, 'AlreadyInUse', `The registry DNS name ${loginServerOf(cloud, name)} is already in use.`);
}

function nameAvailability(cloud: Cloud, name: string): Json {
  try {
    requireName(cloud, name, '');
    return { nameAvailable: true };
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const reason = error.code === 'AlreadyInUse' ? 'AlreadyExists' : 'Invalid';
    return { nameAvailable: false, reason, message: error.message };
  }
}

function usagesOf(cloud: Cloud, store: RegistryStore, id: string): Json {
  const registry = cloud.store.get(id);
  if (registry?.region && cloud.isDark(registry.region)) throw new Unanswered('dark', registry.region);
  if (!registry) throw new ArmError(404, 'ResourceNotFound', `The Resource '${id}' was not found.`);
  const sku = isObject(registry.resource.sku) ? textOf(registry.resource.sku.name) : '';
  const limit = LIMITS[sku];
  const replications = cloud.store.children(id, REPLICATION).length;
  const rows: Json[] = [
    {
      name: 'Size',
      limit: limit?.bytes ?? 0,
      currentValue: store.usedBytes(registry.resource.name.toLowerCase()),
      unit: 'Bytes',
    },
    { name: 'Webhooks', limit: limit?.webhooks ?? 0, currentValue: 0, unit: 'Count' },
  ];
  if (sku === 'Premium')
    rows.push({
      name: 'Geo-replications',
      limit: limit?.replications ?? 0,
      currentValue: replications,
      unit: 'Count',
    });
  return rows;
}
