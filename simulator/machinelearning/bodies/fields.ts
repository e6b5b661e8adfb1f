/** Reading the fields of bodies: what a client sent may be of any shape, and is never trusted. */

import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject, ResourceId, Stored } from '../../contract/index.ts';

export const NAMESPACE = 'Microsoft.MachineLearningServices';
export const WORKSPACES = `${NAMESPACE}/workspaces`;

/** The api-version the provider uses when it acts as its own client. */
export const OWN_API_VERSION = '2024-04-01';

/** The value as an object; anything else is an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a non-empty string, or undefined. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Sets what is absent or null. */
export function fillDefaults(target: JsonObject, defaults: JsonObject): void {
  for (const [key, value] of Object.entries(defaults)) target[key] ??= structuredClone(value);
}

/** Deep equality in which an absent field and a null one are the same, as they are to Azure. */
export function sameContent(a: Json | undefined, b: Json | undefined): boolean {
  return isDeepStrictEqual(withoutNulls(a), withoutNulls(b));
}

function withoutNulls(value: Json | undefined): Json | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((entry) => withoutNulls(entry) ?? null);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, entry]) => {
    const inner = withoutNulls(entry);
    return inner === undefined ? [] : [[key, inner] as const];
  });
  return Object.fromEntries(kept);
}

/** Writes the region of what is below a workspace as Azure spells it: 'East US' is eastus. */
export function setLocation(next: Stored): void {
  const asked = textOf(next.resource.location) ?? next.region ?? '';
  next.resource.location = asked.toLowerCase().replaceAll(' ', '');
}

/** The id of the workspace that a resource of this provider belongs to. */
export function workspaceIdOf(id: string): string {
  const match = /^.*?\/workspaces\/[^/]+/i.exec(id);
  return match?.[0] ?? id;
}

/** The id of the direct parent of a child resource. */
export function parentIdOf(id: ResourceId): string {
  return id.parent ?? workspaceIdOf(id.id);
}

/** Calls `visit` for each string in a JSON value that stands under a key, at any depth. */
export function eachText(value: Json | undefined, visit: (key: string, text: string) => void): void {
  if (Array.isArray(value)) for (const entry of value) eachText(entry, visit);
  if (!isObject(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry === 'string') visit(key, entry);
    else eachText(entry, visit);
  }
}

/** The tags of an Azure ML entity stand in its properties, not beside them as those of other resources. */
export function tagsOf(stored: Stored): JsonObject {
  return objectOf(stored.resource.properties.tags);
}
