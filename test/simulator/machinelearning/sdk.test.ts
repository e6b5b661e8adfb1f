import { readFileSync } from 'node:fs';
import { AzureMachineLearningWorkspaces } from '@azure/arm-machinelearning';
import { ClientSecretCredential, type ClientSecretCredentialOptions } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;
let client: AzureMachineLearningWorkspaces;
const GROUP = 'ml-eastus';
const NAME = 'fraud-east';

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', NAME);
  const { tenantId, clientId, clientSecret, authority, arm, subscriptionId, ca } = azure.running.address;
  const tlsOptions = { ca: readFileSync(ca, 'utf8') };
  const options: ClientSecretCredentialOptions = { authorityHost: authority, disableInstanceDiscovery: true };
  const credential = new ClientSecretCredential(
    tenantId,
    clientId,
    clientSecret,
    Object.assign(options, { tlsOptions }),
  );
  client = new AzureMachineLearningWorkspaces(
    credential,
    subscriptionId,
    Object.assign({ endpoint: arm, credentialScopes: [`${arm}/.default`] }, { tlsOptions }),
  );
}, 60_000);
afterAll(() => azure?.close());

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

describe('@azure/arm-machinelearning', () => {
  it('reads a workspace and its datastores, with their secrets', async () => {
    const found = await client.workspaces.get(GROUP, NAME);
    expect(found).toMatchObject({ name: NAME, provisioningState: 'Succeeded', location: 'eastus' });
    const stores = await all(client.datastores.list(GROUP, NAME));
    expect(stores).toHaveLength(4);
    const secrets = await client.datastores.listSecrets(GROUP, NAME, 'workspaceblobstore');
    expect(secrets).toMatchObject({ secretsType: 'AccountKey', key: expect.any(String) });
  });

  it('waits for a cluster to be made, scaled and deleted', async () => {
    const made = await client.computeOperations.beginCreateOrUpdateAndWait(
      GROUP,
      NAME,
      'cpu-cluster',
      {
        properties: {
          computeType: 'AmlCompute',
          properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 2 } },
        },
      },
      { updateIntervalInMs: 10 },
    );
    expect(made.properties).toMatchObject({ provisioningState: 'Succeeded', computeType: 'AmlCompute' });
    const scaled = await client.computeOperations.beginUpdateAndWait(
      GROUP,
      NAME,
      'cpu-cluster',
      { properties: { properties: { scaleSettings: { maxNodeCount: 3 } } } } as Parameters<
        typeof client.computeOperations.beginUpdateAndWait
      >[3],
      { updateIntervalInMs: 10 },
    );
    expect(scaled.properties).toMatchObject({ provisioningState: 'Succeeded' });
    await client.computeOperations.beginCreateOrUpdateAndWait(
      GROUP,
      NAME,
      'passing',
      {
        properties: {
          computeType: 'AmlCompute',
          properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } },
        },
      },
      { updateIntervalInMs: 10 },
    );
    await client.computeOperations.beginDeleteAndWait(GROUP, NAME, 'passing', 'Delete', {
      updateIntervalInMs: 10,
    });
    expect((await all(client.computeOperations.list(GROUP, NAME))).map((one) => one.name)).toEqual(['cpu-cluster']);
  });

  it('registers versions and pages through them', async () => {
    for (let version = 1; version <= 23; version++)
      await client.modelVersions.createOrUpdate(GROUP, NAME, 'fraud', String(version), {
        properties: {
          modelUri: 'azureml://datastores/workspaceblobstore/paths/m/',
          modelType: 'custom_model',
        },
      });
    const versions = await all(client.modelVersions.list(GROUP, NAME, 'fraud'));
    expect(versions.map((one) => one.name)).toEqual(Array.from({ length: 23 }, (_, i) => String(23 - i)));
    expect((await client.modelContainers.get(GROUP, NAME, 'fraud')).properties).toMatchObject({
      latestVersion: '23',
      nextVersion: '24',
    });
  });

  it('submits a job, sees it listed and cancels it', async () => {
    await azure.put(`${workspace}/environments/sklearn/versions/1`, {
      properties: { image: 'mcr.microsoft.com/azureml/base:1' },
    });
    const job = await client.jobs.createOrUpdate(GROUP, NAME, 'train-1', {
      properties: {
        jobType: 'Command',
        command: 'python train.py',
        environmentId: `${workspace}/environments/sklearn/versions/1`,
        computeId: `${workspace}/computes/cpu-cluster`,
        properties: { 'simulator.runSeconds': '1000' },
      },
    });
    expect(job.properties).toMatchObject({ jobType: 'Command', experimentName: 'Default' });
    expect((await all(client.jobs.list(GROUP, NAME))).map((one) => one.name)).toEqual(['train-1']);
    await client.jobs.beginCancelAndWait(GROUP, NAME, 'train-1', { updateIntervalInMs: 10 });
    await expect
      .poll(async () => (await client.jobs.get(GROUP, NAME, 'train-1')).properties.status, { timeout: 5000 })
      .toBe('Canceled');
  });

  it('makes an endpoint, gives it traffic and reads its keys', async () => {
    const location = 'eastus';
    const properties = { authMode: 'Key', keys: { primaryKey: 'first-key', secondaryKey: 'second-key' } };
    await client.onlineEndpoints.beginCreateOrUpdateAndWait(
      GROUP,
      NAME,
      'fraud-score',
      { location, properties },
      { updateIntervalInMs: 10 },
    );
    await client.onlineDeployments.beginCreateOrUpdateAndWait(
      GROUP,
      NAME,
      'fraud-score',
      'blue',
      {
        location,
        sku: { name: 'Default', capacity: 1 },
        properties: {
          endpointComputeType: 'Managed',
          instanceType: 'Standard_DS3_v2',
          model: `${workspace}/models/fraud/versions/1`,
        },
      },
      { updateIntervalInMs: 10 },
    );
    const served = await client.onlineEndpoints.beginCreateOrUpdateAndWait(
      GROUP,
      NAME,
      'fraud-score',
      { location, properties: { ...properties, traffic: { blue: 100 } } },
      { updateIntervalInMs: 10 },
    );
    expect(served.properties).toMatchObject({ provisioningState: 'Succeeded', traffic: { blue: 100 } });
    expect(await client.onlineEndpoints.listKeys(GROUP, NAME, 'fraud-score')).toMatchObject({
      primaryKey: 'first-key',
    });
  });

  it('reads usages and sizes', async () => {
    const usages = await all(client.usages.list('eastus'));
    expect(usages.find((usage) => usage.name?.value === 'Standard DSv2 Family Cluster Dedicated vCPUs')).toMatchObject({
      currentValue: 4,
      limit: 300,
    });
    expect((await client.virtualMachineSizes.list('eastus')).value?.length).toBeGreaterThan(20);
  });
});

