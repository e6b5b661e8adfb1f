/** Takes secrets out of a resource before it goes into a manifest. Azure leaves most of them out by itself; this is for the rest. Pure. */
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

/** For datastores, connections, computes and endpoints; not for assets and jobs, whose fields mean what their owner says. */
export function withoutSecrets(resource: ArmResource): ArmResource {
  return { ...resource, properties: scrub(resource.properties) as JsonObject };
}

function scrub(value: Json): Json {
  if (Array.isArray(value)) return value.map(scrub);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([name]) => !secretFields.has(name.toLowerCase()));
  return Object.fromEntries(kept.map(([name, each]) => [name, scrub(each)]));
}
