/**
 * The services of an account: each exists by itself, once, as 'default'. Their settings are checked, kept and shown;
 * what the data plane does with them is what Azurite can: it keeps no versions, and nothing that was deleted.
 */

import { isObject } from '../resource/fields.ts';
import { ArmError, type Call, type Cloud, type Json, type JsonObject, type Stored } from '../contract/index.ts';
import { BLOB_SERVICE } from './containers.ts';
import { ACCOUNT } from './places.ts';
import { FILE_SERVICE } from './shares.ts';
import { invalid } from './refusals.ts';
import { row } from '../resource/table.ts';

const MOST_RETENTION_DAYS = 365;
/** Settings that keep what was deleted, by the name of the service that has them. */
const RETENTIONS: Record<string, string[]> = {
  blobServices: ['deleteRetentionPolicy', 'containerDeleteRetentionPolicy'],
  fileServices: ['shareDeleteRetentionPolicy'],
};
const DEFAULTS: Record<string, JsonObject> = {
  [BLOB_SERVICE]: {
    cors: { corsRules: [] },
    deleteRetentionPolicy: { enabled: false, allowPermanentDelete: false },
    isVersioningEnabled: false,
  },
  [FILE_SERVICE]: {
    cors: { corsRules: [] },
    shareDeleteRetentionPolicy: { enabled: true, days: 7 },
    protocolSettings: { smb: {} },
  },
  [`${ACCOUNT}/queueServices`]: { cors: { corsRules: [] } },
  [`${ACCOUNT}/tableServices`]: { cors: { corsRules: [] } },
};

export const services = ['blobServices', 'fileServices', 'queueServices', 'tableServices', 'managementPolicies'].map(
  (name) =>
    row(`${ACCOUNT}/${name}`, {
      createdStatus: 200,
      beforePut: (call, next) => prepare(name, call, next),
      // Services go with their account, and not before it; a policy is made and deleted.
      ...(name === 'managementPolicies' ? {} : { verbs: ['get', 'head', 'put', 'patch', 'list'] as const }),
    }),
);

function prepare(service: string, { id, existing }: Call, next: Stored): void {
  if (id.name.toLowerCase() !== 'default')
    throw new ArmError(400, 'InvalidResourceName', `The name of '${id.type}' must be 'default', got '${id.name}'.`);
  const properties = {
    ...DEFAULTS[next.resource.type],
    ...existing?.resource.properties,
    ...next.resource.properties,
  };
  if (service === 'managementPolicies') requireRules(properties.policy);
  for (const policy of RETENTIONS[service] ?? []) requireRetention(policy, properties[policy]);
  const { isVersioningEnabled } = properties;
  if (isVersioningEnabled !== undefined && typeof isVersioningEnabled !== 'boolean')
    throw invalid('isVersioningEnabled', 'true or false', isVersioningEnabled);
  next.resource.properties = properties;
}

/** Rules of a lifecycle, each with a name of its own, a type and what it does. */
function requireRules(policy: Json | undefined): void {
  const rules = isObject(policy) ? policy.rules : undefined;
  if (!Array.isArray(rules) || rules.length === 0 || !rules.every(isObject))
    throw invalid('policy.rules', 'a list of rules', rules);
  const names = new Set<string>();
  for (const { name, type, definition } of rules) {
    if (typeof name !== 'string' || name === '' || names.has(name))
      throw invalid('policy.rules.name', 'a name that no other rule has', name);
    names.add(name);
    if (type !== 'Lifecycle') throw invalid('policy.rules.type', 'Lifecycle', type);
    if (!isObject(definition) || !isObject(definition.actions))
      throw invalid('policy.rules.definition.actions', 'an object', definition);
  }
}

function requireRetention(name: string, policy: Json | undefined): void {
  if (policy === undefined || policy === null) return;
  if (!isObject(policy)) throw invalid(name, 'an object', policy);
  const { enabled, days } = policy;
  if (typeof enabled !== 'boolean') throw invalid(`${name}.enabled`, 'true or false', enabled);
  // Modules that keep deleted things, and say not how long, send null.
  if (!enabled || days === undefined || days === null) return;
  if (typeof days !== 'number' || !Number.isInteger(days) || days < 1 || days > MOST_RETENTION_DAYS)
    throw invalid(`${name}.days`, `1 to ${MOST_RETENTION_DAYS} while it is enabled`, days);
}

/** Makes the services that every account has. */
export function makeServices(cloud: Cloud, account: Stored): void {
  for (const [type, properties] of Object.entries(DEFAULTS)) {
    const id = `${account.resource.id}/${type.slice(ACCOUNT.length + 1)}/default`;
    if (cloud.store.get(id)) continue;
    const now = cloud.clock.now();
    cloud.store.put({
      resource: { id, name: 'default', type, properties: structuredClone(properties) },
      hidden: {},
      etag: `"${now.toString(16)}"`,
      region: account.region,
      createdAt: now,
      changedAt: now,
    });
  }
}
