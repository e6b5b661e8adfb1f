/** Parameters: declarations, values given, and the checks between them. */

import type { Json, JsonObject } from '../provider.ts';
import { invalidTemplate } from './language-error.ts';
import { equal, isObject, keyOf, propertyOf, textOf, typeName } from './values.ts';

/** The types of the language, as a deployment's answer spells them. */
const TYPES: Record<string, string> = {
  string: 'String',
  securestring: 'SecureString',
  int: 'Int',
  bool: 'Bool',
  object: 'Object',
  secureobject: 'SecureObject',
  array: 'Array',
};
const DETAILS = 'Please see https://aka.ms/arm-create-parameter-file for usage details.';

/** A declaration with its `$ref` followed. Throws ArmError if the type is unknown. `path` names the place. */
export function declaredType(declaration: JsonObject, definitions: JsonObject, path: string): JsonObject {
  const ref = declaration['$ref'];
  if (typeof ref === 'string') {
    const name = ref.replace('#/definitions/', '');
    const target = propertyOf(definitions, name);
    if (!ref.startsWith('#/definitions/') || !isObject(target)) {
      throw invalidTemplate(
        `The type definition '${ref}' that '${path}' refers to is not found in the template.`,
      );
    }
    const { $ref: _, ...own } = declaration;
    return { ...declaredType(target, definitions, `/definitions/${name}`), ...own };
  }
  const type = declaration['type'];
  // No type at all is Bicep's `any`.
  if (type === undefined && ref === undefined) return declaration;
  if (typeof type !== 'string' || TYPES[type.toLowerCase()] === undefined) {
    throw invalidTemplate(
      `The type '${textOf(type ?? null)}' at '${path}' is not valid. The supported types are '${Object.values(TYPES).join(', ')}'. Please see https://aka.ms/arm-parameters for usage details.`,
    );
  }
  return declaration;
}

/** 'SecureString' for 'securestring'. */
export function shownType(declaration: JsonObject, value: Json = null): string {
  if (declaration['type'] === undefined) return anyType(value);
  return TYPES[textOf(declaration['type'] ?? null).toLowerCase()] ?? textOf(declaration['type'] ?? null);
}

/** How a value without a declared type is shown. */
function anyType(value: Json): string {
  const name = typeName(value);
  return { Integer: 'Int', Boolean: 'Bool' }[name] ?? name;
}

export function isSecure(declaration: JsonObject): boolean {
  return shownType(declaration).startsWith('Secure');
}

/** Refuses values for parameters that the template does not have. */
export function checkNames(declared: JsonObject, given: JsonObject): void {
  const unknown = Object.keys(given).filter((name) => keyOf(declared, name) === undefined);
  if (unknown.length > 0) {
    throw invalidTemplate(
      `The template parameters '${unknown.join(', ')}' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '${Object.keys(declared).join(', ')}'. Please see https://aka.ms/arm-pass-parameter-values for usage details.`,
    );
  }
}

export function missing(name: string): Error {
  return invalidTemplate(`The value for the template parameter '${name}' is not provided. ${DETAILS}`);
}

/** Checks a value against its declaration; `what` is "template parameter 'x'". Throws ArmError InvalidTemplate. */
export function checkValue(
  what: string,
  value: Json,
  declaration: JsonObject,
  definitions: JsonObject,
): void {
  if (value === null && declaration['nullable'] === true) return;
  const type = shownType(declaration, value);
  if (declaration['type'] !== undefined && !matches(value, type)) {
    throw invalidTemplate(
      `The ${what} is not valid. Expected a value of type '${type}' and got one of type '${typeName(value)}'. ${DETAILS}`,
    );
  }
  const allowed = declaration['allowedValues'];
  if (Array.isArray(allowed) && !isAllowed(value, allowed)) {
    throw invalidTemplate(
      `The provided value '${textOf(value)}' for the ${what} is not valid. The parameter value is not part of the allowed value(s): '${allowed.map(textOf).join(',')}'.`,
    );
  }
  checkBounds(what, value, declaration);
  if (Array.isArray(value)) checkItems(what, value, declaration, definitions);
  else if (isObject(value)) checkProperties(what, value, declaration, definitions);
}

function matches(value: Json, type: string): boolean {
  switch (type) {
    case 'String':
    case 'SecureString':
      return typeof value === 'string';
    case 'Int':
      return typeof value === 'number' && Number.isInteger(value);
    case 'Bool':
      return typeof value === 'boolean';
    case 'Array':
      return Array.isArray(value);
    case 'Object':
      return isObject(value);
    default:
      // A secure object may be any JSON, as in Azure.
      return value !== null;
  }
}

