/** Secrets as the store keeps them: every version of a value, the newest last, and how the data plane shows them. */

import { randomUUID } from 'node:crypto';
import { isObject, textOf } from '../http/fields.ts';
import type { Cloud, Json, JsonObject, Stored } from '../provider.ts';

/** One version of a secret, as `hidden.versions` keeps them, the newest last. */
export interface Version {
  [field: string]: Json;
  id: string;
  value: string;
  contentType: string | null;
  tags: JsonObject;
  attributes: JsonObject;
}

/** Stores a secret, living or deleted, at `{vault}/{place}`. */
export function keep(cloud: Cloud, vault: Stored, type: string, place: string, hidden: JsonObject): Stored {
  const id = `${vault.resource.id}/${place}`;
  const now = cloud.clock.now();
  const existing = cloud.store.get(id);
  const stored: Stored = {
    resource: { id, name: place.slice(place.indexOf('/') + 1), type, properties: {} },
    hidden,
    etag: `"${randomUUID()}"`,
    region: vault.region,
    createdAt: existing?.createdAt ?? now,
    changedAt: now,
  };
  cloud.store.put(stored);
  return stored;
}

/** A secret that a template made has its value where the row keeps secret fields; it counts as its first version. */
export function versionsOf({ hidden, resource, createdAt }: Stored): Version[] {
  if (Array.isArray(hidden.versions)) return hidden.versions as Version[];
  const seconds = Math.floor(createdAt / 1000);
  const { contentType } = resource.properties;
  return [
    {
      id: textOf(hidden.version),
      value: textOf(hidden['properties.value']),
      contentType: typeof contentType === 'string' ? contentType : null,
      tags: isObject(resource.tags) ? resource.tags : {},
      attributes: {
        enabled: true,
        created: seconds,
        updated: seconds,
        recoveryLevel: 'Recoverable+Purgeable',
      },
    },
  ];
}

/** The version that a name without one means. */
export function latest(stored: Stored): Version {
  const version = versionsOf(stored).at(-1);
  if (!version) throw new Error(`secret ${stored.resource.id} has no version`);
  return version;
}

/** A secret bundle; without its version for lists of names. */
export function shown(
  vault: Stored,
  name: string,
  version: Version,
  withValue: boolean,
  withVersion = true,
): JsonObject {
  const base = `${textOf(vault.resource.properties.vaultUri)}secrets/${name}`;
  const bundle: JsonObject = {
    id: withVersion ? `${base}/${version.id}` : base,
    attributes: version.attributes,
    tags: version.tags,
  };
  if (version.contentType !== null) bundle.contentType = version.contentType;
  if (withValue) bundle.value = version.value;
  return bundle;
}

/** The value of a secret, for parameters that refer to a vault; undefined if it has no such version. */
export function secretValue(stored: Stored, version: string | undefined): string | undefined {
  const versions = versionsOf(stored);
  return (version === undefined ? versions.at(-1) : versions.find(({ id }) => id === version))?.value;
}
