/** What carried things refer to and the workspace does not have: each is named, with what refers to it. */
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/azure/azure.ts';
import { collectNeeded } from '../../src/inventory/needed.ts';
import { listAssets } from '../../src/inventory/list-assets.ts';
import { nameMissing } from '../../src/inventory/name-missing.ts';
import { imageReason, lostImages } from '../../src/inventory/own-registry.ts';
import { leftBehindList, showLeftBehind } from '../../src/recovery-point/drafts.ts';
import type { Heartbeat } from '../../src/run/work/heartbeat.ts';
import { jobOutputs } from '../../src/workspace/jobs/job-outputs.ts';
import { namedResources } from '../../src/inventory/named-resources.ts';
import { topologyOf } from '../topology/minimal.ts';
import { fakeArm } from '../fakes/arm.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { east, eastId } from '../jobs/scene.ts';

const signal = new AbortController().signal;
const heartbeat = { beat: () => Promise.resolve(), add: () => undefined } as unknown as Heartbeat;
const workspace = {
  ...east,
  guid: '11111111-2222-3333-4444-555555555555',
  location: 'eastus',
  associated: {},
};
const stores = {
  workspace,
  datastores: [
    {
      name: 'workspaceblobstore',
      type: 'AzureBlob',
      credentials: 'None',
      blob: { account: 'steast', container: 'blobs' },
    },
  ],
  shared: [],
  accounts: [{ name: 'steast', id: '/a', endpoint: 'https://steast.blob.core.windows.net/', own: true }],
};

interface Referring {
  assets?: Record<string, JsonObject>;
  jobs?: Record<string, JsonObject>;
  schedules?: Record<string, JsonObject>;
  deployments?: Record<string, JsonObject>;
}

/** All that is left behind of what these refer to, as people read it. */
async function leftBehindOf({ assets = {}, jobs = {}, schedules = {}, deployments = {} }: Referring) {
  const arm = fakeArm();
  const leftBehind = leftBehindList();
  arm.add(`${eastId}/environments/there`, { properties: {} });
  arm.add(`${eastId}/environments/there/versions/1`, { properties: { image: 'mcr.microsoft.com/x' } });
  arm.add(`${eastId}/jobs/there`, { properties: {} });
  for (const [path, properties] of Object.entries(assets)) {
    arm.add(`${eastId}/${path.split('/').slice(0, 2).join('/')}`, { properties: {} });
    arm.add(`${eastId}/${path.replace(/\/([^/]+)$/, '/versions/$1')}`, { properties });
  }
  const topology = topologyOf();
  const outputs = jobOutputs(arm, eastId, signal);
  const needed = collectNeeded(stores, outputs, topology.jobs.checkpoint, leftBehind);
  const listing = await listAssets({
    arm,
    workspace: eastId,
    store: fakeControlStore(),
    folder: 'f',
    selection: topology.artifacts,
    heartbeat,
    leftBehind,
    signal,
    onAsset: (line) => needed.asset(line),
  });
  for (const [name, properties] of Object.entries(schedules))
    await needed.other(properties, `schedules/${name}`, 'training');
  for (const [name, properties] of Object.entries(deployments))
    await needed.other(properties, `deployments/${name}`, 'inference');
  for (const [name, properties] of Object.entries(jobs))
    await needed.job({ id: `${eastId}/jobs/${name}`, name, type: '', properties });
  await listing.close(() => needed.takeReferences());
  await nameMissing({
    arm,
    workspace: eastId,
    leftBehind,
    references: needed.named(),
    has: { computes: ['gpu'], datastores: ['workspaceblobstore'], endpoints: ['score'] },
    signal,
  });
  return leftBehind.all();
}

const id = (path: string) => `${eastId}/${path}`;
const job = (more: JsonObject): JsonObject => ({
  jobType: 'Command',
  computeId: id('computes/gpu'),
  ...more,
});

