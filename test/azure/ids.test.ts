import { describe, expect, it } from 'vitest';
import {
  datastoreUri,
  formatArmId,
  parseArmId,
  parseAzureMlUri,
  rewriteCompute,
  rewriteReference,
  rewriteReferences,
  sameWorkspace,
  type ReferenceMapping,
} from '../../src/azure/ids.ts';

const east = {
  subscriptionId: '11111111-aaaa-bbbb-cccc-000000000001',
  resourceGroup: 'ml-east',
  name: 'fraud-east',
};
const west = {
  subscriptionId: '22222222-aaaa-bbbb-cccc-000000000002',
  resourceGroup: 'ml-west',
  name: 'fraud-west',
};
const guidEast = '0a0a0a0a-0000-0000-0000-00000000000a';
const guidWest = '0b0b0b0b-0000-0000-0000-00000000000b';
const mapping: ReferenceMapping = {
  from: { ...east, workspaceGuid: guidEast, location: 'eastus' },
  to: { ...west, workspaceGuid: guidWest, location: 'westus3' },
  compute: { 'gpu-east': 'gpu-west' },
  datastores: { lake: 'lake_w' },
  storage: [
    {
      account: 'frauddreast',
      from: 'https://frauddreast.blob.core.windows.net/',
      to: 'https://frauddrwest.blob.core.windows.net/',
    },
    {
      account: 'loceast',
      from: 'https://localhost:4431/loceast/',
      to: 'https://localhost:4432/locwest/',
      containers: { in: 'in-w' },
    },
  ],
  resources: {
    '/subscriptions/s/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/east':
      '/subscriptions/s/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/west',
  },
  jobOutputs: (job, output, path) =>
    job === 'done' ? `azureml://datastores/workspaceblobstore/paths/copied/${job}/${output}/${path}` : undefined,
};

const arm = (workspace: typeof east, rest: string) =>
  `/subscriptions/${workspace.subscriptionId}/resourceGroups/${workspace.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace.name}${rest}`;
const long = (workspace: typeof east, rest: string) =>
  `azureml://subscriptions/${workspace.subscriptionId}/resourcegroups/${workspace.resourceGroup}/workspaces/${workspace.name}${rest}`;

describe('an ARM id', () => {
  it('is taken apart and put together again', () => {
    const id = arm(east, '/models/m/versions/3');
    const parsed = parseArmId(id);
    expect(parsed).toEqual({
      subscriptionId: east.subscriptionId,
      resourceGroup: 'ml-east',
      provider: 'Microsoft.MachineLearningServices',
      path: [
        { type: 'workspaces', name: 'fraud-east' },
        { type: 'models', name: 'm' },
        { type: 'versions', name: '3' },
      ],
    });
    expect(formatArmId(parsed!)).toBe(id);
  });

  it.each([
    '',
    'fraud-east',
    '/subscriptions/x',
    '/subscriptions/x/providers/P',
    '/subscriptions/x/providers/P/a',
    '/subscriptions//providers/P/a/b',
  ])('is not %j', (text) => expect(parseArmId(text)).toBeUndefined());

  it('names the same workspace in any case', () => {
    expect(sameWorkspace(east, { ...east, resourceGroup: 'ML-East', name: 'FRAUD-EAST' })).toBe(true);
    expect(sameWorkspace(east, west)).toBe(false);
  });
});

