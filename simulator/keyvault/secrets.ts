/**
 * The secrets data plane of Key Vault at `https://…/_/vault/{name}/`: set, get, list, versions, update, delete,
 * recover, purge.
 */

import { requireNetwork, requireSecretAccess, VaultError } from './access.ts';
import {
  deletedSecret,
  deletedSecrets,
  deleteSecret,
  nameIsDeleted,
  ofDeletedSecret,
  shownDeleted,
} from './deleted-secrets.ts';
import {
  changedVersion,
  keep,
  latest,
  newVersion,
  requireSecretName,
  SECRET,
  shown,
  versionsOf,
  type Version,
} from './versions.ts';
import { parseJson } from '../http/body.ts';
import { isObject, textOf } from '../resource/fields.ts';
import { serviceOf, serviceSuffixes } from '../http/service-hosts.ts';
import {
  ArmError,
  type Cloud,
  type DataPlaneRequest,
  type DataPlaneResponse,
  type JsonObject,
  type Principal,
  type Stored,
} from '../contract/index.ts';

const AUDIENCE = 'https://vault.azure.net';
const PAGE = 25;

/** Answers the vaults' addresses in every region. */
export function serveSecrets(cloud: Cloud): void {
  cloud.onDataPlane('vault', (request) => {
    try {
      return answer(cloud, request);
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      return {
        status: error.status,
        headers: error.headers,
        body: {
          error: {
            code: error.code,
            message: error.message,
            ...(error instanceof VaultError ? { innererror: { code: error.inner } } : {}),
          },
        },
      };
    }
  });
}

function answer(cloud: Cloud, request: DataPlaneRequest): DataPlaneResponse {
  const [, vaultName = '', collection = '', name, ...rest] = request.path.replace(/\/+$/, '').split('/');
  const found = cloud.store
    .ofType('Microsoft.KeyVault/vaults')
    .find(
      ({ resource, region }) => resource.name.toLowerCase() === vaultName.toLowerCase() && region === request.region,
    );
  if (!found)
    throw new ArmError(404, 'VaultNotFound', `There is no vault '${vaultName}' in region '${request.region}'.`);
  const vault = addressed(found, request.headers.host);
  const principal = requireToken(cloud, request);
  if (!request.query.get('api-version')) throw new ArmError(400, 'BadParameter', 'api-version must be specified');
  requireNetwork(vault, request.caller);
  if (/^(deleted)?secrets$/i.test(collection))
    requireSecretAccess(cloud, vault, principal, { method: request.method, collection, name, rest });
  switch (collection.toLowerCase()) {
    case 'secrets':
      return ofSecrets(cloud, vault, request, name, rest);
    case 'deletedsecrets':
      return name === undefined
        ? paged(vault, request, 'deletedsecrets', deletedSecrets(cloud, vault), (one) =>
            shownDeleted(vault, one, false),
          )
        : ofDeletedSecret(cloud, vault, request, name, rest[0]);
    default:
      throw new ArmError(
        501,
        'NotImplemented',
        `The local Azure's vaults hold secrets only: '${collection}' is not offered.`,
      );
  }
}

/**
 * The vault as its client addressed it: ids and links in the answer have the host name that was asked, where it is the
 * vault's own.
 */
function addressed(vault: Stored, host: string | undefined): Stored {
  if (serviceOf(host)?.service !== 'vault') return vault;
  const properties = { ...vault.resource.properties, vaultUri: `https://${host}/` };
  return { ...vault, resource: { ...vault.resource, properties } };
}

/**
 * Azure's vaults tell a client without a token where to get one, and for which audience: one that the vault's host name
 * ends with, or its SDKs refuse to ask.
 */
function requireToken(cloud: Cloud, request: DataPlaneRequest): Principal {
  const { host } = request.headers;
  const audience = serviceOf(host) ? `https://${serviceSuffixes(cloud.armEndpoint).vault}` : AUDIENCE;
  try {
    return cloud.authenticate(request.headers.authorization, [AUDIENCE, audience]);
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const challenge = `Bearer authorization="${cloud.armEndpoint}/${cloud.tenantId}", resource="${audience}"`;
    throw new ArmError(401, 'Unauthorized', `AKV10000: Request is missing a Bearer or PoP token. ${error.message}`, {
      headers: { 'WWW-Authenticate': challenge },
    });
  }
}

