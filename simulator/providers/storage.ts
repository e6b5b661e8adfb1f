/** Microsoft.Storage: accounts whose keys are Azurite's own, their endpoints, and containers as management sees them. */

import { randomBytes } from 'node:crypto';
import { isObject } from '../http/fields.ts';
import {
  ArmError,
  type ActionResult,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Provider,
  type Stored,
} from '../provider.ts';
import { pairOf } from '../regions.ts';
import { row } from './table.ts';

const ACCOUNT = 'Microsoft.Storage/storageAccounts';
const BLOB_SERVICE = `${ACCOUNT}/blobServices`;
const CONTAINER = `${BLOB_SERVICE}/containers`;
const ACCOUNT_NAME = /^[a-z0-9]{3,24}$/;
const CONTAINER_NAME = /^(?!.*--)[a-z0-9$][a-z0-9-]{1,61}[a-z0-9]$/;
const SKUS = [
  'Standard_LRS',
  'Standard_ZRS',
  'Standard_GRS',
  'Standard_GZRS',
  'Standard_RAGRS',
  'Standard_RAGZRS',
  'Premium_LRS',
  'Premium_ZRS',
];
const KINDS = ['Storage', 'StorageV2', 'BlobStorage', 'FileStorage', 'BlockBlobStorage'];

interface KeyPair {
  [name: string]: Json;
  key1: string;
  key2: string;
  created1: string;
  created2: string;
}

const accounts = row(ACCOUNT, {
  region: 'own',
  longRunning: { put: 3000 },
  createdStatus: 202,
  immutable: ['kind'],
  beforePut: prepareAccount,
  async afterPut({ cloud }, stored) {
    const { key1, key2 } = keysOf(stored);
    await cloud.blobs.setKeys(stored.resource.name, key1, key2);
    makeBlobService(cloud, stored);
  },
  afterDelete: ({ cloud }, stored) => cloud.blobs.remove(stored.resource.name),
  // A PATCH and a PUT of what exists are done at once; only making an account takes its time.
  updatedStatus: 200,
  actions: { listkeys: listKeys, regeneratekey: regenerateKey },
});

const containers = row(CONTAINER, {
  beforePut({ id }, next) {
    if (!CONTAINER_NAME.test(id.name)) {
      throw new ArmError(
        400,
        'ContainerNameInvalid',
        `The container name '${id.name}' is invalid: expected 3 to 63 lower-case letters, digits and single dashes.`,
      );
    }
    const times = { lastModifiedTime: next.resource.systemData as Json };
    next.resource.properties = {
      ...containerDefaults(),
      ...next.resource.properties,
      ...times,
      lastModifiedTime: new Date(next.changedAt).toISOString(),
    };
  },
  async afterPut({ cloud, id }) {
    await cloud.blobs.createContainer(id.names[0] ?? '', id.name);
  },
});

/** Services of an account that exist by themselves, once, under the name 'default'. */
const services = ['blobServices', 'fileServices', 'queueServices', 'tableServices', 'managementPolicies'].map(
  (name) =>
    row(`${ACCOUNT}/${name}`, {
      createdStatus: 200,
      beforePut({ id }) {
        if (id.name.toLowerCase() !== 'default')
          throw new ArmError(
            400,
            'InvalidResourceName',
            `The name of '${id.type}' must be 'default', got '${id.name}'.`,
          );
      },
    }),
);

export const storage: Provider = {
  namespace: 'Microsoft.Storage',
  types: [
    accounts,
    ...services,
    containers,
    row(`${ACCOUNT}/fileServices/shares`),
    row(`${ACCOUNT}/privateEndpointConnections`),
  ],
  route({ cloud, method, path, body }) {
    if (method !== 'POST' || !/\/providers\/Microsoft\.Storage\/checkNameAvailability$/i.test(path))
      return Promise.resolve(undefined);
    return Promise.resolve({ status: 200, body: nameAvailability(cloud, String(body.name ?? '')) });
  },
};

