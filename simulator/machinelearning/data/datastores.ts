/** Datastores: addresses of storage with the secrets to reach it. The secrets are shown by `listSecrets` alone. */

import type { ActionResult, Call, ResourceType, Stored } from '../../contract/index.ts';
import { BLOB_STORE, DATASTORE_SECRETS } from './default-datastores.ts';
import { fillDefaults, isObject, objectOf, textOf, WORKSPACES } from '../bodies/fields.ts';
import { byField, limited } from '../bodies/lists.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';

/** What each kind of datastore must say. */
const REQUIRED: Record<string, readonly string[]> = {
  AzureBlob: ['accountName', 'containerName'],
  AzureFile: ['accountName', 'fileShareName'],
  AzureDataLakeGen1: ['storeName'],
  AzureDataLakeGen2: ['accountName', 'filesystem'],
  OneLake: ['artifact', 'oneLakeWorkspaceName'],
};

const SECRET_FIELDS: Record<string, string> = {
  AccountKey: 'key',
  Sas: 'sasToken',
  ServicePrincipal: 'clientSecret',
  Certificate: 'certificate',
};

export const datastores: ResourceType = {
  type: `${WORKSPACES}/datastores`,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  secrets: [DATASTORE_SECRETS],
  immutable: ['properties.datastoreType'],
  beforePut(call, next) {
    if (!call.existing)
      requireName('datastore', call.id.name, /^[a-z0-9_]{1,255}$/i, '1 to 255 letters, digits and underscores');
    checkKind(next);
    checkCredentials(call, next);
    fillDefaults(next.resource.properties, { description: null, tags: {}, properties: {} });
    const blobLike = next.resource.properties.datastoreType !== 'AzureDataLakeGen1';
    if (blobLike)
      fillDefaults(next.resource.properties, {
        endpoint: 'core.windows.net',
        protocol: 'https',
        serviceDataAccessAuthIdentity: 'None',
      });
    next.resource.properties.isDefault = call.id.name.toLowerCase() === BLOB_STORE;
  },
  beforeDelete(_call, stored) {
    if (stored.resource.properties.isDefault === true)
      throw userError(
        `The datastore '${stored.resource.name}' is the default datastore of its workspace and cannot be deleted.`,
      );
  },
  list(call, entries) {
    const names = call.query.getAll('names').flatMap((list) => list.split(','));
    const search = call.query.get('searchText')?.toLowerCase() ?? '';
    const isDefault = call.query.get('isDefault')?.toLowerCase();
    const found = byField(call, entries, 'datastoreType', 'datastoreType').filter(
      ({ resource }) =>
        (names.length === 0 || names.includes(resource.name)) &&
        resource.name.toLowerCase().includes(search) &&
        (isDefault === undefined || (resource.properties.isDefault === true) === (isDefault === 'true')),
    );
    return limited(call, found);
  },
  actions: { listsecrets: listSecrets },
};

function checkKind(next: Stored): void {
  const { properties } = next.resource;
  const kind = textOf(properties.datastoreType) ?? '';
  const required = REQUIRED[kind];
  if (!required)
    throw validationError(
      `properties.datastoreType: expected one of ${Object.keys(REQUIRED).join(', ')}, got '${kind}'.`,
      'datastoreType',
    );
  for (const field of required)
    if (textOf(properties[field]) === undefined && !isObject(properties[field]))
      throw validationError(`properties.${field}: a datastore of type ${kind} must have one.`, field);
}

function checkCredentials(call: Call, next: Stored): void {
  const credentials = next.resource.properties.credentials;
  const kind = isObject(credentials) ? textOf(credentials.credentialsType) : undefined;
  if (!isObject(credentials) || kind === undefined)
    throw validationError(
      'properties.credentials: a datastore must have credentials with a credentialsType (which may be None).',
      'credentials',
    );
  const secretField = SECRET_FIELDS[kind];
  if (secretField === undefined) {
    if (kind !== 'None')
      throw validationError(`properties.credentials.credentialsType: '${kind}' is not known.`, 'credentials');
    return;
  }
  if (isObject(credentials.secrets)) credentials.secrets.secretsType ??= kind;
  const secrets = objectOf(credentials.secrets ?? call.existing?.hidden[DATASTORE_SECRETS]);
  if (textOf(secrets[secretField]) === undefined)
    throw validationError(
      `properties.credentials.secrets.${secretField}: credentials of type ${kind} must have one.`,
      'credentials',
    );
}

function listSecrets(call: Call): ActionResult {
  const secrets = call.existing?.hidden[DATASTORE_SECRETS];
  const kind = objectOf(call.existing?.resource.properties.credentials).credentialsType;
  // A datastore that was changed to another kind of credentials must not give away those it had before.
  if (!isObject(secrets) || secrets.secretsType !== kind)
    throw userError(`No secrets for credentials of type ${textOf(kind) ?? 'None'}.`);
  return { body: secrets };
}