function ofSecrets(
  cloud: Cloud,
  vault: Stored,
  request: DataPlaneRequest,
  name: string | undefined,
  rest: string[],
): DataPlaneResponse {
  const { method } = request;
  if (name === undefined)
    return paged(vault, request, 'secrets', cloud.store.children(vault.resource.id, SECRET), (one) =>
      shown(vault, one.resource.name, latest(one), false, false),
    );
  requireSecretName(name);
  if (method === 'POST')
    throw new ArmError(501, 'NotImplemented', 'The local Azure does not back up secrets, nor restores them.');
  const id = `${vault.resource.id}/secrets/${name}`;
  const stored = cloud.store.get(id);
  if (method === 'PUT') return set(cloud, vault, request, name, stored);
  if (!stored)
    throw new ArmError(
      404,
      'SecretNotFound',
      `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.`,
    );
  if (method === 'DELETE' && rest.length === 0) return deleteSecret(cloud, vault, stored);
  const word = rest[0]?.toLowerCase();
  if (method === 'GET' && word === 'versions')
    return paged(vault, request, `secrets/${name}/versions`, versionsOf(stored), (version) =>
      shown(vault, name, version, false),
    );
  const versions = versionsOf(stored);
  const version = rest[0] ? versions.find(({ id: one }) => one === rest[0]) : versions.at(-1);
  if (!version)
    throw new ArmError(
      404,
      'SecretNotFound',
      `A secret with (name/id) ${name}/${rest[0]} was not found in this key vault.`,
    );
  if (method === 'GET') {
    if (version.attributes.enabled === false)
      throw new VaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');
    return { status: 200, body: shown(vault, name, version, true) };
  }
  if (method === 'PATCH') return update(cloud, vault, request, stored, version);
  throw new ArmError(405, 'MethodNotAllowed', `Secrets do not take ${method}.`);
}

function set(
  cloud: Cloud,
  vault: Stored,
  request: DataPlaneRequest,
  name: string,
  stored: Stored | undefined,
): DataPlaneResponse {
  const version = newVersion(cloud, vault, bodyOf(request));
  if (deletedSecret(cloud, vault, name)) throw nameIsDeleted(name);
  const versions = [...(stored ? versionsOf(stored) : []), version];
  keep(cloud, vault, SECRET, `secrets/${name}`, { versions });
  return { status: 200, body: shown(vault, name, version, true) };
}

function update(
  cloud: Cloud,
  vault: Stored,
  request: DataPlaneRequest,
  stored: Stored,
  version: Version,
): DataPlaneResponse {
  const changed = changedVersion(cloud, vault, version, bodyOf(request));
  const versions = versionsOf(stored).map((one) => (one.id === version.id ? changed : one));
  cloud.store.put({ ...stored, hidden: { ...stored.hidden, versions }, changedAt: cloud.clock.now() });
  return { status: 200, body: shown(vault, stored.resource.name, changed, false) };
}

/** A page of a list below the vault, and the link to the next. */
function paged<Entry>(
  vault: Stored,
  { query }: DataPlaneRequest,
  path: string,
  all: Entry[],
  show: (entry: Entry) => JsonObject,
): DataPlaneResponse {
  const start = Number(query.get('$skiptoken') ?? 0);
  const size = Number(query.get('maxresults') ?? PAGE);
  if (!Number.isInteger(start) || start < 0 || !Number.isInteger(size) || size < 1 || size > PAGE) {
    throw new ArmError(400, 'BadParameter', `maxresults: expected an integer from 1 to ${PAGE}`);
  }
  const value = all.slice(start, start + size).map(show);
  const next = new URLSearchParams([...query].filter(([name]) => name !== '$skiptoken'));
  next.set('$skiptoken', String(start + size));
  const more = start + size < all.length;
  const base = textOf(vault.resource.properties.vaultUri);
  return {
    status: 200,
    body: { value, nextLink: more ? `${base}${path}?${next.toString()}` : null },
    headers: { 'x-ms-keyvault-region': vault.region ?? '' },
  };
}

function bodyOf(request: DataPlaneRequest): JsonObject {
  const body = parseJson(request.body);
  if (!isObject(body)) throw new ArmError(400, 'BadParameter', 'The request body is not a JSON object.');
  return body;
}