/** Notes in the management plane what a data-plane request did to a container. */
export function mirrorContainer(cloud: Cloud, account: string, container: string, exists: boolean): void {
  const stored = find(cloud, account);
  if (!stored || !CONTAINER_NAME.test(container)) return;
  const id = `${stored.resource.id}/blobServices/default/containers/${container}`;
  if (!exists) cloud.store.remove(id);
  else if (!cloud.store.get(id)) {
    const now = cloud.clock.now();
    const properties = { ...containerDefaults(), lastModifiedTime: new Date(now).toISOString() };
    cloud.store.put({
      resource: { id, name: container, type: CONTAINER, properties },
      hidden: {},
      etag: `"${now.toString(16)}"`,
      region: stored.region,
      createdAt: now,
      changedAt: now,
    });
  }
}

function prepareAccount(call: Call, next: Stored): void {
  const { cloud, id, existing } = call;
  requireName(cloud, id.name, next.resource.id);
  const sku = isObject(next.resource.sku) ? next.resource.sku : existing?.resource.sku;
  const name = isObject(sku)
    ? SKUS.find((one) => one.toLowerCase() === String(sku.name).toLowerCase())
    : undefined;
  if (name === undefined) {
    throw new ArmError(
      400,
      'InvalidRequestPropertyValue',
      `The value '${isObject(sku) ? String(sku.name) : ''}' is not allowed for property sku.name. Allowed values are: ${SKUS.join(', ')}.`,
      { target: 'sku.name' },
    );
  }
  const kind = next.resource.kind ?? existing?.resource.kind;
  if (!KINDS.some((one) => one === kind)) {
    throw new ArmError(
      400,
      'InvalidRequestPropertyValue',
      `The value '${String(kind ?? '')}' is not allowed for property kind. Allowed values are: ${KINDS.join(', ')}.`,
      { target: 'kind' },
    );
  }
  next.resource.kind = kind ?? 'StorageV2';
  next.resource.sku = { name, tier: name.startsWith('Premium') ? 'Premium' : 'Standard' };
  next.resource.tags ??= {};
  const keys = (next.hidden.keys ??= freshKeys(next.changedAt)) as KeyPair;
  // A PUT that says nothing of a property leaves it, as Azure's storage does.
  next.resource.properties = {
    ...accountDefaults(),
    ...existing?.resource.properties,
    ...next.resource.properties,
    ...places(cloud, next.resource.name, next.region ?? '', name),
    keyCreationTime: { key1: keys.created1, key2: keys.created2 },
    creationTime: new Date(next.createdAt).toISOString(),
  };
}

function requireName(cloud: Cloud, name: string, id: string): void {
  if (!ACCOUNT_NAME.test(name)) {
    throw new ArmError(
      400,
      'AccountNameInvalid',
      `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`,
    );
  }
  const holder = find(cloud, name);
  if (holder && holder.resource.id.toLowerCase() !== id.toLowerCase()) {
    throw new ArmError(
      409,
      'StorageAccountAlreadyTaken',
      `The storage account named ${name} is already taken.`,
      { target: 'name' },
    );
  }
}

function nameAvailability(cloud: Cloud, name: string): Json {
  try {
    requireName(cloud, name, '');
    return { nameAvailable: true };
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    return {
      nameAvailable: false,
      reason: error.code === 'AccountNameInvalid' ? 'AccountNameInvalid' : 'AlreadyExists',
      message: error.message,
    };
  }
}

function accountDefaults(): JsonObject {
  const service = { keyType: 'Account', enabled: true };
  return {
    accessTier: 'Hot',
    allowBlobPublicAccess: false,
    minimumTlsVersion: 'TLS1_2',
    supportsHttpsTrafficOnly: true,
    networkAcls: { bypass: 'AzureServices', virtualNetworkRules: [], ipRules: [], defaultAction: 'Allow' },
    encryption: { services: { blob: { ...service }, file: { ...service } }, keySource: 'Microsoft.Storage' },
    privateEndpointConnections: [],
  };
}