describe('rewriteReference', () => {
  it.each([
    ['an ARM id', arm(east, '/environments/e/versions/1'), arm(west, '/environments/e/versions/1')],
    [
      'an ARM id behind azureml:',
      `azureml:${arm(east, '/codes/c/versions/1')}`,
      `azureml:${arm(west, '/codes/c/versions/1')}`,
    ],
    [
      'an ARM id in another case, whose key words keep their spelling',
      `/SUBSCRIPTIONS/${east.subscriptionId.toUpperCase()}/resourcegroups/ML-EAST/providers/microsoft.machinelearningservices/Workspaces/Fraud-East/data/d/versions/1`,
      `/SUBSCRIPTIONS/${west.subscriptionId}/resourcegroups/ml-west/providers/microsoft.machinelearningservices/Workspaces/fraud-west/data/d/versions/1`,
    ],
    ['a compute with another name', arm(east, '/computes/GPU-east'), arm(west, '/computes/gpu-west')],
    ['a datastore with another name', arm(east, '/datastores/lake'), arm(west, '/datastores/lake_w')],
    ['the workspace itself', arm(east, ''), arm(west, '')],
    [
      'a long datastore URI',
      long(east, '/datastores/lake/paths/a/b c/'),
      long(west, '/datastores/lake_w/paths/a/b c/'),
    ],
    ['a short datastore URI', 'azureml://datastores/lake/paths/a', 'azureml://datastores/lake_w/paths/a'],
    ['a long asset URI', long(east, '/data/d/versions/1'), long(west, '/data/d/versions/1')],
    [
      'a located URI',
      `azureml://locations/eastus/workspaces/${guidEast}/models/m/versions/1`,
      `azureml://locations/westus3/workspaces/${guidWest}/models/m/versions/1`,
    ],
    [
      'a job output',
      'azureml://jobs/done/outputs/model/paths/m/',
      'azureml://datastores/workspaceblobstore/paths/copied/done/model/m/',
    ],
    [
      'a long job output',
      long(east, '/jobs/done/outputs/model/paths/m'),
      'azureml://datastores/workspaceblobstore/paths/copied/done/model/m',
    ],
    ["MLflow's run", 'runs:/done/model', 'azureml://datastores/workspaceblobstore/paths/copied/done/artifacts/model'],
    [
      "MLflow's tracking URI",
      `azureml://eastus.api.azureml.ms/mlflow/v1.0${arm(east, '')}`,
      `azureml://westus3.api.azureml.ms/mlflow/v1.0${arm(west, '')}`,
    ],
    [
      'a blob in the default container',
      `https://frauddreast.blob.core.windows.net/azureml-blobstore-${guidEast}/LocalUpload/x%20y/`,
      `https://frauddrwest.blob.core.windows.net/azureml-blobstore-${guidWest}/LocalUpload/x%20y/`,
    ],
    [
      'a blob at the default port',
      'https://FRAUDDREAST.blob.core.windows.net:443/c/p',
      'https://frauddrwest.blob.core.windows.net/c/p',
    ],
    [
      'a blob in a mapped container',
      'https://localhost:4431/loceast/in/p/q',
      'https://localhost:4432/locwest/in-w/p/q',
    ],
    [
      'a Spark address',
      'abfss://c@frauddreast.dfs.core.windows.net/p/q',
      'abfss://c@frauddrwest.dfs.core.windows.net/p/q',
    ],
    [
      'a Spark address of the blob service',
      'wasbs://c@frauddreast.blob.core.windows.net/p',
      'wasbs://c@frauddrwest.blob.core.windows.net/p',
    ],
    [
      'a managed identity',
      '/subscriptions/S/resourcegroups/ids/providers/microsoft.managedidentity/userassignedidentities/EAST',
      '/subscriptions/s/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/west',
    ],
  ])('moves %s', (_what, from, to) => {
    expect(rewriteReference(from, mapping)).toEqual({ value: to, changed: true });
  });

  it.each([
    ['plain text', 'fraud-east'],
    ['an asset by its short name', 'azureml:fraud-east:1'],
    ['a label', 'azureml:data@latest'],
    ['a registry', 'azureml://registries/fraud-east/models/m/versions/1'],
    [
      'a registry by ARM id',
      '/subscriptions/x/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/registries/fraud-east',
    ],
    ['another workspace', arm({ ...east, name: 'fraud-east2' }, '/data/d/versions/1')],
    ['the same name in another resource group', arm({ ...east, resourceGroup: 'other' }, '')],
    ['a datastore with its own name', 'azureml://datastores/workspaceblobstore/paths/fraud-east/'],
    ['another located workspace', `azureml://locations/eastus/workspaces/${guidWest}/models/m/versions/1`],
    ['a look-alike account', 'https://frauddreast2.blob.core.windows.net/c/p'],
    ['a look-alike host', 'https://frauddreast.blob.core.windows.net.example.com/c/p'],
    ['a look-alike account on the same host', 'https://localhost:4431/loceast2/in/p'],
    ['another port', 'https://localhost:4430/loceast/in/p'],
    ['a public address', 'https://example.com/fraud-east'],
    ['an ARM id in a sentence', `see ${arm(east, '')}`],
    ['an expression', '${{parent.inputs.data}}'],
    ['lines', `${arm(east, '')}\n`],
  ])('keeps %s', (_what, value) => {
    expect(rewriteReference(value, mapping)).toEqual({ value, changed: false });
  });

  it.each([
    ['azureml://jobs/gone/outputs/model/paths/m', 'output "model" of job "gone" was not copied'],
    ['runs:/gone/model', 'output "artifacts" of job "gone" was not copied'],
    [arm(east, '/jobs/gone'), 'job "gone" of workspace "fraud-east" does not exist in "fraud-west"'],
    [
      'https://frauddreast.blob.core.windows.net/c/p?sv=1&sig=canary',
      'the address carries a shared access signature of the old storage account',
    ],
  ])('says why %s has no counterpart', (value, unmapped) => {
    expect(rewriteReference(value, mapping)).toEqual({ value, changed: false, unmapped });
  });

  it('says what the standby does not have', () => {
    const strict = {
      ...mapping,
      has: { computes: new Set(['cpu']), datastores: new Set(['workspaceblobstore']) },
    };
    expect(rewriteReference(arm(east, '/computes/gpu-east'), strict).unmapped).toBe(
      'the standby has no compute "gpu-west" (which stands for "gpu-east")',
    );
    expect(rewriteReference(arm(east, '/computes/CPU'), strict).value).toBe(arm(west, '/computes/CPU'));
    expect(rewriteReference('azureml://datastores/other/paths/p', strict).unmapped).toBe(
      'the standby has no datastore "other"',
    );
    expect(rewriteCompute('serverless', strict)).toEqual({ value: 'serverless', changed: false });
  });

  it('does not know the old workspace by a location alone', () => {
    const { workspaceGuid: _, ...from } = mapping.from;
    const value = `azureml://locations/eastus/workspaces/${guidEast}/models/m/versions/1`;
    expect(rewriteReference(value, { ...mapping, from }).unmapped).toMatch(/GUID/);
  });

  it('changes nothing twice', () => {
    for (const value of [
      arm(east, '/computes/gpu-east'),
      long(east, '/datastores/lake/paths/a'),
      `https://localhost:4431/loceast/in/p`,
    ]) {
      const once = rewriteReference(value, mapping).value;
      expect(rewriteReference(once, mapping)).toEqual({ value: once, changed: false });
    }
  });
});

