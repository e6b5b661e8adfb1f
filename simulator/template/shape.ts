/** The shape of a template: what must be there, and what may be. */

import { ArmError, type Json, type JsonObject } from '../provider.ts';
import { invalidTemplate } from './language-error.ts';
import { spellDeclarations, spellResources } from './spelling.ts';
import { isObject, propertyOf, textOf, typeName } from './values.ts';

const MEMBERS = new Set(
  '$schema apiProfile asserts contentVersion definitions extensions functions imports languageVersion metadata outputs parameters resources variables'
    .toLowerCase()
    .split(' '),
);
/** Source: Azure's template limits. */
const LIMITS = { parameters: 256, variables: 512, outputs: 64 };

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
}

/** Checks a template's shape. Throws ArmError InvalidRequestContent or InvalidTemplate. */
export function sectionsOf(template: JsonObject): Sections {
  for (const member of Object.keys(template)) {
    if (!MEMBERS.has(member.toLowerCase()))
      throw badContent(`Could not find member '${member}' on object of type 'Template'. Path '${member}'`);
  }
  for (const member of ['$schema', 'contentVersion', 'resources']) {
    if (propertyOf(template, member) === undefined) {
      throw invalidTemplate(`Required property '${member}' not found in JSON. Path ''`);
    }
  }
  refuseExtensions(template);
  const resources = propertyOf(template, 'resources') ?? null;
  if (!Array.isArray(resources) && !isObject(resources))
    throw wrong('resources', 'Array or Object', resources);
  const sections: Sections = {
    parameters: spellDeclarations(section(template, 'parameters')),
    variables: section(template, 'variables'),
    outputs: spellDeclarations(section(template, 'outputs')),
    definitions: section(template, 'definitions'),
    functions: functionsOf(template),
    resources: spellResources(resources),
    symbolic: !Array.isArray(resources),
  };
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

function badContent(problem: string): ArmError {
  return new ArmError(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${problem}.'.`,
  );
}

function wrong(member: string, expected: string, value: Json): ArmError {
  return badContent(
    `Expected '${member}' to be of type '${expected}', got '${typeName(value)}'. Path '${member}'`,
  );
}

/** Extensions deploy to other things than Azure (Kubernetes, Microsoft Graph): refused by name. */
function refuseExtensions(template: JsonObject): void {
  for (const member of ['extensions', 'imports']) {
    const used = propertyOf(template, member);
    const others = isObject(used) ? Object.keys(used).filter((name) => !isAzure(used[name] ?? null)) : [];
    if (others.length > 0) {
      throw invalidTemplate(
        `The template's '${member}' (${others.join(', ')}) are not supported here: only resources of Azure are`,
      );
    }
  }
  const version = propertyOf(template, 'languageVersion');
  if (
    version !== undefined &&
    !(
      typeof version === 'string' &&
      /^(1\.0|1\.9-experimental|1\.10-experimental|2\.0|2\.1-experimental|2\.2-experimental)$/.test(version)
    )
  ) {
    throw invalidTemplate(
      `The template language version '${textOf(version)}' is not recognized. Supported versions are '1.0, 2.0'`,
    );
  }
  if (version === '2.0' && Array.isArray(propertyOf(template, 'resources'))) {
    throw badContent(
      "Expected 'resources' to be an object of symbolic names in language version '2.0'. Path 'resources'",
    );
  }
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
  return value;
}

function functionsOf(template: JsonObject): Json[] {
  const value = propertyOf(template, 'functions') ?? [];
  if (!Array.isArray(value)) throw wrong('functions', 'Array', value);
  return value;
}
