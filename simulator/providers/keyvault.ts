/** Microsoft.KeyVault: vaults as resources, and secrets at the vault's own address, behind tokens for the vault's audience. */

import { textOf } from '../http/fields.ts';
import { randomUUID } from 'node:crypto';
import { ArmError, type Call, type Cloud, type JsonObject, type Provider, type Stored } from '../provider.ts';
import { normalizeRegion } from '../regions.ts';
import { serveSecrets } from './keyvault-secrets.ts';
import { row } from './table.ts';

const VAULT = 'Microsoft.KeyVault/vaults';
/** Soft-deleted vaults are kept here: their names stay taken until they are purged or their days are over. */
const DELETED = 'Microsoft.KeyVault/deletedVaults';
const NAME = /^(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/;
const DAY_MS = 86_400_000;

const vaults = row(VAULT, {
  region: 'own',
  longRunning: { put: 2000 },
  createdStatus: 200,
  beforePut: prepareVault,
  afterDelete({ cloud, id }, stored) {
    if (id.subscriptionId !== undefined) keepDeleted(cloud, id.subscriptionId, stored);
  },
});

const secrets = row(`${VAULT}/secrets`, {
  createdStatus: 201,
  secrets: ['properties.value'],
  beforePut(call, next) {
    const vault = vaultOf(call);
    const version = randomUUID().replaceAll('-', '');
    const uri = `${textOf(vault?.resource.properties.vaultUri)}secrets/${call.id.name}`;
    next.resource.properties = {
      ...next.resource.properties,
      secretUri: uri,
      secretUriWithVersion: `${uri}/${version}`,
    };
    next.hidden.version = version;
  },
});

export const keyVault: Provider = {
  namespace: 'Microsoft.KeyVault',
  types: [vaults, secrets, row(`${VAULT}/accessPolicies`), row(`${VAULT}/privateEndpointConnections`)],
  start: serveSecrets,
  route({ cloud, method, path, body }) {
    const deleted =
      /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.KeyVault\/(?:locations\/([^/]+)\/)?deletedVaults(?:\/([^/]+))?(\/purge)?$/i.exec(
        path,
      );
    if (deleted) return Promise.resolve(routeDeleted(cloud, method, deleted));
    if (method === 'POST' && /\/providers\/Microsoft\.KeyVault\/checkNameAvailability$/i.test(path)) {
      const taken = holder(cloud, textOf(body.name));
      const reason = {
        reason: 'AlreadyExists',
        message: `The vault name '${textOf(body.name)}' is already in use.`,
      };
      return Promise.resolve({ status: 200, body: { nameAvailable: !taken, ...(taken ? reason : {}) } });
    }
    return Promise.resolve(undefined);
  },
};

function prepareVault(call: Call, next: Stored): void {
  const { cloud, id, existing } = call;
  const { properties } = next.resource;
  if (!NAME.test(id.name)) {
    throw new ArmError(
      400,
      'VaultNameNotValid',
      `The vault name '${id.name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.`,
    );
  }
  const recovering = properties.createMode === 'recover';
  const taken = holder(cloud, id.name);
  if (taken && taken.resource.id.toLowerCase() !== id.key) {
    const isDeleted = taken.resource.type === DELETED;
    if (isDeleted && !recovering) {
      throw new ArmError(
        409,
        'ConflictError',
        `A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.`,
      );
    }
    if (!isDeleted)
      throw new ArmError(
        409,
        'VaultAlreadyExists',
        `The vault name '${id.name}' is already in use. Vault names are globally unique so it is possible that the name is already taken.`,
      );
    cloud.store.remove(taken.resource.id);
  }
  if (typeof properties.tenantId !== 'string')
    throw new ArmError(400, 'BadRequest', "The parameter 'properties.tenantId' is missing.");
  if (
    existing?.resource.properties.enablePurgeProtection === true &&
    properties.enablePurgeProtection === false
  ) {
    throw new ArmError(
      400,
      'BadRequest',
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  }
  next.resource.properties = {
    sku: { family: 'A', name: 'standard' },
    accessPolicies: [],
    enabledForDeployment: false,
    enableSoftDelete: true,
    softDeleteRetentionInDays: 90,
    enableRbacAuthorization: false,
    publicNetworkAccess: 'Enabled',
    ...properties,
    vaultUri: `${cloud.dataPlane(next.region ?? '')}/_/vault/${id.name}/`,
  };
  delete next.resource.properties.createMode;
}

function keepDeleted(cloud: Cloud, subscriptionId: string, vault: Stored): void {
  const { name, location = '', properties, tags = {} } = vault.resource;
  const now = cloud.clock.now();
  const days = Number(properties.softDeleteRetentionInDays ?? 90);
  const id = `/subscriptions/${subscriptionId}/providers/Microsoft.KeyVault/locations/${location}/deletedVaults/${name}`;
  cloud.store.put({
    resource: {
      id,
      name,
      type: DELETED,
      properties: {
        vaultId: vault.resource.id,
        location,
        tags,
        deletionDate: new Date(now).toISOString(),
        scheduledPurgeDate: new Date(now + days * DAY_MS).toISOString(),
        purgeProtectionEnabled: properties.enablePurgeProtection === true,
      },
    },
    hidden: {},
    etag: '',
    region: vault.region,
    createdAt: now,
    changedAt: now,
  });
}

function routeDeleted(
  cloud: Cloud,
  method: string,
  match: RegExpExecArray,
): { status: number; body?: JsonObject } | undefined {
  const [, subscription = '', location, name, purge] = match;
  const all = cloud.store
    .ofType(DELETED)
    .filter((one) =>
      one.resource.id.toLowerCase().startsWith(`/subscriptions/${subscription}/`.toLowerCase()),
    );
  if (name === undefined)
    return method === 'GET' ? { status: 200, body: { value: all.map(shownDeleted) } } : undefined;
  const found = all.find(
    ({ resource, region }) =>
      resource.name.toLowerCase() === name.toLowerCase() &&
      region === normalizeRegion(location ?? region ?? ''),
  );
  if (!found)
    throw new ArmError(404, 'DeletedVaultNotFound', `There is no deleted vault '${name}' in '${location}'.`);
  if (purge === undefined) return method === 'GET' ? { status: 200, body: shownDeleted(found) } : undefined;
  if (found.resource.properties.purgeProtectionEnabled === true) {
    throw new ArmError(
      400,
      'MethodNotAllowed',
      `Operation 'DeletedVaultPurge' is not allowed: the vault '${name}' has purge protection, it goes on ${textOf(found.resource.properties.scheduledPurgeDate)}.`,
    );
  }
  cloud.store.remove(found.resource.id);
  return { status: 200 };
}

function shownDeleted({ resource }: Stored): JsonObject {
  return { id: resource.id, name: resource.name, type: resource.type, properties: resource.properties };
}

/** The vault, living or deleted and not over its days, that holds this name anywhere in the cloud. */
function holder(cloud: Cloud, name: string): Stored | undefined {
  const wanted = name.toLowerCase();
  const living = cloud.store.ofType(VAULT).find(({ resource }) => resource.name.toLowerCase() === wanted);
  if (living) return living;
  return cloud.store.ofType(DELETED).find(({ resource }) => {
    if (resource.name.toLowerCase() !== wanted) return false;
    return Date.parse(textOf(resource.properties.scheduledPurgeDate)) > cloud.clock.now();
  });
}

function vaultOf({ cloud, id }: Call): Stored | undefined {
  return id.parent === undefined ? undefined : cloud.store.get(id.parent);
}
