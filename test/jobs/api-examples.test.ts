/**
 * Holds the rewriting against Azure's own description of jobs (api 2024-04-01): its examples, and a job of each kind
 * with every field there is. The folder is found by AZURE_SPECS, or beside the project; without it these tests are
 * skipped.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/azure/azure.ts';
import type { ReferenceMapping } from '../../src/azure/ids.ts';
import { isObject } from '../../src/azure/body/json.ts';
import { jobTypes, type RawJob } from '../../src/workspace/jobs/job.ts';
import { rewriteSpec } from '../../src/jobs/spec/rewrite-spec.ts';
import { east, eastId, west, westId } from './scene.ts';

const specs = process.env['AZURE_SPECS'] ?? resolve(import.meta.dirname, '../../../shared/azure-specs');
const folder = join(specs, 'machinelearning/2024-04-01');
const found = existsSync(join(folder, 'mfe.json'));
if (!found) process.stderr.write(`skipped: no API descriptions at ${folder}\n`);

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
const mapping: ReferenceMapping = { from: east, to: west, compute: {}, storage: [] };
const same: ReferenceMapping = { ...mapping, to: east };

/** `a.b[0].c` → value, for every leaf. */
function leaves(value: Json, place: string): Map<string, Json> {
  const all = new Map<string, Json>();
  const walk = (each: Json, at: string): void => {
    if (Array.isArray(each)) each.forEach((item, index) => walk(item, `${at}[${index}]`));
    else if (isObject(each)) Object.entries(each).forEach(([key, item]) => walk(item, `${at}.${key}`));
    else all.set(at, each);
  };
  walk(value, place);
  return all;
}

function without(all: Map<string, Json>, stripped: string[]): Map<string, Json> {
  const gone = (place: string) => stripped.some((each) => place === each || place.startsWith(`${each}.`));
  return new Map([...all].filter(([place]) => !gone(place)));
}

const readOnly = /^properties\.(status|parameters|sourceJobId|services\.[^.]+\.(endpoint|status|errorMessage))$/;

function examples(): [string, RawJob][] {
  const jobs = join(folder, 'examples/Job');
  return readdirSync(jobs, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('get.json') || file.endsWith('createOrUpdate.json') || file.endsWith('list.json'))
    .flatMap((file) => jobsIn(read(join(jobs, file)), file));
}

function jobsIn(example: JsonObject, file: string): [string, RawJob][] {
  const bodies: Json[] = [];
  const { parameters, responses } = example as {
    parameters: JsonObject;
    responses: Record<string, { body?: JsonObject }>;
  };
  if (parameters['body']) bodies.push(parameters['body']);
  for (const { body } of Object.values(responses))
    bodies.push(...(Array.isArray(body?.['value']) ? body['value'] : body ? [body] : []));
  return bodies.map((body, index) => [`${file} ${index + 1}`, body as unknown as RawJob]);
}

describe.skipIf(!found)("Azure's examples of jobs", () => {
  const all = found ? examples() : [];
  it('are found, of every kind that has any', () => {
    expect(new Set(all.map(([, job]) => job.properties['jobType']))).toEqual(
      new Set(['AutoML', 'Command', 'Pipeline', 'Sweep']),
    );
  });
  it.each(all)(
    '%s comes through a rewriting to the same workspace as it was, but for what is read-only',
    (_file, job) => {
      const { properties, changes, unmapped, stripped } = rewriteSpec(job, { mapping: same });
      expect(changes).toEqual([]);
      expect(unmapped).toEqual([]);
      expect(stripped.filter((place) => !readOnly.test(place))).toEqual([]);
      expect(leaves(properties, 'properties')).toEqual(without(leaves(job.properties, 'properties'), stripped));
    },
  );
});

interface Schema {
  $ref?: string;
  type?: string;
  enum?: string[];
  discriminator?: string;
  'x-ms-discriminator-value'?: string;
  readOnly?: boolean;
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
}

/** Makes values with every writable field that a definition has, each reference pointing into the old workspace. */
class Filler {
  readonly #definitions: Record<string, Schema>;
  constructor(definitions: Record<string, Schema>) {
    this.#definitions = definitions;
  }

  job(type: string): JsonObject {
    return this.#value({ $ref: `#/definitions/${type}Job` }, '', []) as JsonObject;
  }