describe('rewriteReferences', () => {
  it('goes through all of a value and says where', () => {
    const json = {
      a: [{ uri: 'azureml://datastores/lake/paths/x' }, 1, null],
      b: { c: 'runs:/gone/m', d: true },
      e: 'lake',
    };
    const result = rewriteReferences(json, mapping);
    expect(result.value).toEqual({ ...json, a: [{ uri: 'azureml://datastores/lake_w/paths/x' }, 1, null] });
    expect(result.changes).toEqual([
      {
        place: 'a[0].uri',
        value: 'azureml://datastores/lake/paths/x',
        to: 'azureml://datastores/lake_w/paths/x',
      },
    ]);
    expect(result.unmapped).toEqual([
      { place: 'b.c', value: 'runs:/gone/m', reason: 'output "artifacts" of job "gone" was not copied' },
    ]);
  });
});

describe('names as jobs write them', () => {
  it.each([
    ['gpu-east', 'gpu-west'],
    ['azureml:gpu-east', 'azureml:gpu-west'],
    [arm(east, '/computes/gpu-east'), arm(west, '/computes/gpu-west')],
    ['cpu', 'cpu'],
    ['', ''],
  ])('compute %s becomes %s', (from, to) => expect(rewriteCompute(from, mapping).value).toBe(to));
});

describe('parseAzureMlUri', () => {
  it('reads what it writes', () => {
    expect(parseAzureMlUri(datastoreUri(west, 'store', 'a/b'))).toMatchObject({
      scope: { kind: 'workspace', workspace: west },
      target: { kind: 'datastore', datastore: 'store', path: 'a/b' },
    });
  });
  it("reads the run's own artifacts, which have no paths/", () => {
    expect(parseAzureMlUri('azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.j')?.target).toEqual({
      kind: 'datastore',
      datastore: 'workspaceartifactstore',
      path: 'ExperimentRun/dcid.j',
    });
  });
  it.each(['azureml:', 'azureml://', 'azureml://nothing', 'https://x', 'runs:'])('refuses %j', (text) =>
    expect(parseAzureMlUri(text)).toBeUndefined(),
  );
});
