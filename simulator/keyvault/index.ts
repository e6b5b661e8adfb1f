/**
 * Microsoft.KeyVault: vaults as resources, and secrets at the vault's own address, behind tokens for the vault's
 * audience.
 */

import { isObject, textOf } from '../resource/fields.ts';
import { ArmError, type Call, type Cloud, type JsonObject, type Provider, type Stored } from '../contract/index.ts';
import { changePolicies } from './access.ts';
import { deletedVault, keepDeleted, routeDeleted, takeDeleted, VAULT } from './deleted.ts';
import { managedSecrets } from './managed-secrets.ts';
import { serveSecrets } from './secrets.ts';
import { requireVaultIdentity, requireVaultSettings } from './settings.ts';
import { row } from '../resource/table.ts';

const NAME = /^(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/;
const RETENTION = { least: 7, most: 90 };

/** What goes with a vault that is being deleted, by the vault's id, until the vault itself has gone. */
const contents = new WeakMap<Cloud, Map<string, Stored[]>>();

const vaults = row(VAULT, {
  region: 'own',
  longRunning: { put: 2000 },
  createdStatus: 200,
  beforePut: prepareVault,
  afterPut: restoreContents,
  afterDelete({ cloud, id }, stored) {
    const kept = contents.get(cloud)?.get(id.key) ?? [];
    contents.get(cloud)?.delete(id.key);
    if (id.subscriptionId !== undefined) keepDeleted(cloud, id.subscriptionId, stored, kept);
  },
});

const secrets = managedSecrets(setAside);

/**
 * Deleted secrets have no management of their own: the row is there so that they go, and come back, with their vault.
 */
const deletedSecrets = row(`${VAULT}/deletedSecrets`, { verbs: [], afterDelete: setAside });

const accessPolicies = row(`${VAULT}/accessPolicies`, {
  verbs: ['put'],
  beforePut: changePolicies,
  spreads: ({ cloud }, { resource }) => void cloud.store.remove(resource.id),
});

export const keyVault: Provider = {
  namespace: 'Microsoft.KeyVault',
  types: [vaults, secrets, deletedSecrets, accessPolicies, row(`${VAULT}/privateEndpointConnections`)],
  start: serveSecrets,
  route({ cloud, method, path, body }) {
    const deleted = routeDeleted(cloud, method, path);
    if (deleted) return Promise.resolve(deleted);
    // There are no managed HSMs; `az keyvault list-deleted` asks for them, too.
    if (method === 'GET' && /\/providers\/Microsoft\.KeyVault\/(deletedManagedHSMs|managedHSMs)$/i.test(path))
      return Promise.resolve({ status: 200, body: { value: [] } });
    if (method === 'POST' && /\/providers\/Microsoft\.KeyVault\/checkNameAvailability$/i.test(path)) {
      return Promise.resolve({ status: 200, body: nameAvailability(cloud, textOf(body.name)) });
    }
    return Promise.resolve(undefined);
  },
};

function nameAvailability(cloud: Cloud, name: string): JsonObject {
  if (!NAME.test(name)) return { nameAvailable: false, reason: 'AccountNameInvalid', message: invalidName(name) };
  if (!livingVault(cloud, name) && !deletedVault(cloud, name)) return { nameAvailable: true };
  const message = `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is already taken.`;
  return { nameAvailable: false, reason: 'AlreadyExists', message };
}

function invalidName(name: string): string {
  return `The vault name '${name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.`;
}

function prepareVault(call: Call, next: Stored): void {
  const { cloud, id, existing } = call;
  if (!NAME.test(id.name)) throw new ArmError(400, 'VaultNameNotValid', invalidName(id.name));
  requireVaultSettings(next.resource.properties);
  const { createMode, ...sent } = next.resource.properties;
  next.resource.properties = sent;
  const living = livingVault(cloud, id.name);
  if (living && living.resource.id.toLowerCase() !== id.key)
    throw new ArmError(
      409,
      'VaultAlreadyExists',
      `The vault name '${id.name}' is already in use. Vault names are globally unique so it is possible that the name is already taken.`,
    );
  if (!existing) recover(cloud, next, textOf(createMode).toLowerCase() === 'recover');
  requireVaultIdentity(next.resource.properties);
  holdDeletion(next, existing);
  const held = existing?.resource.properties ?? {};
  next.resource.properties = {
    accessPolicies: [],
    enabledForDeployment: false,
    enableSoftDelete: true,
    softDeleteRetentionInDays: held.softDeleteRetentionInDays ?? RETENTION.most,
    enableRbacAuthorization: held.enableRbacAuthorization ?? false,
    publicNetworkAccess: 'Enabled',
    ...withoutNulls(next.resource.properties),
    // No region is in it: a vault that fails over keeps its address.
    vaultUri: `${cloud.armEndpoint}/_/vault/${id.name}/`,
  };
}

/**
 * A deleted vault of the same name keeps its name, unless this is its recovery: at the same place, with all that it
 * had.
 */
function recover(cloud: Cloud, next: Stored, isRecovery: boolean): void {
  const deleted = deletedVault(cloud, next.resource.name);
  if (!deleted) {
    if (isRecovery)
      throw new ArmError(
        404,
        'DeletedVaultNotFound',
        `The specified deleted vault '${next.resource.name}' does not exist.`,
      );
    return;
  }
  const isSame =
    textOf(deleted.resource.properties.vaultId).toLowerCase() === next.resource.id.toLowerCase() &&
    deleted.region === next.region;
  if (!isRecovery || !isSame)
    throw new ArmError(
      409,
      'ConflictError',
      'A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.',
    );
  const taken = takeDeleted(cloud, deleted);
  next.resource.properties = taken.vault.properties;
  next.resource.tags = taken.vault.tags ?? {};
  next.hidden.recovered = taken.contents as never;
}

/**
 * What holds deleted vaults cannot be loosened: soft delete is always on, its days are set once, purge protection is
 * for good.
 */
function holdDeletion(next: Stored, existing: Stored | undefined): void {
  const { properties } = next.resource;
  const held = existing?.resource.properties ?? {};
  const refuse = (message: string): never => {
    throw new ArmError(400, 'BadRequest', message);
  };
  if (properties.enableSoftDelete === false)
    refuse(
      'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the \'soft delete\' functionality is an irreversible action.',
    );
  if (properties.enablePurgeProtection === false)
    refuse(
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  if (held.enablePurgeProtection === true) properties.enablePurgeProtection = true;
  const days = properties.softDeleteRetentionInDays ?? undefined;
  if (days === undefined) return;
  if (typeof days !== 'number' || days < RETENTION.least || days > RETENTION.most)
    refuse(
      `The property "softDeleteRetentionInDays" must be a number from ${RETENTION.least} to ${RETENTION.most}, got ${JSON.stringify(days)}.`,
    );
  if (held.softDeleteRetentionInDays !== undefined && held.softDeleteRetentionInDays !== days)
    refuse('The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.');
}

function withoutNulls(properties: Stored['resource']['properties']): Stored['resource']['properties'] {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));
}

/** After a recovery: the secrets are there again. Azure does not bring role assignments back, nor does this. */
function restoreContents({ cloud }: Call, stored: Stored): void {
  const { recovered, ...hidden } = stored.hidden;
  if (!Array.isArray(recovered)) return;
  cloud.store.put({ ...stored, hidden });
  for (const one of recovered) if (isObject(one)) cloud.store.put(one as unknown as Stored);
}

/** A secret that goes because its vault goes is kept with it; the vault's own end comes last. */
function setAside({ cloud, id }: Call, secret: Stored): void {
  const vaultKey = id.parent?.toLowerCase();
  if (vaultKey === undefined || cloud.store.get(vaultKey)) return;
  const ofCloud = contents.get(cloud) ?? new Map<string, Stored[]>();
  contents.set(cloud, ofCloud);
  ofCloud.set(vaultKey, [...(ofCloud.get(vaultKey) ?? []), secret]);
}

function livingVault(cloud: Cloud, name: string): Stored | undefined {
  const wanted = name.toLowerCase();
  return cloud.store.ofType(VAULT).find(({ resource }) => resource.name.toLowerCase() === wanted);
}
