/** Values as the template language sees them: their types' names, equality, and access whatever the case. */

import type { Json, JsonObject } from '../../contract/index.ts';
import { LanguageError } from './language-error.ts';

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type's name in Azure's messages. */
export function typeName(value: Json): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (typeof value === 'object') return 'Object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'Float';
  return typeof value === 'boolean' ? 'Boolean' : 'String';
}

/** The key of `object` that is `name` in any case, the exact one first. */
export function keyOf(object: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const lower = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === lower);
}

export function propertyOf(object: JsonObject, name: string): Json | undefined {
  const key = keyOf(object, name);
  return key === undefined ? undefined : object[key];
}

/** Sets a member whatever it is called: by assignment, '__proto__' would be none. */
export function setMember(object: JsonObject, name: string, value: Json): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
}

/** Deep equality; the order of an object's keys does not count. */
export function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equal(item, b[index] ?? null));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key] ?? null, b[key] ?? null));
}

/** What `string(value)` gives. */
export function textOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value === null ? '' : JSON.stringify(value);
}

/** The order of strings in a comparison: words first, and lower case before upper ('a' < 'A' < 'b'), as Azure's. */
const collator = new Intl.Collator('en-US', { caseFirst: 'lower' });
export function compareText(a: string, b: string): number {
  return collator.compare(a, b);
}

function wrongType(call: string, expected: string, value: Json): LanguageError {
  return new LanguageError(
    `The template language function '${call}' expects its parameter to be of type '${expected}'. The provided value is of type '${typeName(value)}'. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
  );
}

export function expectString(call: string, value: Json | undefined): string {
  if (typeof value !== 'string') throw wrongType(call, 'String', value ?? null);
  return value;
}

export function expectInteger(call: string, value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(call, 'Integer', value ?? null);
  return value;
}

export function expectBoolean(call: string, value: Json | undefined): boolean {
  if (typeof value !== 'boolean') throw wrongType(call, 'Boolean', value ?? null);
  return value;
}

export function expectArray(call: string, value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw wrongType(call, 'Array', value ?? null);
  return value;
}

export function expectObject(call: string, value: Json | undefined): JsonObject {
  if (!isObject(value)) throw wrongType(call, 'Object', value ?? null);
  return value;
}

export function expectOneOf(call: string, expected: string, value: Json): never {
  throw wrongType(call, expected, value);
}
