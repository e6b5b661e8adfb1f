/** The shape of a template: what must be there, and what may be. */

import type { Json, JsonObject } from '../contract/index.ts';
import { invalidContent, invalidTemplate, missingMember, PLACE, unknownMember } from './language/language-error.ts';
import { spellDeclarations, spellResources } from './language/spelling.ts';
import { isObject, keyOf, propertyOf, textOf, typeName } from './language/values.ts';

const MEMBERS = new Set(
  '$schema apiProfile asserts contentVersion definitions extensions functions imports languageVersion metadata outputs parameters resources variables'
    .toLowerCase()
    .split(' '),
);
/** Source: Azure's template limits. */
const LIMITS = { parameters: 256, variables: 512, outputs: 64 };
/** Source: Azure's refusal of any other. */
const SCHEMAS = ['2014-04-01-preview', '2015-01-01', '2018-05-01', '2019-04-01', '2019-08-01'];
const VERSIONS = /^(1\.0|1\.9-experimental|1\.10-experimental|2\.0|2\.1-experimental|2\.2-experimental)$/;

/** The sections of a template, each an object (`resources` stays as it is). */
export interface Sections {
  parameters: JsonObject;
  variables: JsonObject;
  outputs: JsonObject;
  definitions: JsonObject;
  functions: Json[];
  resources: Json[] | JsonObject;
  /** Resources have symbolic names: `resources` is an object. */
  symbolic: boolean;
  /** The language version has user-defined types. */
  typed: boolean;
}

/** Checks a template's shape. Throws TemplateFault InvalidRequestContent or InvalidTemplate. */
export function sectionsOf(template: JsonObject): Sections {
  const unknown = Object.keys(template).find((member) => !MEMBERS.has(member.toLowerCase()));
  if (unknown !== undefined) throw unknownMember('Template', '', unknown);
  for (const member of ['$schema', 'contentVersion', 'resources']) {
    if (propertyOf(template, member) === undefined) throw missingMember(member, '');
  }
  requireSchema(template);
  requireLanguage(template);
  const resources = propertyOf(template, 'resources') ?? null;
  if (!Array.isArray(resources) && !isObject(resources)) throw wrong('resources', 'Array or Object', resources);
  const sections: Sections = {
    parameters: spellDeclarations(section(template, 'parameters'), 'parameters'),
    variables: section(template, 'variables'),
    outputs: spellDeclarations(section(template, 'outputs'), 'outputs'),
    definitions: section(template, 'definitions'),
    functions: functionsOf(template),
    resources: spellResources(resources, '/resources'),
    symbolic: !Array.isArray(resources),
    typed: textOf(propertyOf(template, 'languageVersion') ?? '').startsWith('2.'),
  };
  requireVersionFor(sections, propertyOf(template, 'languageVersion'));
  for (const name of ['parameters', 'variables', 'outputs'] as const) {
    const count = Object.keys(sections[name]).length;
    if (count > LIMITS[name]) {
      throw invalidTemplate(
        `The number of template ${name} limit exceeded. Limit: '${LIMITS[name]}' and actual: '${count}'. Please see https://aka.ms/arm-syntax for usage details.`,
      );
    }
  }
  return sections;
}

function wrong(member: string, expected: string, value: Json): Error {
  return invalidContent(`Expected '${member}' to be of type '${expected}', got '${typeName(value)}'`, `/${member}`);
}