describe('a reference to nothing is named, with what refers', () => {
  const versions = 'to versions of assets that do not exist';
  it.each<[string, Referring, string, string]>([
    [
      'a job to an environment',
      { jobs: { j: job({ environmentId: id('environments/no/versions/1') }) } },
      versions,
      'jobs/j → environments/no/1',
    ],
    ['a job to code', { jobs: { j: job({ codeId: id('codes/no/versions/1') }) } }, versions, 'jobs/j → codes/no/1'],
    [
      'a job to data, by its short form',
      { jobs: { j: job({ inputs: { d: { uri: 'azureml:no:7' } } }) } },
      versions,
      'jobs/j → asset/no/7',
    ],
    [
      'a job to data, by a label',
      { jobs: { j: job({ inputs: { d: { uri: 'azureml:no@latest' } } }) } },
      'to assets that do not exist',
      'jobs/j → asset/no@latest',
    ],
    [
      'a job to an environment, by a label',
      { jobs: { j: job({ environmentId: id('environments/no/labels/latest') }) } },
      'to assets that do not exist',
      'jobs/j → environments/no@latest',
    ],
    [
      'a job to a compute',
      { jobs: { j: job({ computeId: id('computes/no') }) } },
      'to computes that do not exist',
      'jobs/j → compute no',
    ],
    [
      'a job to a compute, by its name',
      { jobs: { j: job({ computeId: 'azureml:no' }) } },
      'to computes that do not exist',
      'jobs/j → compute no',
    ],
    [
      'a pipeline to its default compute',
      { jobs: { j: job({ settings: { default_compute: 'no' } }) } },
      'to computes that do not exist',
      'jobs/j → compute no',
    ],
    [
      'a step of a pipeline to a compute',
      { jobs: { j: job({ jobs: { train: { computeId: 'no' } } }) } },
      'to computes that do not exist',
      'jobs/j → compute no',
    ],
    [
      'a step of a pipeline to a component',
      { jobs: { j: job({ jobs: { train: { componentId: id('components/no/versions/1') } } }) } },
      versions,
      'jobs/j → components/no/1',
    ],
    [
      'a pipeline to its default datastore',
      { jobs: { j: job({ settings: { default_datastore: 'no' } }) } },
      'to datastores that do not exist',
      'jobs/j → datastore no',
    ],
    [
      'a job to a datastore, by its id',
      { jobs: { j: job({ inputs: { d: id('datastores/no') } }) } },
      'to datastores that do not exist',
      'jobs/j → datastore no',
    ],
    [
      'a job to a path of a datastore',
      { jobs: { j: job({ inputs: { d: { uri: 'azureml://datastores/no/paths/x' } } }) } },
      'to blobs that are not copied: there is no datastore "no"',
      'jobs/j',
    ],
    [
      'a job to another job',
      { jobs: { j: job({ inputs: { d: id('jobs/no') } }) } },
      'to jobs that do not exist',
      'jobs/j → job no',
    ],
    [
      'a schedule to an environment of its job',
      {
        schedules: {
          s: { action: { jobDefinition: job({ environmentId: id('environments/no/versions/1') }) } },
        },
      },
      versions,
      'schedules/s → environments/no/1',
    ],
    [
      'a schedule to a compute of its job',
      { schedules: { s: { action: { jobDefinition: { computeId: id('computes/no') } } } } },
      'to computes that do not exist',
      'schedules/s → compute no',
    ],
    [
      'a schedule to a batch endpoint',
      {
        schedules: {
          s: { action: { endpointInvocationDefinition: { endpointId: id('batchEndpoints/no') } } },
        },
      },
      'to batch endpoints that do not exist',
      'schedules/s → batch endpoint no',
    ],
    [
      'a schedule to an online endpoint',
      { schedules: { s: { action: { monitored: id('onlineEndpoints/no') } } } },
      'to endpoints that do not exist',
      'schedules/s → endpoint no',
    ],
    [
      'a deployment to a model',
      { deployments: { blue: { model: id('models/no/versions/1') } } },
      versions,
      'deployments/blue → models/no/1',
    ],
    [
      'a deployment to an environment',
      { deployments: { blue: { environmentId: 'azureml:no:1' } } },
      versions,
      'deployments/blue → asset/no/1',
    ],
    [
      'a deployment to code',
      { deployments: { blue: { codeConfiguration: { codeId: id('codes/no/versions/1') } } } },
      versions,
      'deployments/blue → codes/no/1',
    ],
    [
      'data to a datastore',
      { assets: { 'data/d/1': { dataUri: 'azureml://datastores/no/paths/x' } } },
      'to blobs that are not copied: there is no datastore "no"',
      'data/d/1',
    ],
    [
      'a component to an environment',
      { assets: { 'components/c/1': { componentSpec: { environment: 'azureml:no@latest' } } } },
      'to assets that do not exist',
      'components/c/1 → asset/no@latest',
    ],
    [
      'a component to code',
      { assets: { 'components/c/1': { componentSpec: { code: `azureml:${id('codes/no/versions/1')}` } } } },
      versions,
      'components/c/1 → codes/no/1',
    ],
  ])('%s', async (_what, referring, reason, example) => {
    expect(await leftBehindOf(referring)).toEqual([{ kind: 'references', reason, count: 1, examples: [example] }]);
  });

  it.each<[string, Json]>([
    ['what is there', { environmentId: id('environments/there/versions/1'), inputs: { j: id('jobs/there') } }],
    ['what is there, by a label', { environmentId: 'azureml:there@latest' }],
    ['no cluster', { computeId: 'azureml:serverless', jobs: { a: { computeId: 'local' } } }],
    [
      'what the service fills in',
      {
        computeId: '${{parent.inputs.compute_name}}',
        settings: { default_datastore: '${{default_datastore}}' },
      },
    ],
    ['another workspace', { computeId: id('computes/no').replace(east.name, 'another') }],
    ['a registry', { environmentId: 'azureml://registries/shared/environments/no/versions/1' }],
    ['an input that its owner calls compute', { inputs: { compute: 'no' }, environmentVariables: { COMPUTE: 'no' } }],
  ])('and %s is not', async (_what, properties) => {
    expect(await leftBehindOf({ jobs: { j: job(properties as JsonObject) } })).toEqual([]);
  });
});

