/**
 * Soft-deleted vaults: their names stay taken, their secrets with them, until they are recovered or purged or their
 * days are over. One with purge protection waits for its days.
 */

import { textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type Resource, type Stored } from '../contract/index.ts';
import { normalizeRegion } from '../resource/regions.ts';

export const VAULT = 'Microsoft.KeyVault/vaults';
const DELETED = 'Microsoft.KeyVault/deletedVaults';
const DAY_MS = 86_400_000;

/** Keeps a vault that has just been deleted, with what was in it. */
export function keepDeleted(cloud: Cloud, subscriptionId: string, vault: Stored, contents: Stored[]): void {
  const { name, location = '', properties, tags = {} } = vault.resource;
  const now = cloud.clock.now();
  const days = Number(properties.softDeleteRetentionInDays ?? 90);
  const isProtected = properties.enablePurgeProtection === true;
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
        ...(isProtected ? { purgeProtectionEnabled: true } : {}),
      },
    },
    hidden: { vault: vault.resource, contents: contents as unknown as Json },
    etag: '',
    region: vault.region,
    createdAt: now,
    changedAt: now,
  });
}

/** The deleted vault of this name whose days are not over. Names are taken in the whole cloud. */
export function deletedVault(cloud: Cloud, name: string): Stored | undefined {
  return livingOf(cloud).find(({ resource }) => resource.name.toLowerCase() === name.toLowerCase());
}

/** What a recovery brings back: the vault as it was, and its secrets. The deleted one is no more. */
export function takeDeleted(cloud: Cloud, deleted: Stored): { vault: Resource; contents: Stored[] } {
  cloud.store.remove(deleted.resource.id);
  const { vault, contents } = deleted.hidden;
  return {
    vault: vault as unknown as Resource,
    contents: (Array.isArray(contents) ? contents : []) as unknown as Stored[],
  };
}

const PATH =
  /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.KeyVault\/(?:locations\/([^/]+)\/)?deletedVaults(?:\/([^/]+))?(\/purge)?$/i;

/** List, get and purge; undefined for any other path or method. */
export function routeDeleted(
  cloud: Cloud,
  method: string,
  path: string,
): { status: number; body?: JsonObject } | undefined {
  const match = PATH.exec(path);
  if (!match) return undefined;
  const [, subscription = '', location, name, purge] = match;
  const below = `/subscriptions/${subscription}/`.toLowerCase();
  const all = livingOf(cloud).filter(({ resource }) => resource.id.toLowerCase().startsWith(below));
  if (name === undefined) return method === 'GET' ? { status: 200, body: { value: all.map(shown) } } : undefined;
  const found = all.find(
    ({ resource, region }) =>
      resource.name.toLowerCase() === name.toLowerCase() && region === normalizeRegion(location ?? region ?? ''),
  );
  if (!found)
    throw new ArmError(
      404,
      'DeletedVaultNotFound',
      `The specified deleted vault '${name}' does not exist in location '${location ?? ''}'.`,
    );
  if (purge === undefined) return method === 'GET' ? { status: 200, body: shown(found) } : undefined;
  if (method !== 'POST') return undefined;
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

/** All whose days are not over; those whose days are go now. */
function livingOf(cloud: Cloud): Stored[] {
  return cloud.store.ofType(DELETED).filter(({ resource }) => {
    const isOver = Date.parse(textOf(resource.properties.scheduledPurgeDate)) <= cloud.clock.now();
    if (isOver) cloud.store.remove(resource.id);
    return !isOver;
  });
}

function shown({ resource }: Stored): JsonObject {
  return { id: resource.id, name: resource.name, type: resource.type, properties: resource.properties };
}
