/** Storage accounts: what one may be called and made of, where its endpoints are, and its keys. */

import { randomBytes } from 'node:crypto';
import { isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type ActionResult,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Stored,
} from '../contract/index.ts';
import { encryptionOf, readOnly } from './encryption.ts';
import { noteSecondary, pairOfOld, withoutSecondary } from './failover.ts';
import { prepareNetworkAcls } from './network.ts';
import { findAccount, places, skuOf } from './places.ts';
import { invalid } from './refusals.ts';
import { requireAccountSettings, requireKind, tierOf } from './settings.ts';

const ACCOUNT_NAME = /^[a-z0-9]{3,24}$/;

interface KeyPair {
  [name: string]: Json;
  key1: string;
  key2: string;
  created1: string;
  created2: string;
}

/** Templates of the first versions (2015) name the redundancy by `accountType`, and have no kind. */
function oldSku({ resource }: Stored): JsonObject | undefined {
  const { accountType } = resource.properties;
  if (typeof accountType !== 'string') return undefined;
  resource.kind ??= 'Storage';
  return { name: accountType };
}

/** Checks the body and fills in what Azure does; the keys go to `hidden`. Throws ArmError 400 and 409. */
export function prepareAccount(call: Call, next: Stored): void {
  const { cloud, id, existing } = call;
  requireName(cloud, id.name, next.resource.id);
  const sku = isObject(next.resource.sku) ? next.resource.sku : (existing?.resource.sku ?? oldSku(next));
  const { kind, sku: name } = requireKind(next.resource.kind ?? existing?.resource.kind, sku);
  requireAccountSettings(next.resource.properties);
  if (existing) requireUpdatable(existing, next, name);
  // Blob storage accounts alone have no default tier.
  if (kind === 'BlobStorage' && !existing && (next.resource.properties.accessTier ?? null) === null)
    throw invalid('accessTier', 'Hot or Cool for accounts of kind BlobStorage', null);
  next.resource.kind = kind;
  next.resource.sku = { name, tier: tierOf(name) };
  next.resource.tags ??= {};
  prepareNetworkAcls(next.resource.properties);
  requireKeyPolicy(next.resource.properties);
  noteSecondary(existing, next, name);
  const encryption = encryptionOf(existing, next);
  const keys = (next.hidden.keys ??= freshKeys(next.changedAt)) as KeyPair;
  // A PUT that says nothing of a property leaves it, as Azure's storage does.
  next.resource.properties = {
    ...accountDefaults(kind),
    ...withoutSecondary({ ...existing?.resource.properties, ...next.resource.properties }),
    encryption,
    ...places(cloud, next.resource.name, next.region ?? '', name, pairOfOld(next)),
    keyCreationTime: { key1: keys.created1, key2: keys.created2 },
    creationTime: new Date(next.createdAt).toISOString(),
  };
}

/**
 * What an update may not change: https://aka.ms/storageaccountupdate, and "Change how a storage account is replicated".
 */
function requireUpdatable(existing: Stored, { resource }: Stored, sku: string): void {
  const held = existing.resource.properties.isHnsEnabled ?? false;
  const asked = resource.properties.isHnsEnabled;
  if (asked !== undefined && asked !== null && asked !== held) throw readOnly('isHnsEnabled', held, asked);
  const before = skuOf(existing);
  if (layoutOf(before) === layoutOf(sku)) return;
  throw new ArmError(
    400,
    'StorageAccountTypeConversionNotAllowed',
    `Storage account type conversion is not allowed: the redundancy of '${existing.resource.name}' is ${before}, and an update cannot make it ${sku}, for that moves its data to other disks. It needs a conversion, or a new account and a copy.`,
    { target: 'sku.name' },
  );
}

/** Redundancies of the same layout differ in copies in the paired region alone, which an update adds and drops. */
function layoutOf(sku: string): string {
  return `${sku.slice(0, sku.indexOf('_')).toLowerCase()}, ${/ZRS$/i.test(sku) ? 'across zones' : 'in one'}`;
}

/**
 * Throws ArmError 400 `AccountNameInvalid`, or 409 `StorageAccountAlreadyTaken` where another account than `id` has the
 * name.
 */
export function requireName(cloud: Cloud, name: string, id: string): void {
  if (!ACCOUNT_NAME.test(name)) {
    throw new ArmError(
      400,
      'AccountNameInvalid',
      `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`,
    );
  }
  const holder = findAccount(cloud, name);
  if (holder && holder.resource.id.toLowerCase() !== id.toLowerCase()) {
    throw new ArmError(409, 'StorageAccountAlreadyTaken', `The storage account named ${name} is already taken.`, {
      target: 'name',
    });
  }
}

/**
 * After how many days a key is due for rotation: shown, and reported by policies; keys past it work on, as in Azure.
 */
function requireKeyPolicy({ keyPolicy }: JsonObject): void {
  if (keyPolicy === undefined || keyPolicy === null) return;
  const days = isObject(keyPolicy) ? keyPolicy.keyExpirationPeriodInDays : undefined;
  if (typeof days === 'number' && Number.isInteger(days) && days >= 0 && days <= 999_999) return;
  throw new ArmError(
    400,
    'InvalidValuesForRequestParameters',
    `Values for request parameters are invalid: keyPolicy.keyExpirationPeriodInDays: expected a whole number of days, got ${JSON.stringify(days ?? null)}.`,
    { target: 'keyPolicy.keyExpirationPeriodInDays' },
  );
}

/** The answer of `checkNameAvailability`. */
export function nameAvailability(cloud: Cloud, name: string): Json {
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

function accountDefaults(kind: string): JsonObject {
  return {
    ...(kind === 'Storage' ? {} : { accessTier: 'Hot' }),
    allowBlobPublicAccess: false,
    minimumTlsVersion: 'TLS1_2',
    supportsHttpsTrafficOnly: true,
    networkAcls: { bypass: 'AzureServices', virtualNetworkRules: [], ipRules: [], defaultAction: 'Allow' },
    privateEndpointConnections: [],
  };
}

/** POST listKeys. */
export function listKeys({ existing, apiVersion }: Call): ActionResult {
  if (!existing) return { body: { keys: [] } };
  const keys = keysOf(existing);
  // Before 2016 the answer was no list; quickstarts still ask for `.key1`.
  const { key1, key2 } = keys;
  return { body: apiVersion < '2016' ? { key1, key2 } : { keys: shownKeys(keys) } };
}

/** POST regenerateKey: from the answer on, Azurite refuses the old one. */
export async function regenerateKey({ cloud, existing, body }: Call): Promise<ActionResult> {
  if (!existing) return { status: 404 };
  const which = body.keyName;
  if (which !== 'key1' && which !== 'key2') {
    throw new ArmError(
      400,
      'InvalidRequestPropertyValue',
      `The value '${textOf(which)}' is not allowed for property keyName. Allowed values are: key1, key2.`,
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

/** The keys in force. */
export function keysOf(stored: Stored): KeyPair {
  return stored.hidden.keys as KeyPair;
}

function freshKeys(now: number): KeyPair {
  const created = new Date(now).toISOString();
  return { key1: freshKey(), key2: freshKey(), created1: created, created2: created };
}

function freshKey(): string {
  return randomBytes(64).toString('base64');
}
