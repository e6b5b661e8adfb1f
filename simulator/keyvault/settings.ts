/** What a vault may be set to. Source: Azure, REST API, Vaults – Create Or Update. */

import { isIPv4 } from 'node:net';
import { isObject, textOf } from '../resource/fields.ts';
import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import { requireSettings, type Settings } from '../resource/settings.ts';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MOST_POLICIES = 1024;

const SETTINGS: Settings = {
  'sku.family': ['A'],
  'sku.name': ['standard', 'premium'],
  createMode: ['default', 'recover'],
  enabledForDeployment: 'boolean',
  enabledForDiskEncryption: 'boolean',
  enabledForTemplateDeployment: 'boolean',
  enableSoftDelete: 'boolean',
  enablePurgeProtection: 'boolean',
  enableRbacAuthorization: 'boolean',
  publicNetworkAccess: ['Enabled', 'Disabled', 'SecuredByPerimeter'],
  'networkAcls.bypass': ['AzureServices', 'None'],
  'networkAcls.defaultAction': ['Allow', 'Deny'],
};

const OF_ALL = ['all', 'get', 'list', 'delete', 'backup', 'restore', 'recover', 'purge'];
const CRYPTO = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify'];
const ISSUERS = ['manageContacts', 'manageIssuers', 'getIssuers', 'listIssuers', 'setIssuers', 'deleteIssuers'];
const PERMISSIONS: Record<string, readonly string[]> = {
  keys: [
    ...OF_ALL,
    ...CRYPTO,
    'create',
    'update',
    'import',
    'release',
    'rotate',
    'getRotationPolicy',
    'setRotationPolicy',
  ],
  secrets: [...OF_ALL, 'set'],
  certificates: [...OF_ALL, ...ISSUERS, 'create', 'import', 'update'],
  storage: [...OF_ALL, 'set', 'update', 'regenerateKey', 'getSas', 'listSas', 'deleteSas', 'setSas'],
};

/**
 * Checks what a body says of a vault, and gives its words the spelling of the API. Throws ArmError 400 `BadRequest`.
 */
export function requireVaultSettings(properties: JsonObject): void {
  requireSettings(properties, SETTINGS, invalid);
  readPolicies(properties.accessPolicies);
  if (isObject(properties.networkAcls)) requireRules(properties.networkAcls);
}

/** What a vault cannot do without. Throws ArmError 400 `BadRequest`. */
export function requireVaultIdentity({ tenantId, sku }: JsonObject): void {
  if (tenantId === undefined || tenantId === null)
    throw new ArmError(400, 'BadRequest', "The parameter 'properties.tenantId' is missing.");
  if (!isGuid(tenantId)) throw invalid('tenantId', 'the GUID of a tenant', tenantId);
  if (!isObject(sku) || sku.name === undefined || sku.family === undefined)
    throw invalid('sku', "a family ('A') and a name ('standard' or 'premium')", sku);
}

/**
 * The policies of a body, each with a tenant, a principal and lists of permissions that there are. Throws ArmError 400
 * `BadRequest`.
 */
export function readPolicies(value: Json | undefined): JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw invalid('accessPolicies', 'a list of policies', value);
  if (value.length > MOST_POLICIES) throw invalid('accessPolicies', `at most ${MOST_POLICIES} policies`, value.length);
  for (const [i, policy] of value.entries()) requirePolicy(`accessPolicies[${i}]`, policy);
  return value;
}

function requirePolicy(place: string, { tenantId, objectId, permissions }: JsonObject): void {
  if (!isGuid(tenantId)) throw invalid(`${place}.tenantId`, 'the GUID of a tenant', tenantId);
  if (!isGuid(objectId)) throw invalid(`${place}.objectId`, 'the GUID of a principal', objectId);
  if (!isObject(permissions)) throw invalid(`${place}.permissions`, 'an object', permissions);
  for (const [kind, held] of Object.entries(permissions)) {
    const known = PERMISSIONS[kind.toLowerCase()];
    if (!known) throw invalid(`${place}.permissions`, Object.keys(PERMISSIONS).join(', '), kind);
    if (held === null) continue;
    const isKnown = (one: Json): boolean => known.some((word) => word.toLowerCase() === textOf(one).toLowerCase());
    if (!Array.isArray(held) || !held.every(isKnown))
      throw invalid(`${place}.permissions.${kind}`, `a list of ${known.join(', ')}`, held);
  }
}

function requireRules(acls: JsonObject): void {
  const rulesOf = (name: string): JsonObject[] => {
    const rules = acls[name] ?? [];
    if (!Array.isArray(rules) || !rules.every(isObject)) throw invalid(`networkAcls.${name}`, 'a list of rules', rules);
    return rules;
  };
  for (const { value } of rulesOf('ipRules')) {
    const [address = '', prefix = '32', ...rest] = textOf(value).split('/');
    const isRange = /^\d{1,2}$/.test(prefix) && Number(prefix) <= 32 && rest.length === 0;
    if (!isIPv4(address) || !isRange) throw invalid('networkAcls.ipRules.value', 'an IPv4 address or range', value);
  }
  for (const { id } of rulesOf('virtualNetworkRules'))
    if (!/\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i.test(textOf(id)))
      throw invalid('networkAcls.virtualNetworkRules.id', 'the id of a subnet', id);
}

function isGuid(value: Json | undefined): boolean {
  return typeof value === 'string' && GUID.test(value);
}

function invalid(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'BadRequest',
    `An invalid value was provided for '${name}': expected ${expected}, got ${JSON.stringify(got ?? null)}.`,
  );
}
