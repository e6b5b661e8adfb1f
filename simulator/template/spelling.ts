/**
 * Members of a template are found whatever their case: 'apiversion', 'DependsOn'. The language's own members are spelled here
 * once, so that nobody further on has to look twice; members of `properties` and other content stay as they are written.
 */

import type { Json, JsonObject } from '../provider.ts';
import { isObject, textOf } from './values.ts';

function spellings(words: string): Map<string, string> {
  return new Map(words.split(' ').map((word) => [word.toLowerCase(), word]));
}

const RESOURCE = spellings(
  'type name apiVersion location dependsOn condition copy scope resources existing comments asserts apiProfile properties tags sku kind plan zones identity managedBy resourceGroup subscriptionId extendedLocation placement',
);
const LOOP = spellings('name count mode batchSize input');
const DECLARATION = spellings(
  '$ref type value condition copy defaultValue allowedValues minValue maxValue minLength maxLength metadata nullable items prefixItems properties additionalProperties discriminator sealed',
);
const DEPLOYMENT = spellings(
  'template templateLink parametersLink parameters mode expressionEvaluationOptions debugSetting onErrorDeployment',
);

/** `object` with these members spelled as the language has them; itself where they are already. */
function respell(object: JsonObject, words: ReadonlyMap<string, string>): JsonObject {
  const spelled = (key: string): string => words.get(key.toLowerCase()) ?? key;
  if (Object.keys(object).every((key) => spelled(key) === key)) return object;
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [spelled(key), value]));
}

/** A resource, its loop and its children. */
function spellResource(raw: Json): Json {
  if (!isObject(raw)) return raw;
  const resource = { ...respell(raw, RESOURCE) };
  if (isObject(resource['copy'])) resource['copy'] = respell(resource['copy'], LOOP);
  if (resource['resources'] !== undefined) resource['resources'] = spellResources(resource['resources']);
  const isDeployment = textOf(resource['type'] ?? null).toLowerCase() === 'microsoft.resources/deployments';
  if (isDeployment && isObject(resource['properties']))
    resource['properties'] = respell(resource['properties'], DEPLOYMENT);
  return resource;
}

/** The resources of a template or of a parent, as a list or by symbolic name. */
export function spellResources<T extends Json>(resources: T): T;
export function spellResources(resources: Json): Json {
  if (Array.isArray(resources)) return resources.map(spellResource);
  if (!isObject(resources)) return resources;
  return Object.fromEntries(
    Object.entries(resources).map(([symbol, resource]) => [symbol, spellResource(resource)]),
  );
}

/** Declarations of parameters or outputs, by name. */
export function spellDeclarations(declarations: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(declarations).map(([name, declaration]) => {
      if (!isObject(declaration)) return [name, declaration];
      const spelled = respell(declaration, DECLARATION);
      return [
        name,
        isObject(spelled['copy']) ? { ...spelled, copy: respell(spelled['copy'], LOOP) } : spelled,
      ];
    }),
  );
}
