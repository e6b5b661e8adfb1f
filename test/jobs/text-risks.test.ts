/** What the texts of a job hold that would reach into the old region, or open nothing in the standby. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { rewriteSpec } from '../../src/jobs/spec/rewrite-spec.ts';
import { command, mapping as plain, scene } from './scene.ts';

const key = `${'Canary0123'.repeat(8)}abcdef==`;
const storage = [
  {
    account: 'eaststore',
    from: 'https://eaststore.blob.core.windows.net/',
    to: 'https://weststore.blob.core.windows.net/',
  },
  {
    account: 'lake',
    from: 'https://lake.blob.core.windows.net/',
    to: 'https://weststore.blob.core.windows.net/',
    kept: ['curated'],
  },
];
const mapping = { ...plain, storage };

function look(properties: JsonObject) {
  const { unmapped, warnings } = rewriteSpec(
    { id: '', name: 'j', type: '', properties: command({ inputs: {}, ...properties }) },
    { mapping },
  );
  const show = (all: typeof unmapped) => all.map(({ place, reason }) => `${place.slice(11)}: ${reason}`);
  expect(JSON.stringify([unmapped, warnings])).not.toContain('Canary');
  return { unmapped: show(unmapped), warnings: show(warnings) };
}
const variable = (value: string, name = 'V') => ({ environmentVariables: { [name]: value } });
const literal = (value: string) => ({ inputs: { i: { jobInputType: 'literal', value } } });
const ofEast = `DefaultEndpointsProtocol=https;AccountName=eaststore;AccountKey=${key};EndpointSuffix=core.windows.net`;

describe('a job is left for a person where its text', () => {
  it.each<[string, JsonObject, string]>([
    [
      'holds an account key',
      variable(key),
      'environmentVariables.V: it holds an account key, and nothing says of which account',
    ],
    [
      'sets an account key',
      { command: `KEY=${key} python x.py` },
      'command: it holds an account key, and nothing says of which account',
    ],
    [
      'holds a connection string',
      variable(ofEast),
      'environmentVariables.V: it holds a connection string of the old storage account "eaststore"',
    ],
    [
      'passes one',
      literal(ofEast),
      'inputs.i.value: it holds a connection string of the old storage account "eaststore"',
    ],
    [
      'sets the key of the account for Spark',
      { conf: { 'spark.hadoop.fs.azure.account.key.eaststore.dfs.core.windows.net': key } },
      'conf.spark.hadoop.fs.azure.account.key.eaststore.dfs.core.windows.net: it holds an account key of the old storage account "eaststore"',
    ],
    [
      'holds a signature alone',
      variable('sv=2024-01-01&sig=Canary01234567'),
      'environmentVariables.V: it holds a shared access signature, and nothing says of which account',
    ],
    [
      'names the old account',
      variable('eaststore'),
      'environmentVariables.V: it names the old storage account "eaststore"',
    ],
    [
      'names its host',
      { command: 'azcopy cp a eaststore.blob.core.windows.net/c' },
      'command: it names the old storage account "eaststore"',
    ],
    [
      'is the old group',
      variable('ML-East'),
      'environmentVariables.V: an environment variable names the old resource group "ml-east"',
    ],
    ['is the old group, as an input', literal('ml-east'), 'inputs.i.value: it names the old resource group "ml-east"'],
    [
      'gives the old group to an option',
      { command: 'az ml job list --resource-group ml-east' },
      'command: it names the old resource group "ml-east"',
    ],
    [
      'gives the old workspace to an option',
      { command: 'x --workspace-name=fraud-east' },
      'command: it names the old workspace "fraud-east"',
    ],
    [
      'names what else is in the old group',
      variable('/subscriptions/sub-1/resourceGroups/ml-east/providers/Microsoft.KeyVault/vaults/v'),
      'environmentVariables.V: an environment variable names the old resource group "ml-east"',
    ],
    [
      'holds an address of the old account in a node of a pipeline',
      { jobs: { n: { environment_variables: { OUT: '--to https://eaststore.blob.core.windows.net/c/x' } } } },
      'jobs.n.environment_variables.OUT: it stands within other text, which is not rewritten',
    ],
  ])('%s', (_what, properties, reason) => {
    expect(look(properties)).toEqual({ unmapped: [reason], warnings: [] });
  });
});

describe('a job is submitted, with a warning, where its text', () => {
  it.each<[string, JsonObject, string]>([
    [
      'opens another account',
      variable(ofEast.replace('eaststore', 'partner')),
      'environmentVariables.V: it holds a connection string of account "partner", as it is',
    ],
    [
      'opens an account that both sides read',
      variable(ofEast.replace('eaststore', 'lake')),
      'environmentVariables.V: it holds a connection string of account "lake", as it is',
    ],
    [
      'opens a message hub',
      variable('Endpoint=sb://hub/;SharedAccessKeyName=r;SharedAccessKey=Canary='),
      'environmentVariables.V: it holds a connection string of a message hub, as it is',
    ],
    [
      'has the name of the group as a word',
      { command: 'python ml-east.py' },
      'command: it names the old resource group "ml-east"',
    ],
  ])('%s', (_what, properties, reason) => {
    expect(look(properties)).toEqual({ unmapped: [], warnings: [reason] });
  });
});

describe('nothing is said of text that', () => {
  it.each<[string, JsonObject]>([
    ['takes its secret from a variable', { command: 'x "AccountName=eaststore2;AccountKey=$KEY" --sig=${{inputs.s}}' }],
    ['has a longer name', variable('ml-east-2 eaststore2 my-fraud-east')],
    ['names an account that both sides read', variable('lake')],
    ['holds a digest', variable('9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08')],
    ['is for people', { description: 'in ml-east', tags: { account: 'eaststore' } }],
  ])('%s', (_what, properties) => {
    expect(look(properties)).toEqual({ unmapped: [], warnings: [] });
  });
});

describe('what the service fills in', () => {
  const has = { computes: new Set(['gpu-west']), datastores: new Set(['workspaceblobstore']) };
  const move = (properties: JsonObject) =>
    rewriteSpec({ id: '', name: 'j', type: '', properties }, { mapping: { ...mapping, has } });

  it('stays, and the literal that it is filled with is moved', () => {
    const { properties, unmapped } = move({
      jobType: 'Pipeline',
      inputs: {
        compute_name: { jobInputType: 'literal', value: 'gpu-east' },
        other: { jobInputType: 'literal', value: 'gpu-east' },
      },
      jobs: {
        n: {
          computeId: '${{parent.inputs.compute_name}}',
          outputs: {
            o: { uri: 'azureml://datastores/${{default_datastore}}/paths/${{name}}' },
            p: {
              uri: 'azureml://datastores/${{default_datastore}}/paths/azureml/${{name}}/${{output_name}}/',
            },
          },
        },
      },
    });
    expect(unmapped).toEqual([]);
    expect(properties).toMatchObject({
      inputs: { compute_name: { value: 'gpu-west' }, other: { value: 'gpu-east' } },
      jobs: {
        n: {
          computeId: '${{parent.inputs.compute_name}}',
          outputs: { o: { uri: 'azureml://datastores/${{default_datastore}}/paths/${{name}}' } },
        },
      },
    });
  });

  it('does not hide a compute that the standby lacks', () => {
    const { unmapped } = move({
      inputs: { c: { jobInputType: 'literal', value: 'huge' } },
      jobs: { n: { computeId: '${{parent.inputs.c}}' } },
    });
    expect(unmapped).toEqual([
      { place: 'properties.inputs.c.value', value: 'huge', reason: 'the standby has no compute "huge"' },
    ]);
  });

  it.each(['serverless', 'azureml:serverless'])('a default compute "%s" is every workspace’s', (compute) => {
    const settings = { default_compute: compute, defaultCompute: compute };
    const { properties, unmapped, changes } = move({ jobType: 'Pipeline', settings });
    expect([properties['settings'], unmapped, changes]).toEqual([settings, [], []]);
  });
});

it('a warning is in the record of the job, and in the report', async () => {
  const made = scene();
  await made.addJob('train', command({ command: 'python fraud-east.py' }));
  const { lost, evidence } = await made.resubmit();
  expect(lost).toEqual([
    expect.stringMatching(
      /^job "train" of ana runs as "us-\w+": properties.command: it names the old workspace "fraud-east"; see /,
    ),
  ]);
  const records = await made.store.read<JsonObject[]>(evidence?.[0]?.blob ?? '');
  expect(records?.value[0]?.['warnings']).toEqual([
    { place: 'properties.command', value: 'fraud-east', reason: 'it names the old workspace "fraud-east"' },
  ]);
});
