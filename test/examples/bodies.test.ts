/**
 * The loader makes of each YAML file of the example what Azure's own Python client makes of it. `fixtures/make.py`
 * wrote what is compared with: bodies before references are resolved, so here references resolve to their own names.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { snapshotHash, uploadHash } from '../../examples/loader/content-hash.ts';
import { convertJob } from '../../examples/loader/convert-job.ts';
import { CommandComponent, toComponentSpec } from '../../examples/loader/assets/component.ts';
import { Environment, Model, toEnvironment, toModel } from '../../examples/loader/assets/registered.ts';
import { parseContent, readDocument, type Document } from '../../examples/loader/documents.ts';
import { isObject, type Json, type JsonObject } from '../../examples/loader/json.ts';
import { type References } from '../../examples/loader/references.ts';
import { Compute, toCompute } from '../../examples/loader/resources/compute.ts';
import { Connection, toConnection } from '../../examples/loader/resources/connection.ts';
import { BlobDatastore, toDatastore } from '../../examples/loader/resources/datastore.ts';
import { Deployment, Endpoint, toDeployment, toEndpoint } from '../../examples/loader/resources/endpoint.ts';
import { Schedule, toSchedule } from '../../examples/loader/resources/schedule.ts';
import { parseJob } from '../../examples/loader/workspace-files.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/fraud-ml');
const REFERENCE = join(import.meta.dirname, 'fixtures');

const plain = (reference: string) => reference.replace(/^azureml:(?!\/\/)/u, '');
const names: References = {
  code: async (reference) => reference,
  environment: async (reference) => plain(reference),
  model: async (reference) => plain(reference),
  component: async (reference) => ({ id: plain(reference), outputTypes: {} }),
  anonymousComponent: async () => 'anonymous',
  compute: plain,
  datastore: plain,
  inputUri: async (_, path) => plain(path),
};

async function open(file: string): Promise<Document> {
  const document = await readDocument(join(EXAMPLE, file), file);
  if (document === undefined) throw new Error(`${file} has no $schema of Azure ML`);
  return document;
}

function reference(file: string): JsonObject {
  return JSON.parse(readFileSync(join(REFERENCE, 'bodies', file), 'utf8')) as JsonObject;
}

/** Without what says nothing (null, empty), and with every number as text where the other side may write text. */
function said(value: Json): Json {
  if (Array.isArray(value)) return value.map(said);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, said(item)]);
  return Object.fromEntries(
    entries.filter(([, item]) => item !== null && !(isObject(item) && Object.keys(item).length === 0)),
  );
}

/** The body without the fields at these paths: where the two differ for a reason, said beside each use. */
function without(body: JsonObject, ...paths: string[]): JsonObject {
  const copy = structuredClone(body);
  for (const path of paths) {
    const parts = path.split('.');
    const last = parts.pop() ?? '';
    let place: Json | undefined = copy;
    for (const part of parts) place = isObject(place) ? place[part] : undefined;
    if (isObject(place)) delete place[last];
  }
  return copy;
}

async function jobBody(file: string): Promise<JsonObject> {
  const document = await open(file);
  return { properties: await convertJob(parseJob(document), document.path, names) };
}

describe('jobs as the Python client sends them', () => {
  it.each(['baseline', 'train-running', 'rescore-queued', 'explore-interactive', 'sweep', 'features-spark'])(
    '%s',
    async (name) => {
      const expected = without(reference(`jobs-${name}.json`), 'name');
      expect(said(await jobBody(`jobs/${name}.yml`))).toEqual(said(expected));
    },
  );

  it('automl, but for fields of previews and the type of an output that the client forgets', async () => {
    const later = ['sweepConcurrentTrials', 'sweepTrials'].map(
      (name) => `properties.taskDetails.limitSettings.${name}`,
    );
    const output = 'properties.outputs.best_model.jobOutputType';
    const body = await jobBody('jobs/automl.yml');
    expect(said(without(body, output))).toEqual(said(without(reference('jobs-automl.json'), 'name', output, ...later)));
    expect(body).toHaveProperty(output, 'mlflow_model');
  });

  it('pipeline, but for the ids of components that are registered on the way', async () => {
    const ids = ['train', 'score'].map((step) => `properties.jobs.${step}.componentId`);
    const expected = without(reference('jobs-pipeline.json'), 'name', ...ids);
    expect(said(without(await jobBody('jobs/pipeline.yml'), ...ids))).toEqual(said(expected));
  });
});

