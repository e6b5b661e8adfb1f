/** The differences of two resources, property by property, as what-if tells them. */

import type { Json, JsonObject } from '../contract/index.ts';
import type { WhatIfPropertyChange } from './language/types.ts';
import { equal, isObject, textOf } from './language/values.ts';

/** What tells two resources apart though nothing of them is changed. */
const ENVELOPE = new Set(['id', 'name', 'type', 'apiversion']);
/** Members that a GET shows and no template sets: they are no change. */
const READ_ONLY = new Set([...ENVELOPE, 'etag', 'systemdata', 'managedby', 'createdtime', 'changedtime']);
/** Members of `properties` and `identity` that the service sets. */
const SET_BY_SERVICE = new Set(['provisioningstate', 'principalid', 'tenantid', 'clientid']);

/** How two objects are compared. */
interface Comparison {
  /** Is a member of this name, so deep below the resource, passed over? */
  ignores(key: string, depth: number): boolean;
  /** The name that the other object has for a member. */
  counterpart(object: JsonObject, key: string): string | undefined;
  /** Is what `after` lacks taken away? */
  isWhole: boolean;
}

const WHOLE: Comparison = {
  ignores: (key, depth) => depth === 0 && ENVELOPE.has(key.toLowerCase()),
  counterpart: (object, key) => (Object.hasOwn(object, key) ? key : undefined),
  isWhole: true,
};

const WRITTEN: Comparison = {
  ignores: (key, depth) =>
    (depth === 0 && READ_ONLY.has(key.toLowerCase())) || (depth === 1 && SET_BY_SERVICE.has(key.toLowerCase())),
  counterpart: (object, key) =>
    Object.hasOwn(object, key) ? key : Object.keys(object).find((each) => each.toLowerCase() === key.toLowerCase()),
  isWhole: false,
};

/** `after` is all that a GET will show: whatever it lacks is deleted. */
export function compareWhole(before: JsonObject, after: JsonObject): WhatIfPropertyChange[] {
  return compareObjects(WHOLE, before, after, '', 0);
}

/** `after` is what a template says; a property that it lacks keeps its value, except among `tags`. */
export function compareWritten(before: JsonObject, after: JsonObject): WhatIfPropertyChange[] {
  return compareObjects(WRITTEN, before, after, '', 0);
}

function compareObjects(
  how: Comparison,
  before: JsonObject,
  after: JsonObject,
  path: string,
  depth: number,
): WhatIfPropertyChange[] {
  const changes: WhatIfPropertyChange[] = [];
  for (const [key, value] of Object.entries(after)) {
    if (how.ignores(key, depth)) continue;
    const own = how.counterpart(before, key);
    const held = own === undefined ? undefined : before[own];
    changes.push(...compareValues(how, held, value, join(path, key), depth));
  }
  if (!how.isWhole && path !== 'tags') return changes;
  for (const [key, value] of Object.entries(before)) {
    if (!how.ignores(key, depth) && how.counterpart(after, key) === undefined)
      changes.push({ path: join(path, key), propertyChangeType: 'Delete', before: value });
  }
  return changes;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function compareValues(
  how: Comparison,
  before: Json | undefined,
  after: Json,
  path: string,
  depth: number,
): WhatIfPropertyChange[] {
  if (before === undefined || (before === null && !how.isWhole)) return created(how, after, path, depth);
  if (isObject(before) && isObject(after)) return compareObjects(how, before, after, path, depth + 1);
  if (Array.isArray(before) && Array.isArray(after)) return compareArrays(how, before, after, path, depth);
  if (equal(before, after) || isSameLocation(path, before, after)) return [];
  return [{ path, propertyChangeType: 'Modify', before, after }];
}

/**
 * A new object is told by its members. Of what a template writes, null or an empty object asks for nothing that is not
 * so already.
 */
function created(how: Comparison, after: Json, path: string, depth: number): WhatIfPropertyChange[] {
  if (isObject(after) && (!how.isWhole || Object.keys(after).length > 0))
    return compareObjects(how, {}, after, path, depth + 1);
  return after === null && !how.isWhole ? [] : [{ path, propertyChangeType: 'Create', after }];
}

/** 'East US' and 'eastus' are one region. */
function isSameLocation(path: string, before: Json, after: Json): boolean {
  const plain = (value: Json): string => textOf(value).toLowerCase().replaceAll(' ', '');
  return path === 'location' && plain(before) === plain(after);
}

/** Objects with a name are matched by it, anything else by its place; children's paths are relative to the array. */
function compareArrays(
  how: Comparison,
  before: Json[],
  after: Json[],
  path: string,
  depth: number,
): WhatIfPropertyChange[] {
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
    children.push(...compareItems(how, { at, old }, { index, item }, depth));
  }
  for (const index of left)
    children.push({ path: String(index), propertyChangeType: 'Delete', before: before[index] ?? null });
  if (children.length > 0) return [{ path, propertyChangeType: 'Array', children }];
  const isMoved = how.isWhole && !equal(before, after);
  return isMoved ? [{ path, propertyChangeType: 'Modify', before, after }] : [];
}

function compareItems(
  how: Comparison,
  { at, old }: { at: number; old: Json },
  { index, item }: { index: number; item: Json },
  depth: number,
): WhatIfPropertyChange[] {
  if (isObject(old) && isObject(item)) {
    const nested = compareObjects(how, old, item, '', depth + 1);
    const change = { path: String(index), before: old, after: item, children: nested };
    return nested.length === 0 ? [] : [{ ...change, propertyChangeType: 'Modify' }];
  }
  if (equal(old, item)) return [];
  // No member of a list is another one with a new value: Azure tells that the one goes and the other comes.
  return [
    { path: String(at), propertyChangeType: 'Delete', before: old },
    { path: String(index), propertyChangeType: 'Create', after: item },
  ];
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