/** Where the account is: its endpoints, and the secondary's where the redundancy has one. */
function places(cloud: Cloud, account: string, region: string, sku: string): JsonObject {
  const found: JsonObject = {
    primaryLocation: region,
    statusOfPrimary: 'available',
    primaryEndpoints: endpoints(cloud, region, account),
  };
  if (!/G(Z)?RS$/.test(sku)) return found;
  const pair = pairOf(region, cloud.regions);
  found.secondaryLocation = pair;
  found.statusOfSecondary = 'available';
  if (sku.includes('_RAG')) found.secondaryEndpoints = endpoints(cloud, pair, `${account}-secondary`);
  return found;
}

function endpoints(cloud: Cloud, region: string, account: string): JsonObject {
  const base = cloud.dataPlane(region);
  const others = ['dfs', 'file', 'queue', 'table', 'web'].map((service) => [
    service,
    `${base}/_/${service}/${account}/`,
  ]);
  return { ...Object.fromEntries(others), blob: `${base}/${account}/` } as JsonObject;
}

function listKeys({ existing }: Call): ActionResult {
  return { body: { keys: existing ? shownKeys(keysOf(existing)) : [] } };
}

async function regenerateKey({ cloud, existing, body }: Call): Promise<ActionResult> {
  if (!existing) return { status: 404 };
  const which = body.keyName;
  if (which !== 'key1' && which !== 'key2') {
    throw new ArmError(
      400,
      'InvalidRequestPropertyValue',
      `The value '${String(which ?? '')}' is not allowed for property keyName. Allowed values are: key1, key2.`,
      { target: 'keyName' },
    );
  }
  const now = cloud.clock.now();
  const created =
    which === 'key1' ? { created1: new Date(now).toISOString() } : { created2: new Date(now).toISOString() };
  const keys: KeyPair = { ...keysOf(existing), [which]: freshKey(), ...created };
  const properties = {
    ...existing.resource.properties,
    keyCreationTime: { key1: keys.created1, key2: keys.created2 },
  };
  cloud.store.put({
    ...existing,
    hidden: { ...existing.hidden, keys },
    changedAt: now,
    resource: { ...existing.resource, properties },
  });
  await cloud.blobs.setKeys(existing.resource.name, keys.key1, keys.key2);
  return { body: { keys: shownKeys(keys) } };
}

function shownKeys(keys: KeyPair): Json[] {
  return [
    { keyName: 'key1', value: keys.key1, permissions: 'FULL', creationTime: keys.created1 },
    { keyName: 'key2', value: keys.key2, permissions: 'FULL', creationTime: keys.created2 },
  ];
}

function keysOf(stored: Stored): KeyPair {
  return stored.hidden.keys as KeyPair;
}

function freshKeys(now: number): KeyPair {
  const created = new Date(now).toISOString();
  return { key1: freshKey(), key2: freshKey(), created1: created, created2: created };
}

function freshKey(): string {
  return randomBytes(64).toString('base64');
}

function makeBlobService(cloud: Cloud, account: Stored): void {
  const id = `${account.resource.id}/blobServices/default`;
  if (cloud.store.get(id)) return;
  const now = cloud.clock.now();
  const properties = {
    cors: { corsRules: [] },
    deleteRetentionPolicy: { enabled: false, allowPermanentDelete: false },
    isVersioningEnabled: false,
  };
  cloud.store.put({
    resource: { id, name: 'default', type: BLOB_SERVICE, properties },
    hidden: {},
    etag: `"${now.toString(16)}"`,
    region: account.region,
    createdAt: now,
    changedAt: now,
  });
}

function containerDefaults(): JsonObject {
  return {
    publicAccess: 'None',
    leaseStatus: 'Unlocked',
    leaseState: 'Available',
    hasImmutabilityPolicy: false,
    hasLegalHold: false,
    deleted: false,
    remainingRetentionDays: 0,
    defaultEncryptionScope: '$account-encryption-key',
    denyEncryptionScopeOverride: false,
  };
}

function find(cloud: Cloud, name: string): Stored | undefined {
  return cloud.store.ofType(ACCOUNT).find(({ resource }) => resource.name === name);
}
