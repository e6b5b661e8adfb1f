/** User-defined types: members of objects and arrays, and variants of tagged unions. */

import type { Json, JsonObject } from '../../contract/index.ts';
import { ValueFault } from './language-error.ts';
import { isObject, keyOf, propertyOf, textOf } from './values.ts';

const DETAILS = 'Please see https://aka.ms/arm-syntax-parameters for usage details.';

/** What a member must be is looked up, and checked, by whoever knows the definitions. */
export interface MemberChecks {
  resolve(schema: JsonObject): JsonObject;
  /** Throws ValueFault. */
  check(member: Json, schema: JsonObject): void;
}

/** Throws ValueFault, with its member, if a member of `value` is not what `declaration` says. */
export function checkMembers(value: Json, declaration: JsonObject, checks: MemberChecks): void {
  if (Array.isArray(value)) checkItems(value, declaration, checks);
  else if (isObject(value)) checkProperties(value, declaration, checks);
}

function checkItems(value: Json[], declaration: JsonObject, checks: MemberChecks): void {
  const first = declaration['prefixItems'];
  const prefix = Array.isArray(first) ? first : [];
  for (const [index, item] of value.entries()) {
    const schema = prefix[index] ?? declaration['items'];
    if (schema === false) {
      throw new ValueFault(
        `The array does not allow more than ${prefix.length} item(s), but ${value.length} were present. ${DETAILS}`,
      );
    }
    if (isObject(schema)) within(`[${index}]`, () => checks.check(item, schema));
  }
}

function checkProperties(value: JsonObject, declared: JsonObject, checks: MemberChecks): void {
  const declaration = chosenVariant(value, declared, checks);
  const properties = isObject(declaration['properties']) ? declaration['properties'] : {};
  const absent = Object.entries(properties)
    .filter(([name, schema]) => isObject(schema) && propertyOf(value, name) === undefined)
    .filter(([, schema]) => isObject(schema) && checks.resolve(schema)['nullable'] !== true)
    .map(([name]) => `'${name}'`);
  if (absent.length > 0) {
    throw new ValueFault(
      `The object is missing values for the following required properties: [${absent.join(', ')}]. ${DETAILS}`,
    );
  }
  const others = declaration['additionalProperties'];
  const unknown = Object.keys(value).filter((name) => keyOf(properties, name) === undefined);
  if (others === false && unknown.length > 0) {
    throw new ValueFault(
      `The object does not allow values with properties not defined in the schema, but the following unknown properties were present: [${unknown.map((name) => `'${name}'`).join(', ')}]. ${DETAILS}`,
    );
  }
  for (const [name, member] of Object.entries(value)) {
    const schema = propertyOf(properties, name) ?? others;
    if (isObject(schema)) within(`.${name}`, () => checks.check(member, schema));
  }
}

/** The variant of a tagged union that the value's discriminator names; the declaration itself if it is no union. */
function chosenVariant(value: JsonObject, declaration: JsonObject, checks: MemberChecks): JsonObject {
  const discriminator = declaration['discriminator'];
  if (!isObject(discriminator)) return declaration;
  const property = textOf(discriminator['propertyName'] ?? null);
  const mapping = isObject(discriminator['mapping']) ? discriminator['mapping'] : {};
  const tag = propertyOf(value, property);
  const variant = typeof tag === 'string' ? mapping[tag] : undefined;
  if (isObject(variant)) return checks.resolve(variant);
  throw new ValueFault(
    `The value of the discriminator property '${property}', '${textOf(tag ?? null)}', is not part of the allowed value(s): '${Object.keys(mapping).join(',')}'. ${DETAILS}`,
  );
}

function within(step: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    throw new ValueFault(error.message, {
      member: `${step}${error.member}`,
      anonymous: error.anonymous,
    });
  }
}
