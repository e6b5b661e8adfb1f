/**
 * What an account may be made of: which redundancies each kind has, and the values of its settings. Source: Azure,
 * "Storage account overview"; REST API, Storage Accounts – Create.
 */

import { fieldAt, isObject, setFieldAt, takeFieldAt, textOf } from '../resource/fields.ts';
import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import { requireSettings, type Settings } from '../resource/settings.ts';
import { invalid } from './refusals.ts';

const LOCAL = ['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'];
const ZONAL = ['Standard_ZRS', 'Standard_GZRS', 'Standard_RAGZRS'];
const PREMIUM = ['Premium_LRS', 'Premium_ZRS'];
const PROVISIONED = 'StandardV2_LRS StandardV2_GRS StandardV2_ZRS StandardV2_GZRS PremiumV2_LRS PremiumV2_ZRS'.split(
  ' ',
);

/**
 * The redundancies of each kind. Page blobs alone make a general-purpose account premium, and then in one zone or
 * across zones.
 */
const SKUS_OF: Record<string, readonly string[]> = {
  Storage: [...LOCAL, 'Standard_ZRS', 'Premium_LRS'],
  StorageV2: [...LOCAL, ...ZONAL, ...PREMIUM],
  BlobStorage: LOCAL,
  BlockBlobStorage: PREMIUM,
  FileStorage: [...PREMIUM, ...PROVISIONED],
};
const SKUS = [...LOCAL, ...ZONAL, ...PREMIUM, ...PROVISIONED];

const SETTINGS: Settings = {
  accessTier: ['Hot', 'Cool', 'Cold', 'Premium'],
  minimumTlsVersion: ['TLS1_0', 'TLS1_1', 'TLS1_2', 'TLS1_3'],
  publicNetworkAccess: ['Enabled', 'Disabled', 'SecuredByPerimeter'],
  allowedCopyScope: ['AAD', 'PrivateLink', 'All'],
  dnsEndpointType: ['Standard', 'AzureDnsZone'],
  largeFileSharesState: ['Enabled', 'Disabled'],
  'encryption.keySource': ['Microsoft.Storage', 'Microsoft.Keyvault'],
  supportsHttpsTrafficOnly: 'boolean',
  allowBlobPublicAccess: 'boolean',
  allowSharedKeyAccess: 'boolean',
  isHnsEnabled: 'boolean',
  isSftpEnabled: 'boolean',
  isLocalUserEnabled: 'boolean',
  isNfsV3Enabled: 'boolean',
  defaultToOAuthAuthentication: 'boolean',
  allowCrossTenantReplication: 'boolean',
  'encryption.requireInfrastructureEncryption': 'boolean',
  ...Object.fromEntries(
    ['blob', 'file', 'queue', 'table'].flatMap((service) => [
      [`encryption.services.${service}.enabled`, 'boolean'],
      [`encryption.services.${service}.keyType`, ['Account', 'Service']],
    ]),
  ),
};

/** Reads and checks the settings that a body has. Throws ArmError 400 `InvalidValuesForRequestParameters`. */
export function requireAccountSettings(properties: JsonObject): void {
  for (const [name, allowed] of Object.entries(SETTINGS)) if (allowed === 'boolean') readSwitch(properties, name);
  requireSettings(properties, SETTINGS, invalid);
}

/**
 * Azure reads a switch that is the text 'true' or 'false', and an empty text as nothing said. Templates write both:
 * those of the public registry of modules leave `isNfsV3Enabled` out so.
 */
function readSwitch(properties: JsonObject, name: string): void {
  const given = fieldAt(properties, name);
  if (typeof given !== 'string') return;
  const text = given.toLowerCase();
  if (text === '') takeFieldAt(properties, name);
  else if (text === 'true' || text === 'false') setFieldAt(properties, name, text === 'true');
}

/** The kind and the redundancy, in Azure's spelling. Throws ArmError 400 where there is no such, or not together. */
export function requireKind(kind: Json | undefined, sku: Json | undefined): { kind: string; sku: string } {
  const named = isObject(sku) ? textOf(sku.name) : '';
  const known = named === '' ? undefined : spelt(SKUS, named);
  if (known === undefined) throw notAllowed('sku.name', named, SKUS);
  const held = spelt(Object.keys(SKUS_OF), textOf(kind));
  if (held === undefined) throw notAllowed('kind', textOf(kind), Object.keys(SKUS_OF));
  if (SKUS_OF[held]?.includes(known)) return { kind: held, sku: known };
  throw new ArmError(
    400,
    'InvalidValuesForRequestParameters',
    `Values for request parameters are invalid: kind, sku: accounts of kind ${held} are ${SKUS_OF[held]?.join(', ')}, got ${known}.`,
    { target: 'sku.name' },
  );
}

function spelt(words: readonly string[], text: string): string | undefined {
  return words.find((one) => one.toLowerCase() === text.toLowerCase());
}

function notAllowed(name: string, got: string, allowed: readonly string[]): ArmError {
  return new ArmError(
    400,
    'InvalidRequestPropertyValue',
    `The value '${got}' is not allowed for property ${name}. Allowed values are: ${allowed.join(', ')}.`,
    { target: name },
  );
}

/** The answer of `…/skus`: each kind with each of its redundancies, in each region. */
export function skuList(regions: readonly string[]): JsonObject[] {
  return Object.entries(SKUS_OF).flatMap(([kind, names]) =>
    names.map((name) => ({
      resourceType: 'storageAccounts',
      name,
      tier: tierOf(name),
      kind,
      locations: [...regions],
      capabilities: [],
      restrictions: [],
    })),
  );
}

export function tierOf(sku: string): string {
  return sku.startsWith('Premium') ? 'Premium' : 'Standard';
}
