/** Parameters and outputs: what they are declared to be, and whether a value is that. */

import type { Json, JsonObject } from '../contract/index.ts';
import {
  invalidContent,
  invalidTemplate,
  PLACE,
  TemplateFault,
  ValueFault,
  wrongValue,
} from './language/language-error.ts';
import { checkMembers } from './language/user-types.ts';
import { equal, isObject, keyOf, propertyOf, textOf, typeName } from './language/values.ts';

/** The types of the language, as a deployment's answer spells them, and as its refusals do. */
const TYPES: Record<string, { shown: string; expected: string }> = {
  string: { shown: 'String', expected: 'String, Uri' },
  securestring: { shown: 'SecureString', expected: 'String, Uri' },
  int: { shown: 'Int', expected: 'Integer' },
  bool: { shown: 'Bool', expected: 'Boolean' },
  object: { shown: 'Object', expected: 'Object' },
  secureobject: { shown: 'SecureObject', expected: 'Object' },
  array: { shown: 'Array', expected: 'Array' },
};
const DETAILS = 'Please see https://aka.ms/arm-create-parameter-file for usage details.';

/** A declaration with its `$ref` followed. Throws TemplateFault if the type is unknown. `path` names the place. */
export function declaredType(declaration: JsonObject, definitions: JsonObject, path: string): JsonObject {
  const ref = declaration['$ref'];
  if (typeof ref === 'string') {
    const name = ref.replace('#/definitions/', '');
    const target = propertyOf(definitions, name);
    if (!ref.startsWith('#/definitions/') || !isObject(target)) {
      throw invalidTemplate(
        `The type definition '${ref}' ${PLACE} is not found in the template. Please see https://aka.ms/arm-parameters for usage details.`,
        path,
      );
    }
    const { $ref: _, ...own } = declaration;
    return { ...declaredType(target, definitions, `/definitions/${name}`), ...own };
  }
  const type = declaration['type'];
  // No type at all is Bicep's `any`.
  if (type === undefined && ref === undefined) return declaration;
  if (typeof type !== 'string' || TYPES[type.toLowerCase()] === undefined) {
    const supported = Object.values(TYPES).map(({ shown }) => shown);
    throw invalidTemplate(
      `The type '${textOf(type ?? null)}' ${PLACE} is not valid. The supported types are '${supported.join(', ')}'. Please see https://aka.ms/arm-parameters for usage details.`,
      path,
    );
  }
  return declaration;
}

/** 'SecureString' for 'securestring'. */
export function shownType(declaration: JsonObject, value: Json = null): string {
  if (declaration['type'] === undefined) return anyType(value);
  const type = textOf(declaration['type'] ?? null);
  return TYPES[type.toLowerCase()]?.shown ?? type;
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

/** Refuses what is no value of a parameter, and no reference to a secret. */
export function checkGiven(given: JsonObject): void {
  for (const [name, each] of Object.entries(given)) {
    const path = `/properties/parameters/${name}`;
    if (!isObject(each)) throw wrongValue(each, 'Definitions.DeploymentParameterDefinition', path);
    const { reference } = each;
    if (!isObject(reference)) continue;
    const vault = isObject(reference['keyVault']) ? reference['keyVault'] : {};
    if (typeof vault['id'] !== 'string')
      throw invalidContent("Required property 'id' not found in JSON", `${path}/reference/keyVault`);
    if (typeof reference['secretName'] !== 'string')
      throw invalidContent("Required property 'secretName' not found in JSON", `${path}/reference`);
  }
}

/** There is no value for a parameter without a default. `given`: what there is instead of one. */
export function missing(name: string, given: Json | undefined): Error {
  if (given !== undefined)
    return new TemplateFault(
      'InvalidDeploymentParameterValue',
      `The value of deployment parameter '${name}' is null. Please specify the value or use the parameter reference. Please see https://aka.ms/arm-create-parameter-file for details.`,
      `/properties/parameters/${name}`,
    );
  return invalidTemplate(
    `The value for the template parameter '${name}' ${PLACE} is not provided. ${DETAILS}`,
    `/parameters/${name}`,
  );
}

export interface Checks {
  definitions: JsonObject;
  /** Language version 2.0 has user-defined types, and words for them. */
  typed: boolean;
}

/** Checks what is given for a parameter, or its default. Throws TemplateFault. */
export function checkParameter(name: string, value: Json, declaration: JsonObject, checks: Checks): void {
  try {
    checkValue('parameter', value, declaration, checks);
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    const path = `/parameters/${name}`;
    if (error.anonymous) throw invalidTemplate(error.message, path);
    const subject = `for the template parameter '${name}${error.member}' ${PLACE} is not valid.`;
    const notAllowed = !checks.typed && error.message.startsWith('The parameter value') && !isSecure(declaration);
    const given = notAllowed ? `The provided value '${textOf(value)}'` : 'The provided value';
    throw invalidTemplate(`${given} ${subject} ${error.message}`, path);
  }
}

/** Throws ValueFault if the value is not what is declared. */
export function checkValue(
  what: 'parameter' | 'output',
  value: Json,
  declaration: JsonObject,
  { definitions, typed }: Checks,
): void {
  if (value === null && declaration['nullable'] === true) return;
  const type = shownType(declaration, value);
  if (declaration['type'] !== undefined && !matches(value, type)) throw wrongType(what, type, value, typed);
  const allowed = declaration['allowedValues'];
  if (Array.isArray(allowed) && !isAllowed(value, allowed)) {
    const values = `is not part of the allowed value(s): '${allowed.map(textOf).join(',')}'.`;
    const plain = typed && !isSecure(declaration);
    throw new ValueFault(plain ? `The value '${textOf(value)}' ${values}` : `The parameter value ${values}`);
  }
  checkBounds(value, declaration);
  const resolve = (schema: JsonObject): JsonObject => declaredType(schema, definitions, '/definitions');
  checkMembers(value, declaration, {
    resolve,
    check: (member, schema) => checkValue(what, member, resolve(schema), { definitions, typed }),
  });
}

function wrongType(what: 'parameter' | 'output', type: string, value: Json, typed: boolean): ValueFault {
  if (typed)
    return new ValueFault(
      `Expected a value of type '${type}', but received a value of type '${typeName(value)}'. ${DETAILS}`,
    );
  const mismatch = `Template ${what} JToken type is not valid. Expected '${TYPES[type.toLowerCase()]?.expected ?? type}'. Actual '${typeName(value)}'.`;
  return what === 'parameter'
    ? new ValueFault(`${mismatch} Please see https://aka.ms/resource-manager-parameter-files for usage details.`, {
        anonymous: true,
      })
    : new ValueFault(`${mismatch}Please see https://aka.ms/arm-syntax-outputs for usage details.`);
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

function checkBounds(value: Json, declaration: JsonObject): void {
  const isNumber = typeof value === 'number';
  const size = isNumber ? value : typeof value === 'string' || Array.isArray(value) ? value.length : undefined;
  if (size === undefined) return;
  const measure = isNumber ? 'The value' : 'Length of the value';
  // A bound may be written as a text.
  const least = Number(declaration[isNumber ? 'minValue' : 'minLength'] ?? Number.NaN);
  const most = Number(declaration[isNumber ? 'maxValue' : 'maxLength'] ?? Number.NaN);
  if (size < least) throw new ValueFault(`${measure} should be greater than or equal to '${least}'. ${DETAILS}`);
  if (size > most) throw new ValueFault(`${measure} should be less than or equal to '${most}'. ${DETAILS}`);
}