describe('many of them', () => {
  it('are all named, by what refers', async () => {
    const jobs = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`j${index}`, job({ computeId: 'gone' })]),
    );
    const schedules = { nightly: { action: { jobDefinition: { computeId: 'gone' } } } };
    const [left] = await leftBehindOf({ jobs, schedules });
    expect(left).toMatchObject({ count: 21, reason: 'to computes that do not exist' });
    const said = showLeftBehind(left ?? { kind: '', reason: '', count: 0, examples: [] });
    for (const name of Object.keys(jobs)) expect(said).toContain(`${name} → compute gone`);
    expect(said).toMatch(/^21 references left behind: .*jobs \(20\): j0 → .*; |schedules \(1\): nightly → /);
  });

  it('that name one thing have it looked up once', async () => {
    const arm = fakeArm();
    const leftBehind = leftBehindList();
    const references = ['a', 'b', 'c'].map((of) => ({ kind: 'job' as const, name: 'gone', of }));
    const has = { computes: [], datastores: [], endpoints: [] };
    await nameMissing({ arm, workspace: eastId, leftBehind, references, has, signal });
    expect(arm.requests).toHaveLength(1);
    expect(leftBehind.all()).toMatchObject([{ count: 3 }]);
  });
});

it('an id of a version names no other resource', () => {
  expect(namedResources({ a: id('models/m/versions/1'), b: 'runs:/x/y', c: 'text' }, workspace)).toEqual([]);
});

describe('an image in the registry of the workspace', () => {
  const registry = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acrEast';
  const properties = { image: 'ACReast.azurecr.io/team/train:7', condaFile: 'name: x' };
  const lost = async (more: { standby?: string; replica?: string; dark?: boolean } = {}) => {
    const arm = fakeArm();
    arm.add(registry, { location: 'eastus', properties: { loginServer: 'acreast.azurecr.io' } });
    if (more.replica !== undefined) arm.add(`${registry}/replications/r`, { location: more.replica, properties: {} });
    if (more.dark === true)
      arm.faults.push({ method: 'GET', path: /registries/, kind: { status: 403, code: 'No' }, times: 9 });
    return lostImages({ arm, registry, standby: more.standby, region: 'westus3', signal });
  };

  it('is named as a loss, with what needs it', async () => {
    const leftBehind = leftBehindList();
    const images = await lost();
    const outputs = jobOutputs(fakeArm(), eastId, signal);
    const needed = collectNeeded(stores, outputs, topologyOf().jobs.checkpoint, leftBehind, images);
    const resource = { id: '', name: '3', type: '', properties };
    await needed.asset({ type: 'environments', name: 'train', version: '3', resource });
    expect(leftBehind.all()).toEqual([
      {
        kind: 'images',
        reason: imageReason,
        count: 1,
        examples: ['environments/train/3: ACReast.azurecr.io/team/train:7'],
      },
    ]);
  });

  it.each([
    ['one registry for both workspaces', { standby: registry.toUpperCase() }, 0],
    ['a replica in the region of the standby', { replica: 'West US 3' }, 0],
    ['a replica elsewhere', { replica: 'northeurope' }, 1],
    ['a registry of which nothing may be read', { dark: true }, 1],
  ])('with %s', async (_what, more, expected) => {
    expect((await lost(more))(properties)).toHaveLength(expected);
  });

  it('of another registry is none', async () => {
    expect((await lost())({ image: 'acreast.azurecr.io.evil.example/x' })).toEqual([]);
  });
});
