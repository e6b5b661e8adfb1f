/**
 * Parts of network resources that can be written in place or as resources of their own: subnets, rules, routes, links
 * of zones. They are kept as resources, and the one they belong to shows them; a PUT that lists them replaces them, one
 * that does not leaves them.
 */

import { isObject } from '../resource/fields.ts';
import type { Call, Cloud, Json, JsonObject, Resource, ResourceType, Stored } from '../contract/index.ts';
import { readOnlyFields } from './fields.ts';

/** By type: the property that lists the parts; it is also the last segment of their own type. */
const PARTS: Record<string, readonly string[]> = {
  'Microsoft.Network/virtualNetworks': ['subnets'],
  'Microsoft.Network/networkSecurityGroups': ['securityRules'],
  'Microsoft.Network/routeTables': ['routes'],
};

/** What a row of a network type adds to a plain one. */
export function networkParts(type: string): Pick<ResourceType, 'beforePut' | 'spreads' | 'show'> {
  const parts = PARTS[type] ?? [];
  return {
    beforePut(call, next) {
      const { id } = next.resource;
      const properties = named(readOnlyFields(type, call, next), id);
      next.hidden = { ...next.hidden, listed: parts.filter((part) => Array.isArray(properties[part])) };
      next.resource.properties = properties;
    },
    spreads: (call, stored) => spread(call, stored, parts),
    show: (cloud, stored) => gathered(cloud, stored, parts),
  };
}

/** Each member of a list that has a name has an id, below the resource it stands in. */
function named(properties: JsonObject, id: string): JsonObject {
  const shown = Object.entries(properties).map(([list, items]): [string, Json] => {
    if (!Array.isArray(items)) return [list, items];
    return [
      list,
      items.map((item) =>
        isObject(item) && typeof item.name === 'string' && item.properties !== undefined
          ? { id: `${id}/${list}/${item.name}`, ...item }
          : item,
      ),
    ];
  });
  return Object.fromEntries(shown);
}

/** Makes resources of the parts that were listed, and takes those away that no longer are. */
function spread({ cloud }: Call, stored: Stored, parts: readonly string[]): void {
  const { resource } = cloud.store.get(stored.resource.id) ?? stored;
  const listed = Array.isArray(stored.hidden.listed) ? stored.hidden.listed : [];
  for (const part of parts.filter((each) => listed.includes(each))) {
    const items = resource.properties[part];
    const type = `${resource.type}/${part}`;
    const kept = new Set<string>();
    for (const item of Array.isArray(items) ? items : []) {
      if (!isObject(item) || typeof item.name !== 'string') continue;
      kept.add(item.name.toLowerCase());
      cloud.store.put(partOf(cloud, stored, type, item.name, item));
    }
    for (const old of cloud.store.children(resource.id, type))
      if (!kept.has(old.resource.name.toLowerCase())) cloud.store.remove(old.resource.id);
  }
}

function partOf(cloud: Cloud, stored: Stored, type: string, name: string, item: JsonObject): Stored {
  const id = `${stored.resource.id}/${type.slice(type.lastIndexOf('/') + 1)}/${name}`;
  const existing = cloud.store.get(id);
  const own = isObject(item.properties) ? item.properties : {};
  return {
    resource: { ...item, id, name, type, properties: { ...own, provisioningState: 'Succeeded' } },
    hidden: existing?.hidden ?? {},
    etag: stored.etag,
    region: stored.region,
    createdAt: existing?.createdAt ?? stored.changedAt,
    changedAt: stored.changedAt,
  };
}

function gathered(cloud: Cloud, stored: Stored, parts: readonly string[]): Resource {
  if (parts.length === 0) return stored.resource;
  const properties = { ...stored.resource.properties };
  for (const part of parts) {
    const children = cloud.store.children(stored.resource.id, `${stored.resource.type}/${part}`);
    properties[part] = children.map(({ resource, etag }) => ({ ...resource, etag }));
  }
  return { ...stored.resource, properties };
}