/** The schema and the content's version are texts; a number is read as one. */
function requireSchema(template: JsonObject): void {
  for (const member of ['$schema', 'contentVersion']) {
    const value = propertyOf(template, member) ?? null;
    if (!isObject(value) && !Array.isArray(value)) continue;
    throw invalidContent(
      `Unexpected character encountered while parsing value: ${Array.isArray(value) ? '[' : '{'}`,
      `/${keyOf(template, member) ?? member}`,
    );
  }
  const schema = textOf(propertyOf(template, '$schema') ?? null);
  // However it is spelled: '…/schemas/2019-04-01/deploymentTemplate.json#',
  // '…/deploymentTemplate?api-version=2015-01-01-preview#'.
  const versions = schema.match(/\d{4}-\d\d-\d\d/g) ?? [];
  const known = versions.some((version) => SCHEMAS.some((each) => each.startsWith(version)));
  if (known && /deploymentTemplate/i.test(schema)) return;
  throw invalidTemplate(
    `Template schema '${schema}' is not supported. Supported versions are '${SCHEMAS.join(',')}'. Please see https://aka.ms/arm-syntax for usage details.`,
    '/$schema',
  );
}

/**
 * Language versions; and extensions, which deploy to other things than Azure (Kubernetes, Microsoft Graph): refused by
 * name.
 */
function requireLanguage(template: JsonObject): void {
  for (const member of ['extensions', 'imports']) {
    const used = propertyOf(template, member);
    const others = isObject(used) ? Object.keys(used).filter((name) => !isAzure(used[name] ?? null)) : [];
    if (others.length > 0) {
      throw invalidTemplate(
        `The template's '${member}' (${others.join(', ')}) are not supported here: only resources of Azure are`,
        `/${member}`,
      );
    }
  }
  const version = propertyOf(template, 'languageVersion');
  if (version !== undefined && !(typeof version === 'string' && VERSIONS.test(version))) {
    throw invalidTemplate(
      `The template language version '${textOf(version)}' ${PLACE} is not recognized. Supported versions are '1.0, 2.0'`,
      '/languageVersion',
    );
  }
  if (version === '2.0' && Array.isArray(propertyOf(template, 'resources'))) {
    throw invalidContent(
      "Expected 'resources' to be an object of symbolic names in language version '2.0'",
      '/resources',
    );
  }
}

const AGGREGATES = ['items', 'prefixItems', 'properties', 'additionalProperties'];

/** What came with later versions of the language: names of resources, and types of members. */
function requireVersionFor({ symbolic, parameters, outputs, resources }: Sections, version: Json | undefined): void {
  if (version !== undefined && version !== '1.0') return;
  if (symbolic)
    throw invalidContent(
      "Cannot deserialize the current JSON object into type 'Azure.Deployments.Core.Entities.TemplateResource[]' because the type requires a JSON array to deserialize correctly",
      '/resources',
    );
  const declarations = [...Object.values(parameters), ...Object.values(outputs)];
  if (declarations.some((each) => isObject(each) && AGGREGATES.some((member) => each[member] !== undefined)))
    throw needsVersion('AggregateTypeValidation');
  if (Object.values(resources).some((each) => isObject(each) && each['existing'] !== undefined))
    throw needsVersion('ExistingResources');
}

function needsVersion(feature: string): Error {
  return invalidTemplate(`Template language version must be specified in order to use feature '${feature}'`);
}

/** Azure itself may be named as an extension too. */
function isAzure(extension: Json): boolean {
  return (
    isObject(extension) &&
    /^(az|AzureResourceManager)$/i.test(textOf(extension['name'] ?? extension['provider'] ?? null))
  );
}

function section(template: JsonObject, member: string): JsonObject {
  const value = propertyOf(template, member) ?? {};
  if (!isObject(value)) throw wrong(member, 'Object', value);
  requireOnce(value, member);
  return value;
}

/** Names are the same whatever their case: 'a' and 'A' would be one parameter. */
function requireOnce(declarations: JsonObject, member: string): void {
  const seen = new Set<string>();
  for (const name of Object.keys(declarations)) {
    const lower = name.toLowerCase();
    if (seen.has(lower))
      throw invalidContent(`An item with the same key has already been added. Key: ${name}`, `/${member}/${name}`);
    seen.add(lower);
  }
}

function functionsOf(template: JsonObject): Json[] {
  const value = propertyOf(template, 'functions') ?? [];
  if (!Array.isArray(value)) throw wrong('functions', 'Array', value);
  return value;
}
