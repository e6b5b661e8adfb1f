/** `tags/default` of any scope: a view of the tags of what it stands on, which are kept there. */

import { requireTags } from '../resource/body-shape.ts';
import { isObject } from '../resource/fields.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type JsonObject,
  type ResourceId,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { row } from '../resource/table.ts';

const OPERATIONS = ['Merge', 'Replace', 'Delete'];

export const tags: ResourceType = row('Microsoft.Resources/tags', {
  verbs: ['get', 'put', 'patch', 'delete'],
  createdStatus: 200,
  alias: onScope,
  beforePut(call, next) {
    if (call.id.name.toLowerCase() !== 'default')
      throw invalid(`The tags of a scope are named 'default', got '${call.id.name}'.`);
    const given = isObject(call.body.properties) ? call.body.properties.tags : undefined;
    if (!isObject(given)) throw invalid("'properties.tags' must be an object of texts.");
    const changed = call.verb === 'patch' ? patched(call, given) : given;
    requireTags(changed);
    next.resource = { ...named(call.id), properties: { tags: changed } };
  },
  spreads: ({ cloud, id }, stored) => write(cloud, id, stored.resource.properties.tags as JsonObject),
  afterDelete: ({ cloud, id }) => write(cloud, id, {}),
  // Nothing was ever put here, but what stands above may have tags all the same.
  deleteMissing: ({ cloud, id }) => write(cloud, id, {}),
  show: (cloud, { resource }) => ({ ...resource, properties: { tags: tagsOf(cloud, scopeOf(resource.id)) } }),
});

/**
 * The tags after a PATCH: merged, replaced, or without those that are named (with this value, or any where it is
 * empty).
 */
function patched({ cloud, id, body }: Call, given: JsonObject): JsonObject {
  const { operation } = body;
  if (typeof operation !== 'string' || !OPERATIONS.includes(operation))
    throw invalid(`'operation' must be one of ${OPERATIONS.join(', ')}, got '${JSON.stringify(operation ?? null)}'.`);
  const held = tagsOf(cloud, id.scope);
  if (operation === 'Replace') return given;
  const isGiven = (name: string, value: unknown): boolean =>
    Object.entries(given).some(
      ([key, one]) =>
        key.toLowerCase() === name.toLowerCase() && (operation === 'Merge' || one === '' || one === value),
    );
  const kept = Object.fromEntries(Object.entries(held).filter(([name, value]) => !isGiven(name, value)));
  return operation === 'Merge' ? { ...kept, ...given } : kept;
}

function onScope(cloud: Cloud, id: ResourceId): Stored | undefined {
  const tagged = cloud.store.get(id.scope);
  if (!tagged || id.name.toLowerCase() !== 'default') return undefined;
  return { ...tagged, resource: { ...named(id), properties: { tags: tagsOf(cloud, id.scope) } } };
}

function named(id: ResourceId): { id: string; name: string; type: string } {
  return {
    id: `${id.scope}/providers/Microsoft.Resources/tags/default`,
    name: 'default',
    type: 'Microsoft.Resources/tags',
  };
}

function scopeOf(id: string): string {
  return id.slice(0, id.toLowerCase().lastIndexOf('/providers/'));
}

/** A subscription is nothing that is kept: its tags stand with the resource that was put. */
function tagsOf(cloud: Cloud, scope: string): JsonObject {
  const tagged = cloud.store.get(scope);
  const own = cloud.store.get(`${scope}/providers/Microsoft.Resources/tags/default`)?.resource.properties;
  const found = tagged ? tagged.resource.tags : own?.tags;
  return isObject(found) ? found : {};
}

function write(cloud: Cloud, { scope }: ResourceId, changed: JsonObject): void {
  const tagged = cloud.store.get(scope);
  if (tagged) cloud.store.put({ ...tagged, resource: { ...tagged.resource, tags: changed } });
}

function invalid(message: string): ArmError {
  return new ArmError(400, 'InvalidTagsRequest', message);
}