describe('what is around the jobs', () => {
  it.each(['prepare', 'train'])('component %s, but for where its code was', async (name) => {
    const document = await open(`components/${name}.yml`);
    const spec = await toComponentSpec(parseContent(document, CommandComponent), document.path, names);
    const expected = reference(`components-${name}.json`);
    const bare =
      isObject(expected.properties) && isObject(expected.properties.componentSpec)
        ? expected.properties.componentSpec
        : {};
    expect(spec.code).toMatch(/^azureml:\.\.\/src\//u);
    expect(said(without(spec, 'code'))).toEqual(said(without(bare, 'code')));
  });

  it.each(['cpu-cluster', 'gpu-cluster', 'notebook-ana'])('compute %s, but for fields of previews', async (name) => {
    const body = toCompute(parseContent(await open(`computes/${name}.yml`), Compute), 'eastus');
    const later = ['enableSSO', 'enableRootAccess', 'releaseQuotaOnStop', 'enableOSPatching'];
    const expected = without(
      reference(`computes-${name}.json`),
      ...later.map((field) => `properties.properties.${field}`),
    );
    expect(said(without(body, 'location'))).toEqual(said(expected));
    expect(body.location).toBe('eastus');
  });

  it('datastore, connection, endpoint, deployment', async () => {
    expect(said(toDatastore(parseContent(await open('datastores/features.yml'), BlobDatastore)))).toEqual(
      said(reference('datastores-features.json')),
    );
    expect(said(toConnection(parseContent(await open('connections/python-feed.yml'), Connection)))).toEqual(
      said(reference('connections-python-feed.json')),
    );
    const endpoint = parseContent(await open('endpoints/fraud-score.yml'), Endpoint);
    expect(said(toEndpoint(endpoint, 'eastus', endpoint.traffic))).toEqual(
      said(reference('endpoints-fraud-score.json')),
    );
    const document = await open('endpoints/fraud-score-blue.yml');
    const deployment = await toDeployment(parseContent(document, Deployment), 'eastus', document.path, names);
    expect(said(deployment)).toEqual(said(reference('endpoints-fraud-score-blue.json')));
  });

  it('environment: its conda file as it is written, which says the same', async () => {
    const environment = parseContent(await open('environments/sklearn.yml'), Environment);
    const text = readFileSync(join(EXAMPLE, 'environments/sklearn-conda.yml'), 'utf8');
    const body = toEnvironment(environment, text);
    const expected = reference('environments-sklearn.json');
    const conda = isObject(expected.properties) ? expected.properties.condaFile : undefined;
    if (typeof conda !== 'string') throw new Error('the reference has no conda file');
    expect(parse(text)).toEqual(parse(conda));
    expect(said(without(body, 'properties.condaFile', 'properties.osType'))).toEqual(
      said(without(expected, 'properties.condaFile')),
    );
  });

  it('model, once uploaded', async () => {
    const model = parseContent(await open('model/model.yml'), Model);
    expect(said(toModel(model, 'EXAMPLE/model/fraud-classifier'))).toEqual(said(reference('model-model.json')));
  });

  it('schedule, with the whole job in it', async () => {
    const schedule = parseContent(await open('schedules/nightly.yml'), Schedule);
    const job = await jobBody('jobs/pipeline.yml');
    const body = toSchedule(schedule, job.properties as JsonObject);
    const steps = ['train', 'score'].map((step) => `properties.action.jobDefinition.jobs.${step}.componentId`);
    const start = 'properties.trigger.startTime';
    expect(said(without(body, 'properties.isEnabled', start, ...steps))).toEqual(
      said(without(reference('schedules-nightly.json'), start, ...steps)),
    );
    expect(body).toHaveProperty(start, '2026-01-05T00:00:00');
  });
});

describe('fingerprints of local content', () => {
  const hashes = JSON.parse(readFileSync(join(REFERENCE, 'hashes.json'), 'utf8')) as Record<
    string,
    { upload: string; snapshot: string }
  >;

  it.each(['hashed', 'hashed/alpha.py'])('%s, as the Python client has it', async (path) => {
    const local = join(REFERENCE, path);
    const expected = hashes[relative(join(local, '..'), local)];
    expect(await uploadHash(local)).toBe(expected?.upload);
    expect(await snapshotHash(local)).toBe(expected?.snapshot);
  });
});
