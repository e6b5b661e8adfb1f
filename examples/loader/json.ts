/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** The object without the fields that are undefined: an absent YAML field is absent in the request too. */
export function compact(fields: Record<string, Json | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An ARM id, or a word as enumerations have them. */
const CASELESS = /^(\/subscriptions\/|[A-Za-z]+$)/;

/**
 * Does `actual` say all that `wanted` says? Fields that the service adds do not count, nor does the case of ARM ids
 * (the service may answer `resourcegroups` for `resourceGroups`) and of words (it takes those of its enumerations in any case, and answers
 * them as they are published), nor null for an absent field. A number that the service answers as text is the same value.
 */
export function includes(actual: Json | undefined, wanted: Json): boolean {
  if (wanted === null) return actual === null || actual === undefined;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, at) => includes(actual[at], item))
    );
  }
  if (isObject(wanted)) {
    const entries = Object.entries(wanted);
    if (actual === null || actual === undefined) return entries.every(([, value]) => value === null);
    return isObject(actual) && entries.every(([name, value]) => includes(actual[name], value));
  }
  if (typeof wanted === 'string' && typeof actual === 'string' && CASELESS.test(wanted)) {
    return actual.toLowerCase() === wanted.toLowerCase();
  }
  return actual === wanted || (typeof actual !== 'object' && String(actual) === String(wanted));
}

/** The first place where `actual` does not say what `wanted` says, as a path ('properties.command'). */
export function firstDifference(actual: Json | undefined, wanted: Json, path = ''): string | undefined {
  if (includes(actual, wanted)) return undefined;
  if (isObject(wanted) && isObject(actual)) {
    for (const [name, value] of Object.entries(wanted)) {
      const found = firstDifference(actual[name], value, path === '' ? name : `${path}.${name}`);
      if (found !== undefined) return found;
    }
  }
  return path;
}
