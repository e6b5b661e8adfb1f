/** Secrets as the store keeps them: every version of a value, the newest last, and how the data plane shows them. */

import { randomUUID } from 'node:crypto';
import { isObject, textOf } from '../resource/fields.ts';
import { ArmError, type Cloud, type Json, type JsonObject, type Stored } from '../contract/index.ts';
import { requireSettings } from '../resource/settings.ts';

export const SECRET = 'Microsoft.KeyVault/vaults/secrets';
const NAME = /^[0-9a-zA-Z-]{1,127}$/;
const MOST_BYTES = 25 * 1024;
const MOST_TAGS = 15;
const MOST_DAYS = 90;
/** The last second that fits in what the service keeps: 9999-12-31. */
const LAST_SECOND = 253_402_300_799;

/** One version of a secret, as `hidden.versions` keeps them, the newest last. */
export interface Version {
  [field: string]: Json;
  id: string;
  value: string;
  contentType: string | null;
  tags: JsonObject;
  attributes: JsonObject;
}

/** How a deleted secret of this vault can be brought back, and how long. */
export function recovery({ resource: { properties } }: Stored): JsonObject {
  const days = Number(properties.softDeleteRetentionInDays ?? MOST_DAYS);
  const level = days < MOST_DAYS ? 'CustomizedRecoverable' : 'Recoverable';
  const isProtected = properties.enablePurgeProtection === true;
  return { recoveryLevel: isProtected ? level : `${level}+Purgeable`, recoverableDays: days };
}

/** Throws ArmError 400 `BadParameter` for what cannot name a secret. */
export function requireSecretName(name: string): void {
  if (!NAME.test(name)) throw bad(`The request URI contains an invalid name: ${name}`);
}

/** A new version of a secret, of a body as the data plane takes it. Throws ArmError 400 `BadParameter`. */
export function newVersion(cloud: Pick<Cloud, 'clock'>, vault: Stored, body: JsonObject): Version {
  if (typeof body.value !== 'string')
    throw bad(`Property value has invalid value: expected a string, got ${JSON.stringify(body.value ?? null)}`);
  if (Buffer.byteLength(body.value) > MOST_BYTES)
    throw bad(`The size of the secret value exceeds the limit of ${MOST_BYTES} bytes`);
  const seconds = Math.floor(cloud.clock.now() / 1000);
  const empty = { contentType: null, tags: {}, attributes: { enabled: true, created: seconds } };
  const version = { id: randomUUID().replaceAll('-', ''), value: body.value, ...empty };
  return changedVersion(cloud, vault, version, body);
}

/** A version with what a body changes of it: everything but its value. Throws ArmError 400 `BadParameter`. */
export function changedVersion(
  cloud: Pick<Cloud, 'clock'>,
  vault: Stored,
  version: Version,
  body: JsonObject,
): Version {
  const { contentType, tags, attributes } = body;
  if (contentType !== undefined && contentType !== null && typeof contentType !== 'string')
    throw bad('Property contentType has invalid value: expected a string');
  const isTags = isObject(tags) && Object.values(tags).every((one) => typeof one === 'string');
  if (tags !== undefined && tags !== null && !isTags)
    throw bad('Property tags has invalid value: expected an object of strings');
  if (isObject(tags) && Object.keys(tags).length > MOST_TAGS)
    throw bad(`Property tags has invalid value: at most ${MOST_TAGS} tags`);
  return {
    ...version,
    contentType: contentType ?? version.contentType,
    tags: isObject(tags) ? tags : version.tags,
    attributes: {
      ...version.attributes,
      ...settable(attributes),
      updated: Math.floor(cloud.clock.now() / 1000),
      ...recovery(vault),
    },
  };
}

/** Of the attributes that a body has, those that a client sets. */
function settable(attributes: Json | undefined): JsonObject {
  if (attributes === undefined || attributes === null) return {};
  if (!isObject(attributes)) throw bad('Property attributes has invalid value: expected an object');
  const time = { from: 0, to: LAST_SECOND };
  requireSettings(attributes, { enabled: 'boolean', nbf: time, exp: time }, (name, expected, got) =>
    bad(`Property attributes.${name} has invalid value: expected ${expected}, got ${JSON.stringify(got)}`),
  );
  const { enabled, nbf, exp } = attributes;
  const set = Object.entries({ enabled, nbf, exp }).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null,
  );
  return Object.fromEntries(set);
}

function bad(message: string): ArmError {
  return new ArmError(400, 'BadParameter', message);
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

export function versionsOf({ hidden }: Stored): Version[] {
  return Array.isArray(hidden.versions) ? (hidden.versions as Version[]) : [];
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

/**
 * The value of a secret, for parameters that refer to a vault; undefined if it has no such version, or that is
 * disabled.
 */
export function secretValue(stored: Stored, version: string | undefined): string | undefined {
  const versions = versionsOf(stored);
  const found = version === undefined ? versions.at(-1) : versions.find(({ id }) => id === version);
  return found?.attributes.enabled === false ? undefined : found?.value;
}
