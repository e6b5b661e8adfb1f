/**
 * Azure's published descriptions of the Machine Learning API (OpenAPI 2.0), read for one purpose: to hold the local
 * Azure's answers against them. Where the descriptions are: the folder that AZURE_SPECS names, else `azure-specs`
 * beside or near the project.
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** The folder of the descriptions, or undefined where there is none. */
export function findDescriptions(): string | undefined {
  const places = [process.env.AZURE_SPECS, join(PROJECT, '../shared/azure-specs'), join(PROJECT, '../azure-specs')];
  return places
    .flatMap((place) => (place === undefined ? [] : [join(resolve(place), 'machinelearning/2024-04-01')]))
    .find((place) => existsSync(join(place, 'mfe.json')));
}

/** One operation, with the examples it is published with. */
export interface Operation {
  id: string;
  method: string;
  path: string;
  /** Schema by status; undefined: a status without a body. */
  responses: Record<string, Schema | undefined>;
  /** The names of the headers that an answer of a status is published with, in lower case. */
  headers: Record<string, string[]>;
  examples: { name: string; parameters: JsonObject }[];
  /** The name of the parameter that is the body. */
  bodyName: string | undefined;
  body: Schema | undefined;
}

/** A schema, and the file that its relative references start from. */
export interface Schema {
  node: JsonObject;
  file: string;
}

const FILES = ['machineLearningServices.json', 'mfe.json', 'workspaceFeatures.json', 'registries.json'];
const loaded = new Map<string, JsonObject>();

/** The operations of an API's files in a folder: those of Machine Learning unless said. */
export function loadOperations(folder: string, files: readonly string[] = FILES): Operation[] {
  return files.flatMap((name) => {
    const file = join(folder, name);
    const paths = objectAt(load(file), 'paths');
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, JsonObject>)
        .filter(([method]) => method !== 'parameters')
        .map(([method, node]) => readOperation(file, path, method, node)),
    );
  });
}

function readOperation(file: string, path: string, method: string, node: JsonObject): Operation {
  const parameters = (node.parameters as JsonObject[]).map((parameter) => follow({ node: parameter, file }).node);
  const responses = Object.entries(node.responses as Record<string, JsonObject>)
    .filter(([status]) => status !== 'default')
    .map(
      ([status, response]) =>
        [status, response.schema ? { node: response.schema as JsonObject, file } : undefined] as const,
    );
  const examples = Object.entries((node['x-ms-examples'] ?? {}) as Record<string, { $ref: string }>).map(
    ([name, { $ref }]) => ({
      name,
      parameters: objectAt(load(resolve(dirname(file), $ref)), 'parameters'),
    }),
  );
  const body = parameters.find((parameter) => parameter.in === 'body');
  return {
    id: node.operationId as string,
    method: method.toUpperCase(),
    path,
    responses: Object.fromEntries(responses),
    headers: Object.fromEntries(
      Object.entries(node.responses as Record<string, JsonObject>).map(([status, response]) => [
        status,
        Object.keys(objectAt(response, 'headers')).map((name) => name.toLowerCase()),
      ]),
    ),
    examples,
    bodyName: body?.name as string | undefined,
    body: body ? { node: body.schema as JsonObject, file } : undefined,
  };
}

export function load(file: string): JsonObject {
  let found = loaded.get(file);
  if (!found) loaded.set(file, (found = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as JsonObject));
  return found;
}

function objectAt(node: JsonObject, field: string): JsonObject {
  return (node[field] ?? {}) as JsonObject;
}

export function follow({ node, file }: Schema): Schema {
  if (typeof node.$ref !== 'string') return { node, file };
  const [path = '', pointer = ''] = node.$ref.split('#');
  const target = path === '' ? file : locate(path, file);
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<Json>((at, key) => (at as JsonObject)[key] ?? null, load(target));
  if (found === null) throw new Error(`${file}: ${node.$ref} leads nowhere`);
  return follow({ node: found as JsonObject, file: target });
}

/** The common types stand two folders above a service's own here, higher up where they are published. */
function locate(path: string, file: string): string {
  const common = path.indexOf('common-types/');
  return common < 0 ? resolve(dirname(file), path) : resolve(dirname(file), '../..', path.slice(common));
}

