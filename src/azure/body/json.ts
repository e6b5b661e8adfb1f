/** Reads fields of Azure's raw JSON. Each function returns undefined if the field is absent or of another type. */
import type { JsonObject } from '../azure.ts';

/** Undefined if the field is absent, or not a string. */
export function textAt(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' ? found : undefined;
}

/** Undefined if the field is absent, or not a number. */
export function numberAt(value: JsonObject, key: string): number | undefined {
  const found = value[key];
  return typeof found === 'number' ? found : undefined;
}

/** Undefined if the field is absent, or not an object. */
export function objectAt(value: JsonObject, key: string): JsonObject | undefined {
  const found = value[key];
  return isObject(found) ? found : undefined;
}

/** Arrays and null are not objects here. */
export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
