/**
 * How an account's data is encrypted at rest: always, whatever a body says; by whose key, and since when, is what it
 * shows.
 */

import { isObject } from '../resource/fields.ts';
import { ArmError, type Json, type JsonObject, type Stored } from '../contract/index.ts';

/** These two are encrypted in every account; queues and tables are shown where a body names them. */
const ALWAYS = ['blob', 'file'];

/**
 * What Azure shows of `encryption`, of what is held and what is asked. Throws ArmError 400 for what only the creation
 * can settle.
 */
export function encryptionOf(existing: Stored | undefined, next: Stored): JsonObject {
  const held = objectOf(existing?.resource.properties.encryption);
  const asked = objectOf(next.resource.properties.encryption);
  requireSameInfrastructure(held, asked);
  const twice = asked.requireInfrastructureEncryption ?? held.requireInfrastructureEncryption;
  return {
    keySource: held.keySource ?? 'Microsoft.Storage',
    ...(isObject(next.resource.properties.encryption) ? withoutNulls(asked) : held),
    ...(twice === undefined || twice === null ? {} : { requireInfrastructureEncryption: twice }),
    services: servicesOf(objectOf(held.services), objectOf(asked.services), next.createdAt),
  };
}

/** `enabled: false` is taken and changes nothing, for Azure encrypts all that it stores. */
function servicesOf(held: JsonObject, asked: JsonObject, createdAt: number): JsonObject {
  const names = new Set([...ALWAYS, ...Object.keys(held), ...Object.keys(asked)]);
  return Object.fromEntries(
    Array.from(names, (name) => [
      name,
      {
        keyType: ALWAYS.includes(name) ? 'Account' : 'Service',
        ...objectOf(held[name]),
        ...withoutNulls(objectOf(asked[name])),
        enabled: true,
        lastEnabledTime: objectOf(held[name]).lastEnabledTime ?? new Date(createdAt).toISOString(),
      },
    ]),
  );
}

function requireSameInfrastructure(held: JsonObject, asked: JsonObject): void {
  const { requireInfrastructureEncryption: wanted } = asked;
  const before = held.requireInfrastructureEncryption ?? false;
  if (Object.keys(held).length === 0 || wanted === undefined || wanted === null || wanted === before) return;
  throw readOnly('requireInfrastructureEncryption', before, wanted);
}

/** Azure's refusal of an update of what is settled when the account is made: https://aka.ms/storageaccountupdate. */
export function readOnly(name: string, held: Json, asked: Json): ArmError {
  return new ArmError(
    400,
    'AccountPropertyCannotBeUpdated',
    `The property '${name}' was specified in the input, but it cannot be updated as it is read-only: it is ${JSON.stringify(held)}, got ${JSON.stringify(asked)}. For more information, see - https://aka.ms/storageaccountupdate`,
    { target: name },
  );
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}
