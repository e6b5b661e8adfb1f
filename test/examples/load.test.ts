/** The example is loaded into a workspace of the local Azure by the command that users run, twice. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeData } from '../../examples/fraud-ml/data/make-data.ts';
import { type Summary } from '../../examples/loader/summary.ts';
import { startCloud, type RunningCloud } from '../../simulator/cloud.ts';
import { ArmClient } from './arm-client.ts';

const ROOT = join(import.meta.dirname, '../..');
const CANARY = 'canary-4f1d-feed-token';
const ML = '2024-04-01';

let folder: string;
let cloud: RunningCloud;
let arm: ArmClient;
let workspace: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-load-'));
  await makeData({ out: join(folder, 'data'), megabytes: 0.5, files: 4, smallFiles: 12, seed: 7 });
  cloud = await startCloud({
    stateDirectory: join(folder, 'azure'),
    regions: ['eastus'],
    pace: 0.1,
    retryAfterSeconds: 0,
  });
  arm = await ArmClient.open(cloud.address);
  workspace = await makeWorkspace(arm);
}, 60_000);

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** As an engineer does: the project's template, with the example's parameters for the region. */
async function makeWorkspace(client: ArmClient): Promise<string> {
  const group = `/subscriptions/${cloud.address.subscriptionId}/resourceGroups/ml-east`;
  await client.put(group, '2024-03-01', { location: 'eastus' });
  const { parameters } = JSON.parse(readFileSync(join(ROOT, 'examples/fraud-ml/parameters/eastus.json'), 'utf8')) as {
    parameters: unknown;
  };
  const template: unknown = JSON.parse(readFileSync(join(ROOT, 'templates/workspace.json'), 'utf8'));
  await client.put(`${group}/providers/Microsoft.Resources/deployments/fraud-east`, '2024-03-01', {
    properties: { mode: 'Incremental', template, parameters },
  });
  return `${group}/providers/Microsoft.MachineLearningServices/workspaces/fraud-east`;
}

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function load(more: string[] = [], environment: Record<string, string> = {}): Promise<Ran> {
  const { address } = cloud;
  const args = [
    '--folder',
    'examples/fraud-ml',
    '--subscription',
    address.subscriptionId,
    '--resource-group',
    'ml-east',
  ];
  const env = {
    PATH: process.env.PATH,
    NODE_EXTRA_CA_CERTS: address.ca,
    AZURE_TENANT_ID: address.tenantId,
    AZURE_CLIENT_ID: address.clientId,
    AZURE_CLIENT_SECRET: address.clientSecret,
    AZURE_AUTHORITY_HOST: address.authority,
    AZURE_RESOURCE_MANAGER_ENDPOINT: address.arm,
    FRAUD_PYTHON_FEED_PAT: CANARY,
    ...environment,
  };
  const rest = ['--workspace', 'fraud-east', '--data', join(folder, 'data'), '--simulation', 'simulation.yml', ...more];
  return new Promise((resolve) => {
    execFile(process.execPath, ['examples/load.ts', ...args, ...rest], { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

function job(name: string): Promise<Record<string, never>> {
  return arm.get(`${workspace}/jobs/${name}`, ML) as Promise<Record<string, never>>;
}

describe('loading the example', () => {
  let summary: Summary;

  it('creates everything, and says each thing once with its id', async () => {
    const ran = await load();
    // The template has made the clusters: the files add an owner to them.
    expect(ran.stderr).toContain('updated   compute gpu-cluster');
    expect(ran.stderr).toContain('created   command job fraud-train-2025q4');
    expect(ran.code).toBe(0);
    summary = JSON.parse(ran.stdout) as Summary;
    const kinds = Object.groupBy(summary.entries, ({ kind }) => kind);
    const counts = Object.fromEntries(Object.entries(kinds).map(([kind, entries]) => [kind, entries?.length]));
    expect(counts).toEqual({
      datastore: 1,
      connection: 1,
      compute: 3,
      environment: 2,
      data: 5,
      model: 1,
      component: 4,
      code: 3,
      'command job': 4,
      'sweep job': 1,
      'pipeline job': 1,
      'automl job': 1,
      'spark job': 1,
      schedule: 1,
      endpoint: 1,
      deployment: 1,
      traffic: 1,
    });
    expect(new Set(summary.entries.map(({ id }) => id)).size).toBe(summary.entries.length);
    expect(summary.uploads.transferredBytes).toBe(summary.uploads.sizeBytes);
    expect(ran.stdout + ran.stderr).not.toContain(CANARY);
    for (const { id } of summary.entries) expect(await arm.get(id.replace(/#.*/u, ''), ML)).toHaveProperty('name');
  }, 60_000);

  it('gives jobs their whole body, with ids of this workspace', async () => {
    const training = await job('fraud-train-2025q4');
    expect(training).toHaveProperty('properties.computeId', `${workspace}/computes/gpu-cluster`);
    expect(training).toHaveProperty('properties.environmentId', `${workspace}/environments/fraud-sklearn/versions/3`);
    expect(training).toHaveProperty('properties.inputs.transactions', {
      jobInputType: 'uri_folder',
      mode: 'Download',
      uri: `${workspace}/data/transactions/versions/2`,
    });
    expect(training).toHaveProperty('properties.resources.shmSize', '4g');
    expect(training).toHaveProperty('properties.identity.identityType', 'Managed');
    const interactive = await job('fraud-explore-ana');
    expect(interactive).toHaveProperty('properties.services.editor.jobServiceType', 'VSCode');
    const rescore = await job('fraud-rescore-backlog');
    expect(rescore).toHaveProperty('properties.inputs.merchants.uri', `${workspace}/data/merchants/versions/1`);
    expect(rescore).toHaveProperty('properties.queueSettings.jobTier', 'Standard');
    expect(rescore).toHaveProperty(
      'properties.inputs.rules.uri',
      expect.stringMatching(
        /^azureml:\/\/subscriptions\/.*\/workspaces\/fraud-east\/datastores\/workspaceblobstore\/paths\/LocalUpload\/[0-9a-f]{64}\/rescore-rules\.json$/u,
      ),
    );
  });

  it('gives the jobs the lives of the simulation', async () => {
    await expect
      .poll(() => job('fraud-baseline-2025q3'), { timeout: 20_000 })
      .toHaveProperty('properties.status', 'Completed');
    await expect
      .poll(() => job('fraud-train-2025q4'), { timeout: 20_000 })
      .toHaveProperty('properties.status', 'Running');
    expect(await job('fraud-rescore-backlog')).toHaveProperty('properties.status', 'Queued');
  }, 45_000);

  it('uploads in the layout of Azure\u2019s client, byte for byte', async () => {
    const model = await arm.get(`${workspace}/models/fraud-classifier/versions/4`, ML);
    const uri = String(property(model, 'properties', 'modelUri'));
    expect(uri).toMatch(
      /^azureml:\/\/subscriptions\/.*\/datastores\/workspaceblobstore\/paths\/LocalUpload\/[0-9a-f]{64}\/fraud-classifier$/u,
    );
    const container = String(
      property(await arm.get(`${workspace}/datastores/workspaceblobstore`, ML), 'properties', 'containerName'),
    );
    const secrets = await arm.post(`${workspace}/datastores/workspaceblobstore/listSecrets`, ML);
    expect(property(secrets, 'secretsType')).toBe('AccountKey');
    const path = uri.slice(uri.indexOf('LocalUpload'));
    const blob = await arm.blob('fraudmleastst', String(property(secrets, 'key')), container, `${path}/model.pkl`);
    expect(blob.equals(readFileSync(join(ROOT, 'examples/fraud-ml/model/fraud-classifier/model.pkl')))).toBe(true);
    const code = await arm.get(summary.entries.find(({ kind }) => kind === 'code')?.id ?? '', ML);
    expect(property(code, 'properties', 'codeUri')).toContain(`/fraudmleastst/${container}/LocalUpload/`);
  });

  it('plants the secret where it belongs, and only there', async () => {
    const shown = await arm.get(`${workspace}/connections/python-feed`, ML);
    expect(JSON.stringify(shown)).not.toContain(CANARY);
    const secrets = await arm.post(`${workspace}/connections/python-feed/listsecrets`, ML);
    expect(secrets).toHaveProperty('properties.credentials.pat', CANARY);
  });

  it('changes nothing when it is run again, and uploads nothing', async () => {
    const ran = await load();
    expect(ran.code).toBe(0);
    const again = JSON.parse(ran.stdout) as Summary;
    expect(again.entries.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([]);
    expect(again.entries.map(({ id }) => id)).toEqual(summary.entries.map(({ id }) => id));
    expect(again.uploads.transferredBytes).toBe(0);
  }, 30_000);

  it('renews a secret that has changed, and nothing else', async () => {
    const ran = await load([], { FRAUD_PYTHON_FEED_PAT: `${CANARY}-new` });
    const again = JSON.parse(ran.stdout) as Summary;
    const changed = again.entries.filter(({ outcome }) => outcome !== 'unchanged');
    expect(changed.map(({ kind, name, outcome }) => ({ kind, name, outcome }))).toEqual([
      { kind: 'connection', name: 'python-feed', outcome: 'updated' },
    ]);
  }, 30_000);

  it('refuses to change what cannot change, and names it', async () => {
    const other = join(folder, 'other-data');
    await makeData({ out: other, megabytes: 0.5, files: 4, smallFiles: 12, seed: 8 });
    const ran = await load(['--data', other]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/data\/device-events\.yml: data device-events:2025\.10 exists with another "dataUri"/u);
    expect(ran.stdout).toBe('');
  }, 30_000);

  it('says what is wrong with Azure, exit code 1', async () => {
    const nowhere = await load(['--workspace', 'fraud-nowhere']);
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toContain('there is no workspace "fraud-nowhere" in resource group "ml-east"');
    const stranger = await load([], { AZURE_CLIENT_SECRET: 'wrong' });
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain('AADSTS7000215');
  }, 30_000);
});

function property(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined;
  return found;
}