/**
 * What of `value` the schema does not accept; empty: all is well. Fields that the schema does not know are let through.
 */
export function violations(value: Json | undefined, schema: Schema, place = '$'): string[] {
  const { node, file } = follow(schema);
  // Azure answers null for whatever optional has no value, and its clients take it so.
  if (value === undefined || value === null) return [];
  const found = (Array.isArray(node.allOf) ? node.allOf : []).flatMap((part) =>
    violations(value, { node: part as JsonObject, file }, place),
  );
  found.push(...kindViolations(value, node, place), ...enumViolations(value, node, place));
  if (Array.isArray(value) && node.items)
    value.forEach((entry, i) =>
      found.push(...violations(entry, { node: node.items as JsonObject, file }, `${place}[${i}]`)),
    );
  if (typeof value === 'object' && !Array.isArray(value)) found.push(...fieldViolations(value, { node, file }, place));
  return found;
}

function kindViolations(value: Json, node: JsonObject, place: string): string[] {
  const kinds: Record<string, (one: Json) => boolean> = {
    object: (one) => typeof one === 'object' && !Array.isArray(one),
    array: Array.isArray,
    string: (one) => typeof one === 'string',
    boolean: (one) => typeof one === 'boolean',
    number: (one) => typeof one === 'number',
    integer: Number.isInteger,
  };
  const test = typeof node.type === 'string' ? kinds[node.type] : undefined;
  const found =
    test && !test(value) ? [`${place}: expected ${JSON.stringify(node.type)}, got ${JSON.stringify(value)}`] : [];
  if (node.format === 'date-time' && typeof value === 'string' && Number.isNaN(Date.parse(value)))
    found.push(`${place}: '${value}' is no date`);
  return found;
}

function enumViolations(value: Json, node: JsonObject, place: string): string[] {
  if (!Array.isArray(node.enum) || typeof value !== 'string') return [];
  const known = node.enum.map((one) => (one as string).toLowerCase());
  return known.includes(value.toLowerCase()) ? [] : [`${place}: '${value}' is none of ${known.join(', ')}`];
}

function fieldViolations(value: JsonObject, { node, file }: Schema, place: string): string[] {
  const found = ((node.required ?? []) as string[])
    .filter((field) => value[field] === undefined || value[field] === null)
    // What is secret is required of a client, and never shown to it.
    .filter((field) => objectAt(objectAt(node, 'properties'), field)['x-ms-secret'] !== true)
    .map((field) => `${place}.${field}: required, and not there`);
  const properties = objectAt(node, 'properties');
  for (const [field, entry] of Object.entries(value)) {
    const own = properties[field];
    if (own) found.push(...violations(entry, { node: own as JsonObject, file }, `${place}.${field}`));
    else if (
      typeof node.additionalProperties === 'object' &&
      node.additionalProperties !== null &&
      !Array.isArray(node.additionalProperties)
    )
      found.push(...violations(entry, { node: node.additionalProperties, file }, `${place}.${field}`));
  }
  return [...found, ...subtypeViolations(value, { node, file }, place)];
}

/** A schema with a discriminator stands for its subtypes: the one whose value the body has must hold. */
function subtypeViolations(value: JsonObject, { node, file }: Schema, place: string): string[] {
  const field = node.discriminator;
  const chosen = typeof field === 'string' ? value[field] : undefined;
  if (typeof chosen !== 'string') return [];
  const definitions = objectAt(load(file), 'definitions');
  const entry = Object.values(definitions).find((one) => {
    const candidate = one as JsonObject;
    const bases = (candidate.allOf ?? []) as JsonObject[];
    return (
      candidate['x-ms-discriminator-value'] === chosen &&
      bases.some((base) => follow({ node: base, file }).node === node)
    );
  }) as JsonObject | undefined;
  if (!entry) return [];
  // Its own part only: what it has from the base has been looked at, and would come back here.
  const parts = ((entry.allOf ?? []) as JsonObject[]).filter((base) => follow({ node: base, file }).node !== node);
  const { allOf: _, ...own } = entry;
  return [own, ...parts].flatMap((part) => violations(value, { node: part, file }, place));
}