/** An array may also be a selection of the allowed values. */
function isAllowed(value: Json, allowed: Json[]): boolean {
  // Texts are allowed in any case, as 'standard_lrs' where 'Standard_LRS' is listed.
  const same = (a: Json, b: Json): boolean =>
    typeof a === 'string' && typeof b === 'string' ? a.toLowerCase() === b.toLowerCase() : equal(a, b);
  if (allowed.some((each) => same(each, value))) return true;
  return Array.isArray(value) && value.every((item) => allowed.some((each) => same(each, item)));
}

function checkBounds(what: string, value: Json, declaration: JsonObject): void {
  const size =
    typeof value === 'number'
      ? value
      : typeof value === 'string' || Array.isArray(value)
        ? value.length
        : undefined;
  if (size === undefined) return;
  const [low, high] = typeof value === 'number' ? ['minValue', 'maxValue'] : ['minLength', 'maxLength'];
  const measure = typeof value === 'number' ? 'value' : `length of the value`;
  const least = declaration[low];
  const most = declaration[high];
  if (typeof least === 'number' && size < least) {
    throw invalidTemplate(
      `The provided value for the ${what} is not valid. The ${measure} '${size}' is less than the '${low}' of '${least}'. ${DETAILS}`,
    );
  }
  if (typeof most === 'number' && size > most) {
    throw invalidTemplate(
      `The provided value for the ${what} is not valid. The ${measure} '${size}' is greater than the '${high}' of '${most}'. ${DETAILS}`,
    );
  }
}

function checkItems(what: string, value: Json[], declaration: JsonObject, definitions: JsonObject): void {
  const first = declaration['prefixItems'];
  const prefix = Array.isArray(first) ? first : [];
  for (const [index, item] of value.entries()) {
    const schema = prefix[index] ?? declaration['items'];
    if (schema === false) {
      throw invalidTemplate(
        `The ${what} is not valid: it may have at most ${prefix.length} item(s), and has ${value.length}.`,
      );
    }
    if (isObject(schema)) checkMember(`${what} item '[${index}]'`, item, schema, definitions);
  }
}

function checkProperties(
  what: string,
  value: JsonObject,
  declared: JsonObject,
  definitions: JsonObject,
): void {
  const declaration = chosenVariant(what, value, declared, definitions);
  const properties = isObject(declaration['properties']) ? declaration['properties'] : {};
  for (const [name, schema] of Object.entries(properties)) {
    if (!isObject(schema)) continue;
    const member = propertyOf(value, name);
    const resolved = declaredType(schema, definitions, name);
    if (member !== undefined) checkMember(`${what} property '${name}'`, member, schema, definitions);
    else if (resolved['nullable'] !== true) {
      throw invalidTemplate(`The ${what} is not valid: the required property '${name}' is missing.`);
    }
  }
  const others = declaration['additionalProperties'];
  if (others === undefined) return;
  for (const [name, member] of Object.entries(value)) {
    if (keyOf(properties, name) !== undefined) continue;
    if (others === false)
      throw invalidTemplate(`The ${what} is not valid: the property '${name}' is not allowed.`);
    if (isObject(others)) checkMember(`${what} property '${name}'`, member, others, definitions);
  }
}

function checkMember(what: string, value: Json, schema: JsonObject, definitions: JsonObject): void {
  checkValue(what, value, declaredType(schema, definitions, what), definitions);
}

/** The variant of a tagged union that the value's discriminator names; the declaration itself if it is no union. */
function chosenVariant(
  what: string,
  value: JsonObject,
  declaration: JsonObject,
  definitions: JsonObject,
): JsonObject {
  const discriminator = declaration['discriminator'];
  if (!isObject(discriminator)) return declaration;
  const property = textOf(discriminator['propertyName'] ?? null);
  const mapping = isObject(discriminator['mapping']) ? discriminator['mapping'] : {};
  const tag = propertyOf(value, property);
  const variant = typeof tag === 'string' ? mapping[tag] : undefined;
  if (!isObject(variant)) {
    throw invalidTemplate(
      `The ${what} is not valid: expected its property '${property}' to be one of '${Object.keys(mapping).join(', ')}', got '${textOf(tag ?? null)}'.`,
    );
  }
  return declaredType(variant, definitions, what);
}
