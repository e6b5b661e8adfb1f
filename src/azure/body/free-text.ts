/**
 * The fields of an Azure Machine Learning entity that are text for people, or bags whose meaning is the owner's. Azure
 * follows no reference in them, so they are copied unchanged, and what they name is not needed. Pure.
 */
import type { Json, JsonObject } from '../azure.ts';

const prose = new Set(['description', 'displayName', 'display_name', 'experimentName', 'tags']);
/** Keys directly below these are names that the owner chose: an input may be called `tags`. */
const ownNames = new Set(['inputs', 'outputs', 'jobs', 'signals', 'environmentVariables', 'environment_variables']);

/**
 * `keys`: the keys from the entity's properties to the field, the field's own last. The entity's own bag is
 * `properties`.
 */
export function isFreeText(keys: readonly string[]): boolean {
  const key = keys.at(-1) ?? '';
  if (keys.length === 1 && key === 'properties') return true;
  return prose.has(key) && !ownNames.has(keys.at(-2) ?? '');
}

/** Returns an entity's properties without free text. */
export function withoutFreeText(properties: JsonObject): JsonObject {
  const walk = (value: Json, keys: readonly string[]): Json => {
    if (Array.isArray(value)) return value.map((each) => walk(each, keys));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value)
      .map(([key, each]) => [key, each, [...keys, key]] as const)
      .filter(([, , path]) => !isFreeText(path));
    return Object.fromEntries(entries.map(([key, each, path]) => [key, walk(each, path)]));
  };
  return walk(properties, []) as JsonObject;
}