/** Jobs with fields that the typed client of api-version 2022-10-01 does not know. */
const WHOLE: Record<string, JsonObject> = {
  Spark: {
    codeId: 'azureml:train:1',
    entry: { sparkJobEntryType: 'SparkJobPythonEntry', file: 'build.py' },
    args: '--day ${{inputs.day}}',
    conf: { 'spark.executor.cores': '2' },
    pyFiles: ['lib.py'],
    resources: { instanceType: 'standard_e4s_v3', runtimeVersion: '3.3' },
    queueSettings: { jobTier: 'Spot' },
    inputs: { day: { jobInputType: 'literal', value: '1' } },
    outputs: {
      features: {
        jobOutputType: 'uri_folder',
        mode: 'Direct',
        uri: 'azureml://datastores/workspaceblobstore/paths/f/',
      },
    },
  },
  AutoML: {
    taskDetails: {
      taskType: 'Classification',
      primaryMetric: 'AUCWeighted',
      targetColumnName: 'fraud',
      trainingData: {
        jobInputType: 'mltable',
        uri: 'azureml://datastores/workspaceblobstore/paths/t/',
        mode: 'EvalMount',
      },
      limitSettings: { maxTrials: 5, timeout: 'PT1H' },
      featurizationSettings: { mode: 'Auto', columnNameAndTypes: { amount: 'Numeric' } },
      nCrossValidations: { mode: 'Custom', value: 3 },
    },
    notificationSetting: { emails: ['a@b'], emailOn: ['JobFailed'] },
    resources: { instanceCount: 1 },
  },
  Pipeline: {
    settings: { default_compute: 'azureml:cpu-cluster', continue_on_step_failure: false },
    jobs: {
      prepare: {
        type: 'command',
        computeId: '',
        componentId: 'azureml:prepare:1',
        inputs: { data: { job_input_type: 'literal', value: '${{parent.inputs.data}}' } },
      },
      train: {
        type: 'command',
        componentId: 'azureml:prepare:1',
        inputs: { data: '${{parent.jobs.prepare.outputs.out}}' },
        resources: { instance_count: 1 },
      },
    },
    inputs: {
      data: {
        jobInputType: 'uri_folder',
        uri: 'azureml://datastores/workspaceblobstore/paths/d/',
        mode: 'ReadOnlyMount',
      },
    },
    outputs: { model: { jobOutputType: 'mlflow_model', assetName: 'fraud', mode: 'Upload' } },
  },
};

describe('raw requests', () => {
  it.each(Object.entries(WHOLE))('keep every field of a %s job', async (jobType, body) => {
    await azure.put(`${workspace}/codes/train/versions/1`, { properties: { codeUri: 'https://a/b' } });
    await azure.put(`${workspace}/components/prepare/versions/1`, {
      properties: { componentSpec: { name: 'prepare' } },
    });
    const path = `${workspace}/jobs/whole-${jobType}`;
    const answer = await azure.arm('PUT', path, { properties: { jobType, ...body } });
    expect([answer.status, answer.body.error]).toEqual([201, undefined]);
    const shown = properties((await azure.arm('GET', path)).body);
    const { outputs, ...others } = body;
    expect(pick(shown, Object.keys(others))).toEqual(others);
    expect(shown.outputs).toMatchObject((outputs ?? {}) as JsonObject);
  });
});

function pick(from: JsonObject, fields: string[]): Json {
  return Object.fromEntries(fields.map((field) => [field, from[field] ?? null]));
}
