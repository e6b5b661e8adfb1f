/**
 * The bodies that Azure publishes for PUT and POST, as `body-shapes.json` has them. Run it to write that file anew from
 * the published descriptions: `node test/simulator/machinelearning/published-bodies.ts`. A test holds the one to the
 * other.
 */

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Shapes } from '../../../simulator/machinelearning/bodies/body-shapes.ts';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { findDescriptions, follow, load, loadOperations, type Schema } from './api-description.ts';

/** Registries are not offered. */
const LEFT_OUT = /\/registries(\/|$)/;

/** Azure adds to these with nearly every version of its API: any text is let through. */
const OPEN_WORDS = ['ConnectionCategory', 'DataType'];

/** Words of later versions of the API, which clients of today send. */
const LATER_WORDS: Record<string, string[]> = {
  DistributionType: ['Ray'],
  ScheduleActionType: ['ImportData'],
};

/** Values whose texts may be written as numbers or flags, as those of tags may. */
const WRITTEN_PLAINLY = ['LiteralJobInput.value'];

/** What the envelope writes, and a client need not send: of these definitions, these fields. */
const RESOURCES = ['Resource', 'ProxyResource', 'TrackedResource'];
const ENVELOPE = ['id', 'name', 'type', 'systemData'];

const FORMATS: Record<string, string> = { duration: 'duration', 'date-time': 'time' };
const PLAIN: Record<string, string> = { integer: 'whole', number: 'number', boolean: 'flag' };

/** A shape that is being read: type by field. */
interface Reading {
  bodies: Record<string, string>;
  shapes: Record<string, Record<string, string>>;
}

/** The table of shapes, as the descriptions in `folder` give it. */
export function shapesIn(folder: string): Shapes {
  const table: Reading = { bodies: {}, shapes: {} };
  for (const { id, method, path, body } of loadOperations(folder)) {
    const below = path.split('Microsoft.MachineLearningServices/')[1] ?? '';
    if (!body || !/^(PUT|POST)$/.test(method) || LEFT_OUT.test(`/${below}`)) continue;
    if (/\/(locations|datareferences)\//.test(`/${below}`)) continue;
    const segments = below.split('/').filter((_, i) => i % 2 === 0 || method === 'POST');
    const type = segments.filter((segment) => !segment.startsWith('{')).join('/');
    table.bodies[type] = define(table, body, id);
  }
  const lines = Object.entries(table.shapes).map(([name, fields]) => [
    name,
    Object.entries(fields)
      .map(([field, type]) => `${field}:${type}`)
      .join(' '),
  ]);
  return { bodies: table.bodies, shapes: Object.fromEntries(lines) as Shapes['shapes'] };
}

/** Writes the shape of a schema into the table, with all that it refers to; answers its name. */
function define(table: Reading, schema: Schema, place: string): string {
  const { node, file } = follow(schema);
  const name = nameOf(schema) ?? place;
  if (table.shapes[name]) return name;
  const shape: Record<string, string> = (table.shapes[name] = {});
  writeFields(table, shape, { node, file }, name);
  if (typeof node.discriminator !== 'string') return name;
  for (const [value, kind] of kindsOf(node, file))
    shape[`${node.discriminator}=${value}`] = `@${define(table, kind, `${name}.${value}`)}`;
  return name;
}

function writeFields(table: Reading, shape: Record<string, string>, { node, file }: Schema, name: string): void {
  for (const base of (node.allOf ?? []) as JsonObject[]) {
    const found = follow({ node: base, file });
    writeFields(table, shape, found, nameOf({ node: base, file }) ?? name);
    // Where a kind is asked for by itself, it has its own word.
    const { discriminator } = found.node;
    if (typeof discriminator === 'string')
      shape[`${discriminator}!`] = `=${node['x-ms-discriminator-value'] as string}`;
  }
  const required = (node.required ?? []) as string[];
  for (const [field, own] of Object.entries((node.properties ?? {}) as Record<string, JsonObject>)) {
    const isFilled = own.readOnly === true || follow({ node: own, file }).node.readOnly === true;
    if (isFilled || (RESOURCES.includes(name) && ENVELOPE.includes(field))) continue;
    shape[required.includes(field) ? `${field}!` : field] = wordOf(table, { node: own, file }, `${name}.${field}`);
  }
}

function wordOf(table: Reading, schema: Schema, place: string): string {
  const { node, file } = follow(schema);
  if (Array.isArray(node.enum)) {
    const name = (node['x-ms-enum'] as { name?: string } | undefined)?.name ?? '';
    const words = [...(node.enum as string[]), ...(LATER_WORDS[name] ?? [])];
    return OPEN_WORDS.includes(name) ? 'text' : `=${words.join('|')}`;
  }
  if (WRITTEN_PLAINLY.includes(place)) return 'plain';
  if (node.type === 'string') return FORMATS[node.format as string] ?? 'text';
  if (typeof node.type === 'string' && PLAIN[node.type]) return PLAIN[node.type] ?? '';
  if (node.type === 'array') return `[]${wordOf(table, { node: node.items as JsonObject, file }, place)}`;
  if (node.properties || node.allOf) return `@${define(table, schema, place)}`;
  const each: Json | undefined = node.additionalProperties;
  if (typeof each === 'object' && each !== null) return `{}${wordOf(table, { node: each as JsonObject, file }, place)}`;
  return node.type === 'object' ? 'object' : 'any';
}

/** The name of the definition that a schema refers to. */
function nameOf({ node }: Schema): string | undefined {
  return typeof node.$ref === 'string' ? basename(node.$ref) : undefined;
}

function kindsOf(base: JsonObject, file: string): [string, Schema][] {
  const definitions = load(file).definitions as Record<string, JsonObject>;
  return Object.entries(definitions).flatMap(([name, node]) => {
    const value = node['x-ms-discriminator-value'];
    const isKind = ((node.allOf ?? []) as JsonObject[]).some((one) => follow({ node: one, file }).node === base);
    return isKind && typeof value === 'string'
      ? [[value, { node: { $ref: `#/definitions/${name}` }, file }] as [string, Schema]]
      : [];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = findDescriptions();
  if (folder === undefined) throw new Error("no descriptions: AZURE_SPECS must name the folder of Azure's");
  writeFileSync(
    new URL('../../../simulator/machinelearning/bodies/body-shapes.json', import.meta.url),
    `${JSON.stringify(shapesIn(folder), null, 2)}\n`,
  );
}
