/**
 * Deleted secrets of a vault: kept for as many days as the vault says, to be recovered, or purged where purge
 * protection lets them.
 */

import {
  ArmError,
  type Cloud,
  type DataPlaneRequest,
  type DataPlaneResponse,
  type JsonObject,
  type Stored,
} from '../contract/index.ts';
import { textOf } from '../resource/fields.ts';
import { VaultError } from './access.ts';
import { keep, latest, recovery, SECRET, shown, versionsOf } from './versions.ts';

const DELETED = 'Microsoft.KeyVault/vaults/deletedSecrets';
const DAY_MS = 86_400_000;

/** The deleted secrets of a vault whose days are not over; those whose days are go now. */
export function deletedSecrets(cloud: Cloud, vault: Stored): Stored[] {
  return cloud.store.children(vault.resource.id, DELETED).filter((stored) => {
    const isOver = purgedAt(vault, stored) <= cloud.clock.now();
    if (isOver) cloud.store.remove(stored.resource.id);
    return !isOver;
  });
}

export function deletedSecret(cloud: Cloud, vault: Stored, name: string): Stored | undefined {
  return deletedSecrets(cloud, vault).find(({ resource }) => resource.name.toLowerCase() === name.toLowerCase());
}

function purgedAt(vault: Stored, { hidden }: Stored): number {
  return Number(hidden.deletedAt) + Number(recovery(vault).recoverableDays) * DAY_MS;
}

/** The name of a deleted secret is taken, until it is recovered or purged. */
export function nameIsDeleted(name: string): VaultError {
  return new VaultError(
    409,
    'Conflict',
    `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
    'ObjectIsDeletedButRecoverable',
  );
}

/** `withVersion`: a list names secrets without one. */
export function shownDeleted(vault: Stored, stored: Stored, withVersion = true): JsonObject {
  const { name } = stored.resource;
  const deletedAt = Number(stored.hidden.deletedAt);
  return {
    ...shown(vault, name, latest(stored), false, withVersion),
    recoveryId: `${textOf(vault.resource.properties.vaultUri)}deletedsecrets/${name}`,
    deletedDate: Math.floor(deletedAt / 1000),
    scheduledPurgeDate: Math.floor(purgedAt(vault, stored) / 1000),
  };
}

/** Moves a secret among the deleted. */
export function deleteSecret(cloud: Cloud, vault: Stored, stored: Stored): DataPlaneResponse {
  cloud.store.remove(stored.resource.id);
  const deleted = keep(cloud, vault, DELETED, `deletedSecrets/${stored.resource.name}`, {
    versions: versionsOf(stored),
    deletedAt: cloud.clock.now(),
  });
  return { status: 200, body: shownDeleted(vault, deleted) };
}

/** GET, recovery and purge of one deleted secret. */
export function ofDeletedSecret(
  cloud: Cloud,
  vault: Stored,
  request: DataPlaneRequest,
  name: string,
  action: string | undefined,
): DataPlaneResponse {
  const stored = deletedSecret(cloud, vault, name);
  if (!stored) throw new ArmError(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);
  if (request.method === 'GET') return { status: 200, body: shownDeleted(vault, stored) };
  if (request.method === 'POST' && action?.toLowerCase() === 'recover') {
    cloud.store.remove(stored.resource.id);
    const { deletedAt: _deletedAt, ...hidden } = stored.hidden;
    keep(cloud, vault, SECRET, `secrets/${stored.resource.name}`, hidden);
    return { status: 200, body: shown(vault, stored.resource.name, latest(stored), false) };
  }
  if (request.method === 'DELETE') {
    if (vault.resource.properties.enablePurgeProtection === true) {
      throw new ArmError(403, 'Forbidden', 'Operation "purge" is not enabled for this vault.');
    }
    cloud.store.remove(stored.resource.id);
    return { status: 204 };
  }
  throw new ArmError(405, 'MethodNotAllowed', `Deleted secrets do not take ${request.method}.`);
}
