/**
 * Removes secrets from a resource before it goes into a manifest. Azure omits most of them. This removes the rest.
 * Pure.
 */
import type { ArmResource, Json, JsonObject } from '../azure/azure.ts';

const secretFields = new Set([
  'secrets',
  'keys',
  'key',
  'key1',
  'key2',
  'pat',
  'sas',
  'sastoken',
  'password',
  'clientsecret',
  'secretaccesskey',
  'accesskeyid',
  'sessiontoken',
  'accesstoken',
  'refreshtoken',
  'adminuserpassword',
  'adminuserprivatekey',
  'adminpassword',
  'privatekey',
  'sslcert',
  'sslkey',
]);

/** Keys below these are names that the owner chose: a tag may be called `key`. */
const ownNames = new Set(['tags', 'metadata']);

/**
 * For datastores, connections, computes and endpoints. Not for assets and jobs, whose fields mean what their owner
 * says.
 */
export function withoutSecrets(resource: ArmResource): ArmResource {
  const { properties } = resource;
  // `properties` in a resource may be the owner's too, but in a compute it has the compute's own settings.
  const isOwn = (name: string) => ownNames.has(name) || (name === 'properties' && !('computeType' in properties));
  const entries = Object.entries(scrubbed(properties));
  const kept = entries.map(([name, each]) => [name, isOwn(name) ? each : scrub(each)]);
  return { ...resource, properties: Object.fromEntries(kept) as JsonObject };
}

function scrub(value: Json): Json {
  if (Array.isArray(value)) return value.map(scrub);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(scrubbed(value)).map(([name, each]) => [name, scrub(each)]));
}

function scrubbed(value: JsonObject): JsonObject {
  const kept = Object.entries(value).filter(([name]) => !secretFields.has(name.toLowerCase()));
  return Object.fromEntries(kept);
}
