/**
 * Reading and changing fields of a resource by path ('properties.credentials.secrets'), and JSON's equality and
 * merging.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../contract/index.ts';

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message shows it: texts as they are, nothing as '', all else as JSON. */
export function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

export function fieldAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const segment of path.split('.')) {
    if (!isObject(value)) return undefined;
    value = value[segment];
  }
  return value;
}

/** Sets the field; the objects on the way are made where they are missing. */
export function setFieldAt(object: JsonObject, path: string, value: Json): void {
  const segments = path.split('.');
  const last = segments.pop() ?? '';
  let place = object;
  for (const segment of segments) {
    const next = place[segment];
    if (isObject(next)) place = next;
    else place = place[segment] = {};
  }
  place[last] = value;
}

/** Takes the field out of the object and answers it. */
export function takeFieldAt(object: JsonObject, path: string): Json | undefined {
  const segments = path.split('.');
  const last = segments.pop() ?? '';
  const place = segments.length === 0 ? object : fieldAt(object, segments.join('.'));
  if (!isObject(place)) return undefined;
  const value = place[last];
  delete place[last];
  return value;
}

export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  return isDeepStrictEqual(a, b);
}

/** RFC 7396: objects are merged, null removes, everything else replaces. Answers a new object. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isObject(value)) merged[key] = mergePatch(isObject(merged[key]) ? merged[key] : {}, value);
    else merged[key] = value;
  }
  return merged;
}
