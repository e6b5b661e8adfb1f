/** Wrong input is told by file, line and what should be, before anything is written. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeData, uniform } from '../../examples/fraud-ml/data/make-data.ts';
import { isoDuration } from '../../examples/loader/fields.ts';
import { parseIgnore } from '../../examples/loader/ignore-file.ts';
import { firstDifference, includes } from '../../examples/loader/json.ts';
import { LoadError } from '../../examples/loader/load-error.ts';
import { localPaths } from '../../examples/loader/local-path.ts';
import { longUri, parseReference } from '../../examples/loader/scope.ts';
import { readSettings } from '../../examples/loader/settings.ts';
import { readSimulation, refuseUnknownJobs, simulatedProperties } from '../../examples/loader/simulation.ts';
import { readWorkspaceFiles, type WorkspaceFiles } from '../../examples/loader/workspace-files.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/fraud-ml');
const VARIABLES = { FRAUD_PYTHON_FEED_PAT: 'canary-pat' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-example-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function copied(): Promise<string> {
  const copy = join(folder, 'workspace');
  await cp(EXAMPLE, copy, { recursive: true, filter: (path) => !path.includes('generated') });
  await makeData({ out: join(copy, 'data/generated'), megabytes: 0.01, files: 2, smallFiles: 2, seed: 7 });
  return copy;
}

function read(copy: string, variables: Record<string, string> = VARIABLES): Promise<WorkspaceFiles> {
  return readWorkspaceFiles(copy, ['clients'], variables, localPaths(copy, undefined));
}

async function edit(copy: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(copy, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(copy, file), text.replace(from, to));
}

async function refusal(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LoadError);
  return (error as LoadError).message;
}

describe('the example', () => {
  it('is read whole, each file by its kind, and the config files of clients are not taken for it', async () => {
    const files = await read(await copied());
    const counts = Object.fromEntries(Object.entries(files).map(([kind, all]) => [kind, all.length]));
    expect(counts).toEqual({
      datastores: 1,
      connections: 1,
      computes: 3,
      environments: 2,
      data: 5,
      models: 1,
      components: 2,
      jobs: 8,
      schedules: 1,
      endpoints: 1,
      deployments: 1,
    });
    expect(new Set(files.jobs.map(({ content }) => content.type))).toEqual(
      new Set(['command', 'sweep', 'pipeline', 'automl', 'spark']),
    );
    expect(files.connections[0]?.content.credentials).toEqual({ type: 'pat', pat: 'canary-pat' });
  });

  it('has a simulation for jobs that it has', async () => {
    const files = await read(await copied());
    const simulation = await readSimulation('simulation.yml', EXAMPLE);
    refuseUnknownJobs(
      simulation,
      files.jobs.map(({ content }) => content.content.name ?? ''),
    );
    expect(simulatedProperties(simulation, 'fraud-train-2025q4')).toMatchObject({
      'simulator.runSeconds': '86400',
      'simulator.checkpointEverySeconds': '5',
    });
    expect(() => refuseUnknownJobs({ 'no-such-job': {} }, ['fraud'])).toThrow('no job named "no-such-job"');
  });
});

describe('refusals', () => {
  it.each([
    [
      'jobs/sweep.yml',
      'primary_metric: loss',
      'primary_metrics: loss',
      'jobs/sweep.yml:23: objective: Unrecognized key: "primary_metrics"',
    ],
    ['jobs/baseline.yml', 'mode: ro_mount', 'mode: mounted', 'jobs/baseline.yml:18: inputs.transactions.mode: '],
    ['jobs/baseline.yml', 'compute:', 'computer:', 'Unrecognized key: "computer"'],
    [
      'computes/cpu-cluster.yml',
      'max_instances: 4',
      'max_instances: four',
      'max_instances: Invalid input: expected number, received string, got "four"',
    ],
    ['computes/cpu-cluster.yml', 'amlCompute.schema', 'kubernetesCompute.schema', 'got "kubernetesCompute"'],
    ['jobs/automl.yml', 'task: classification', 'task: forecasting', 'got "forecasting"'],
    ['model/model.yml', 'path: fraud-classifier', 'path: fraud-classifiers', 'model/model.yml:5: path: there is no "'],
    ['environments/sklearn.yml', 'sklearn-conda.yml', 'conda.yml', 'conda_file: there is no "'],
    ['data/transactions-v2.yml', 'version: 2', 'version: 1', 'data transactions:1 is in data/transactions-v1.yml too'],
    ['jobs/pipeline.yml', 'inputs:', 'inputs: [', 'not valid YAML'],
  ])('%s: %s → %s', async (file, from, to, message) => {
    const copy = await copied();
    await edit(copy, file, from, to);
    expect(await refusal(read(copy))).toContain(message);
  });

  it('names the variable that is not set, and where it is wanted', async () => {
    expect(await refusal(read(await copied(), {}))).toBe(
      'connections/python-feed.yml:8: credentials.pat: the environment variable FRAUD_PYTHON_FEED_PAT is not set',
    );
  });

  it('says how to make data that is not there', async () => {
    const copy = await copied();
    await rm(join(copy, 'data/generated'), { recursive: true });
    expect(await refusal(read(copy))).toMatch(/device-events\.yml:6: path: there is no .*make the data first/u);
  });

  it('a folder with nothing in it, and one that is not there', async () => {
    expect(await refusal(read(folder))).toContain('no Azure Machine Learning YAML');
    expect(await refusal(read(join(folder, 'nowhere')))).toContain('cannot read the folder');
  });

  it('of the command line', () => {
    const azure = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's' };
    const args = ['--folder', 'f', '--subscription', 's', '--resource-group', 'r', '--workspace', 'w'];
    expect(readSettings(args, azure)?.azure).toMatchObject({
      armEndpoint: 'https://management.azure.com',
      scope: 'https://management.azure.com/.default',
      authorityHost: 'https://login.microsoftonline.com',
    });
    expect(() => readSettings(args, {})).toThrow('AZURE_TENANT_ID is not set');
    expect(() => readSettings(args.slice(2), azure)).toThrow('--folder is missing');
    expect(() => readSettings(['--unknown'], azure)).toThrow("Unknown option '--unknown'");
    expect(readSettings(['--help'], {})).toBeUndefined();
    expect(readSettings([...args, '--skip', 'jobs', '--skip', 'src'], azure)?.skip).toEqual(['clients', 'jobs', 'src']);
  });
});

describe('small rules', () => {
  it('data: the same bytes for the same seed, of the size asked for', async () => {
    const options = { megabytes: 0.2, files: 4, smallFiles: 3, seed: 11 };
    const made = await makeData({ ...options, out: join(folder, 'one') });
    await makeData({ ...options, out: join(folder, 'two') });
    const file = 'transactions/2025-q4/transactions-4.csv';
    const [one, two] = await Promise.all(['one', 'two'].map((name) => readFile(join(folder, name, file), 'utf8')));
    expect(one).toBe(two);
    expect(made.files).toBe(8);
    expect(made.bytes).toBeGreaterThan(200_000);
    expect(made.bytes).toBeLessThan(250_000);
    expect(
      one
        ?.split('\n')
        .slice(1, -1)
        .every((row) => row.split(',').length === 10),
    ).toBe(true);
    const [first, second] = [uniform(1)(), uniform(2)()];
    expect(first).not.toBe(second);
  });

  it('durations', () => {
    expect([0, 1, 90, 3600, 5400, 86400, 90061, 2.5].map(isoDuration)).toEqual([
      'PT0S',
      'PT1S',
      'PT1M30S',
      'PT1H',
      'PT1H30M',
      'P1D',
      'P1DT1H1M1S',
      'PT2.5S',
    ]);
  });

  it('references and uris', () => {
    expect(parseReference('azureml:model:4')).toEqual({ name: 'model', version: '4' });
    expect(parseReference('azureml:model@latest')).toEqual({ name: 'model', label: 'latest' });
    expect(parseReference('azureml://registries/r/models/m/versions/1')).toBeUndefined();
    const scope = { subscriptionId: 's', resourceGroup: 'g', workspace: 'w' };
    expect(longUri(scope, 'azureml://datastores/d/paths/a/b/')).toBe(
      'azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a/b/',
    );
    expect(longUri(scope, 'azureml:x:1')).toBe('azureml:x:1');
  });

  it('ignore files', () => {
    const ignored = parseIgnore('*.log\nbuild/\n/top.txt\n!keep.log\ndocs/**/*.md\n');
    const paths = [
      'a.log',
      'x/a.log',
      'keep.log',
      'build/x',
      'x/build/y',
      'building',
      'top.txt',
      'x/top.txt',
      'docs/a/b.md',
      'docs/b.md',
    ];
    expect(paths.filter(ignored)).toEqual([
      'a.log',
      'x/a.log',
      'build/x',
      'x/build/y',
      'top.txt',
      'docs/a/b.md',
      'docs/b.md',
    ]);
  });

  it('comparing what is there with what is wanted', () => {
    const id = '/subscriptions/A/resourceGroups/b';
    expect(includes({ a: 1, b: 2, id: id.toLowerCase() }, { a: '1', id })).toBe(true);
    expect(includes({ a: [1, 2] }, { a: [1] })).toBe(false);
    expect(firstDifference({ p: { a: 1, b: 2 } }, { p: { a: 1, b: 3 } })).toBe('p.b');
    expect(firstDifference({ p: {} }, { p: { gone: null } })).toBeUndefined();
  });
});
