/** What-if: the predicted changes of a deployment, in the shape of Azure's answer. */

import type { Json, JsonObject } from '../provider.ts';
import type { PlannedResource, WhatIfChange, WhatIfPropertyChange } from './types.ts';
import { equal, isObject, textOf } from './values.ts';

/** Members that a GET shows and no template sets: they are no change. */
const READ_ONLY = new Set(
  'id name type apiVersion etag systemData managedBy createdTime changedTime'.toLowerCase().split(' '),
);
/** A resource as a change shows it. */
type Shown = (resource: JsonObject) => JsonObject;

/** Members of `properties` and `identity` that the service sets. */
const SET_BY_SERVICE = new Set('provisioningstate principalid tenantid clientid'.split(' '));

/**
 * Predicts what a deployment will change.
 * `planned`: each resource of the plan (existing ones are skipped) with its previewed body; `current`: what the scope
 * holds now, as a GET shows it (with `id`); `mode` decides whether what is not planned is deleted or ignored.
 * A property that a resource has and its template lacks counts as deleted only among `tags`: elsewhere it is taken for
 * a default that the service filled in. `shown`: what a change shows of a resource as it is.
 */
export function whatIf(
  planned: { resource: PlannedResource; body: JsonObject }[],
  current: JsonObject[],
  mode: 'Incremental' | 'Complete',
  format: 'FullResourcePayloads' | 'ResourceIdOnly' = 'FullResourcePayloads',
  shown: Shown = (resource) => resource,
): WhatIfChange[] {
  const now = new Map(current.map((resource) => [textOf(resource['id'] ?? null).toLowerCase(), resource]));
  const named = new Set(planned.map(({ resource }) => resource.id.toLowerCase()));
  const changes = planned
    .filter(({ resource }) => !resource.existing)
    .map(({ resource, body }) => changeOf(resource, body, now.get(resource.id.toLowerCase()), format, shown));
  for (const [id, resource] of now) {
    if (!named.has(id)) changes.push(leftover(resource, mode, format, shown));
  }
  return changes.toSorted((a, b) => (a.resourceId < b.resourceId ? -1 : Number(a.resourceId > b.resourceId)));
}

function changeOf(
  resource: PlannedResource,
  body: JsonObject,
  current: JsonObject | undefined,
  format: 'FullResourcePayloads' | 'ResourceIdOnly',
  shown: Shown,
): WhatIfChange {
  const resourceId = resource.id;
  if (format === 'ResourceIdOnly')
    return { resourceId, changeType: current === undefined ? 'Create' : 'Deploy' };
  const after: JsonObject = {
    apiVersion: resource.apiVersion,
    id: resource.id,
    type: resource.type,
    name: resource.name.split('/').at(-1) ?? resource.name,
    ...body,
  };
  if (current === undefined) return { resourceId, changeType: 'Create', after };
  const before = { apiVersion: resource.apiVersion, ...shown(current) };
  const delta = compareObjects(current, after, '', 0);
  if (delta.length === 0) return { resourceId, changeType: 'NoChange', before, after };
  return { resourceId, changeType: 'Modify', before, after, delta };
}

/** Only top-level resources are deleted in complete mode by themselves; children go with their parents. */
function leftover(
  resource: JsonObject,
  mode: 'Incremental' | 'Complete',
  format: 'FullResourcePayloads' | 'ResourceIdOnly',
  shown: Shown,
): WhatIfChange {
  const resourceId = textOf(resource['id'] ?? null);
  const changeType = mode === 'Complete' ? 'Delete' : 'Ignore';
  return format === 'ResourceIdOnly'
    ? { resourceId, changeType }
    : { resourceId, changeType, before: shown(resource) };
}

function compareObjects(
  before: JsonObject,
  after: JsonObject,
  path: string,
  depth: number,
): WhatIfPropertyChange[] {
  const changes: WhatIfPropertyChange[] = [];
  for (const [key, value] of Object.entries(after)) {
    if (isIgnored(key, depth)) continue;
    const own = matching(before, key);
    changes.push(
      ...compareValues(own === undefined ? undefined : before[own], value, join(path, key), depth),
    );
  }
  if (path !== 'tags') return changes;
  for (const [key, value] of Object.entries(before)) {
    if (matching(after, key) === undefined)
      changes.push({ path: join(path, key), propertyChangeType: 'Delete', before: value });
  }
  return changes;
}

function isIgnored(key: string, depth: number): boolean {
  return depth === 0
    ? READ_ONLY.has(key.toLowerCase())
    : depth === 1 && SET_BY_SERVICE.has(key.toLowerCase());
}

function matching(object: JsonObject, key: string): string | undefined {
  if (Object.hasOwn(object, key)) return key;
  return Object.keys(object).find((each) => each.toLowerCase() === key.toLowerCase());
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function compareValues(
  before: Json | undefined,
  after: Json,
  path: string,
  depth: number,
): WhatIfPropertyChange[] {
  if (before === undefined || before === null) {
    // A null or an empty object asks for nothing that is not so already; a new object is told by its members.
    if (isObject(after)) return compareObjects({}, after, path, depth + 1);
    return after === null ? [] : [{ path, propertyChangeType: 'Create', after }];
  }
  if (isObject(before) && isObject(after)) return compareObjects(before, after, path, depth + 1);
  if (Array.isArray(before) && Array.isArray(after)) return compareArrays(before, after, path, depth);
  if (equal(before, after) || isSameLocation(path, before, after)) return [];
  return [{ path, propertyChangeType: 'Modify', before, after }];
}

/** 'East US' and 'eastus' are one region. */
function isSameLocation(path: string, before: Json, after: Json): boolean {
  const plain = (value: Json): string => textOf(value).toLowerCase().replaceAll(' ', '');
  return path === 'location' && plain(before) === plain(after);
}

/** Objects with a name are matched by it, anything else by its place; children's paths are relative to the array. */
function compareArrays(before: Json[], after: Json[], path: string, depth: number): WhatIfPropertyChange[] {
  const children: WhatIfPropertyChange[] = [];
  const left = new Set(before.keys());
  for (const [index, item] of after.entries()) {
    const at = counterpart(before, item, index, left);
    const old = at === undefined ? undefined : before[at];
    if (at === undefined || old === undefined) {
      children.push({ path: String(index), propertyChangeType: 'Create', after: item });
      continue;
    }
    left.delete(at);
    if (isObject(old) && isObject(item)) {
      const nested = compareObjects(old, item, '', depth + 1);
      if (nested.length > 0)
        children.push({
          path: String(index),
          propertyChangeType: 'Modify',
          before: old,
          after: item,
          children: nested,
        });
    } else if (!equal(old, item)) {
      // No member of a list is another one with a new value: Azure tells that the one goes and the other comes.
      children.push(
        { path: String(at), propertyChangeType: 'Delete', before: old },
        { path: String(index), propertyChangeType: 'Create', after: item },
      );
    }
  }
  for (const index of left)
    children.push({ path: String(index), propertyChangeType: 'Delete', before: before[index] ?? null });
  return children.length === 0 ? [] : [{ path, propertyChangeType: 'Array', children }];
}

function counterpart(before: Json[], item: Json, index: number, left: Set<number>): number | undefined {
  const same = [...left].find((at) => equal(before[at] ?? null, item));
  if (same !== undefined) return same;
  if (isObject(item) && typeof item['name'] === 'string') {
    return [...left].find((at) => {
      const old = before[at];
      return isObject(old) && old['name'] === item['name'];
    });
  }
  return left.has(index) && !isObject(item) ? index : undefined;
}
