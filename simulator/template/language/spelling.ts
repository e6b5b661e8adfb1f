/**
 * Members of a template are found whatever their case: 'apiversion', 'DependsOn'. The language's own members are
 * spelled here once, so that nobody further on has to look twice, and members that it does not have are refused;
 * `properties` and other content stay as they are written.
 */

import type { Json, JsonObject } from '../../contract/index.ts';
import { invalidContent, unknownMember, wrongValue } from './language-error.ts';
import { isObject, textOf } from './values.ts';

function spellings(words: string): Map<string, string> {
  return new Map(words.split(' ').map((word) => [word.toLowerCase(), word]));
}

const RESOURCE = spellings(
  'type name apiVersion location dependsOn condition copy scope resources existing comments asserts apiProfile properties tags sku kind plan zones identity managedBy managedByExtended resourceGroup subscriptionId extendedLocation placement import extension metadata id etag scale',
);
const LOOP = spellings('name count mode batchSize input');
const TYPE =
  '$ref type allowedValues minValue maxValue minLength maxLength metadata nullable items prefixItems properties additionalProperties discriminator sealed validate';
const PARAMETER = spellings(`${TYPE} defaultValue value`);
const OUTPUT = spellings(`${TYPE} value condition copy`);
const DEPLOYMENT = spellings(
  'template templateLink parametersLink parameters mode expressionEvaluationOptions debugSetting onErrorDeployment',
);

/** `object` with these members spelled as the language has them; itself where they are already. */
function respell(object: JsonObject, words: ReadonlyMap<string, string>): JsonObject {
  const spelled = (key: string): string => words.get(key.toLowerCase()) ?? key;
  if (Object.keys(object).every((key) => spelled(key) === key)) return object;
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [spelled(key), value]));
}

function requireKnown(object: JsonObject, words: ReadonlyMap<string, string>, type: string, path: string): void {
  const unknown = Object.keys(object).find((key) => !words.has(key.toLowerCase()));
  if (unknown !== undefined) throw unknownMember(type, path, unknown);
}

/** A resource, its loop and its children. */
function spellResource(raw: Json, path: string): Json {
  if (!isObject(raw)) return raw;
  requireKnown(raw, RESOURCE, 'TemplateResource', path);
  const resource = { ...respell(raw, RESOURCE) };
  if (isObject(resource['copy'])) resource['copy'] = respell(resource['copy'], LOOP);
  if (resource['resources'] !== undefined)
    resource['resources'] = spellResources(resource['resources'], `${path}/resources`);
  const isDeployment = textOf(resource['type'] ?? null).toLowerCase() === 'microsoft.resources/deployments';
  if (isDeployment && isObject(resource['properties']))
    resource['properties'] = respell(resource['properties'], DEPLOYMENT);
  return resource;
}

/**
 * The resources of a template or of a parent, as a list or by symbolic name. Throws TemplateFault for a member that
 * none has.
 */
export function spellResources<T extends Json>(resources: T, path: string): T;
export function spellResources(resources: Json, path: string): Json {
  if (Array.isArray(resources)) return resources.map((each, index) => spellResource(each, `${path}/${index}`));
  if (!isObject(resources)) return resources;
  return Object.fromEntries(
    Object.entries(resources).map(([symbol, each]) => [symbol, spellResource(each, `${path}/${symbol}`)]),
  );
}

/** Bounds are integers, or texts of integers. */
function requireBounds(declaration: JsonObject, path: string): void {
  for (const member of ['minValue', 'maxValue', 'minLength', 'maxLength']) {
    const bound = declaration[member] ?? null;
    if (bound === null || /^-?\d+$/.test(textOf(bound))) continue;
    throw invalidContent(`Could not convert '${textOf(bound)}' to integer`, `${path}/${member}`);
  }
}

const DECLARATIONS = {
  parameters: { words: PARAMETER, type: 'TemplateInputParameter' },
  outputs: { words: OUTPUT, type: 'TemplateOutputParameter' },
};

/** Declarations of parameters or outputs, by name. Throws TemplateFault for a member that none has. */
export function spellDeclarations(declarations: JsonObject, section: keyof typeof DECLARATIONS): JsonObject {
  const { words, type } = DECLARATIONS[section];
  return Object.fromEntries(
    Object.entries(declarations).map(([name, declaration]) => {
      const path = `/${section}/${name}`;
      if (!isObject(declaration)) throw wrongValue(declaration, `Entities.${type}`, path);
      requireKnown(declaration, words, type, path);
      const spelled = respell(declaration, words);
      requireBounds(spelled, path);
      return [name, isObject(spelled['copy']) ? { ...spelled, copy: respell(spelled['copy'], LOOP) } : spelled];
    }),
  );
}