  #value(schema: Schema, key: string, seen: string[]): Json {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      const definition = this.#definitions[name];
      if (!definition || seen.filter((each) => each === name).length > 1) return {};
      const concrete = definition.discriminator === undefined ? name : this.#firstOf(name);
      return this.#value(this.#definitions[concrete] ?? definition, key, [...seen, name, concrete]);
    }
    if (schema.enum) return schema.enum[0] ?? '';
    if (schema.type === 'array') return [this.#value(schema.items ?? {}, key, seen)];
    if (schema.type === 'integer' || schema.type === 'number') return 7;
    if (schema.type === 'boolean') return true;
    if (schema.type === 'string') return text(key);
    const fields = Object.entries(this.#fields(schema)).filter(([, field]) => field.readOnly !== true);
    const filled = Object.fromEntries(
      fields.map(([name, field]): [string, Json] => [name, this.#value(field, name, seen)]),
    );
    if (schema.additionalProperties) filled['an-entry'] = this.#value(schema.additionalProperties, key, seen);
    if (key === 'jobs') filled['a-node'] = node;
    return filled;
  }

  /** A kind of what has kinds: the one of folders for inputs and outputs, else the first. */
  #firstOf(base: string): string {
    const kinds = Object.keys(this.#definitions).filter(
      (name) => this.#inherits(name, base) && this.#definitions[name]?.['x-ms-discriminator-value'],
    );
    return (
      kinds.find((name) => name.startsWith('UriFolder') || name === 'Classification' || name === 'ManagedIdentity') ??
      kinds[0] ??
      base
    );
  }

  #inherits(name: string, base: string): boolean {
    return (this.#definitions[name]?.allOf ?? []).some(({ $ref }) => {
      const parent = $ref?.split('/').at(-1) ?? '';
      return parent === base || this.#inherits(parent, base);
    });
  }

  #fields(schema: Schema): Record<string, Schema> {
    const inherited = (schema.allOf ?? []).map(({ $ref }) =>
      this.#fields(this.#definitions[$ref?.split('/').at(-1) ?? ''] ?? {}),
    );
    const own: Record<string, Schema> = { ...Object.assign({}, ...inherited), ...schema.properties };
    const kind = schema['x-ms-discriminator-value'];
    const by = kind === undefined ? undefined : this.#discriminatorOf(schema);
    return by === undefined ? own : { ...own, [by]: { enum: [kind ?? ''] } };
  }

  #discriminatorOf(schema: Schema): string | undefined {
    if (schema.discriminator !== undefined) return schema.discriminator;
    for (const { $ref } of schema.allOf ?? []) {
      const parent = this.#definitions[$ref?.split('/').at(-1) ?? ''];
      const by = parent && this.#discriminatorOf(parent);
      if (by !== undefined) return by;
    }
    return undefined;
  }
}

const uri = `azureml://subscriptions/${east.subscriptionId}/resourcegroups/${east.resourceGroup}/workspaces/${east.name}/datastores/d/paths/p/`;
const node = {
  type: 'command',
  componentId: `${eastId}/components/c/versions/1`,
  computeId: `${eastId}/computes/c`,
  inputs: { i: { job_input_type: 'uri_folder', uri } },
};

function text(key: string): string {
  const ids: Record<string, string> = {
    computeId: `${eastId}/computes/c`,
    componentId: `${eastId}/components/c/versions/1`,
    codeId: `${eastId}/codes/c/versions/1`,
    environmentId: `${eastId}/environments/e/versions/1`,
    sourceJobId: `${eastId}/jobs/j`,
    uri,
    jars: uri,
    files: uri,
    pyFiles: uri,
    archives: uri,
  };
  return ids[key] ?? `some ${key}`;
}

describe.skipIf(!found)('a job with every field that Azure knows', () => {
  const filler = found
    ? new Filler(read(join(folder, 'mfe.json'))['definitions'] as unknown as Record<string, Schema>)
    : undefined;

  it.each(jobTypes)('%s: every field arrives, and none names the old workspace', (type) => {
    const properties = filler?.job(type) ?? {};
    const before = leaves(properties, 'properties');
    expect(properties['jobType']).toBe(type);
    expect(before.size).toBeGreaterThan(20);
    const moved = rewriteSpec({ id: '', name: 'j', type: '', properties }, { mapping });
    const { changes, unmapped, stripped } = moved;
    const after = leaves(moved.properties, 'properties');
    // Its identity is of the old region: the only thing that has no counterpart.
    expect(unmapped.map(({ place }) => place)).toEqual(['properties.identity']);
    expect(stripped.filter((place) => !readOnly.test(place))).toEqual([]);
    expect([...after.keys()]).toEqual([...without(before, stripped).keys()]);
    const named = [...before.values()].filter(
      (value) => typeof value === 'string' && (value.startsWith(eastId) || value === uri),
    );
    expect(changes.length).toBe(named.length - (stripped.includes('properties.sourceJobId') ? 1 : 0));
    expect([...after.values()].filter((value) => typeof value === 'string' && value.includes(east.name))).toEqual([]);
    const untouched = [...after].filter(([place]) => !changes.some((change) => change.place === place));
    for (const [place, value] of untouched) expect(value, place).toEqual(before.get(place));
    expect(JSON.stringify(moved.properties)).toContain(westId);
  });
});
