import { describe, expect, it } from 'vitest';
import { movedReference } from '../../src/config-files/reference.ts';
import { armId, eastGuid, eastSubscription, longUri, mapping, westGuid, westSubscription } from './mapping.ts';

const sub = eastSubscription;
const moved: [name: string, from: string, to: string][] = [
  ['an ARM id', armId('east'), armId('west')],
  ['an ARM id of a compute', armId('east', '/computes/gpu-east'), armId('west', '/computes/gpu-west')],
  ['an ARM id of an unmapped compute', armId('east', '/computes/other'), armId('west', '/computes/other')],
  [
    'an ARM id behind azureml:',
    `azureml:${armId('east', '/environments/e/versions/1')}`,
    `azureml:${armId('west', '/environments/e/versions/1')}`,
  ],
  [
    'an ARM id in another case, its key words kept',
    `/SUBSCRIPTIONS/${sub.toUpperCase()}/resourcegroups/ML-East/providers/microsoft.machinelearningservices/workspaces/FRAUD-EAST/computes/GPU-EAST`,
    `/SUBSCRIPTIONS/${westSubscription}/resourcegroups/ml-west/providers/microsoft.machinelearningservices/workspaces/fraud-west/computes/gpu-west`,
  ],
  [
    'a mapped resource and what is below it',
    `${mapping.resources?.[0]?.from}/blobServices/default`,
    `${mapping.resources?.[0]?.to}/blobServices/default`,
  ],
  [
    'a long datastore URI',
    longUri('east', '/datastores/d/paths/a/gpu-east'),
    longUri('west', '/datastores/d/paths/a/gpu-east'),
  ],
  [
    'a long URI with a space',
    longUri('east', '/datastores/d/paths/My Data/x'),
    longUri('west', '/datastores/d/paths/My Data/x'),
  ],
  [
    'a URI by GUID',
    `azureml://locations/eastus/workspaces/${eastGuid}/data/d/versions/1`,
    `azureml://locations/westus3/workspaces/${westGuid}/data/d/versions/1`,
  ],
  ['the GUID', eastGuid.toUpperCase(), westGuid],
  [
    'a tracking URI',
    `azureml://eastus.api.azureml.ms/mlflow/v1.0${armId('east')}`,
    `azureml://westus3.api.azureml.ms/mlflow/v1.0${armId('west')}`,
  ],
  [
    'the same on https',
    `https://eastus.api.azureml.ms/mlflow/v1.0${armId('east')}`,
    `https://westus3.api.azureml.ms/mlflow/v1.0${armId('west')}`,
  ],
  [
    "the workspace's own host",
    `https://${eastGuid}.workspace.eastus.api.azureml.ms/x`,
    `https://${westGuid}.workspace.westus3.api.azureml.ms/x`,
  ],
  [
    'ARM over https',
    `https://management.azure.com${armId('east')}?api-version=2024-04-01`,
    `https://management.azure.com${armId('west')}?api-version=2024-04-01`,
  ],
  [
    'a studio link',
    `https://ml.azure.com/runs/r1?wsid=/subscriptions/${sub}/resourcegroups/ml-east/workspaces/fraud-east&tid=t`,
    `https://ml.azure.com/runs/r1?wsid=/subscriptions/${westSubscription}/resourcegroups/ml-west/workspaces/fraud-west&tid=t`,
  ],
  [
    'an escaped studio link',
    `https://ml.azure.com/?wsid=${encodeURIComponent(armId('east'))}`,
    `https://ml.azure.com/?wsid=${encodeURIComponent(armId('west'))}`,
  ],
  [
    'a blob',
    'https://stfraudeast.blob.core.windows.net/c/x?sv=1#f',
    'https://stfraudwest.blob.core.windows.net/c/x?sv=1#f',
  ],
  [
    'a host in capitals with its port',
    'HTTPS://STFraudEast.blob.core.windows.net:443/c',
    'https://stfraudwest.blob.core.windows.net/c',
  ],
  ['a wasbs address', 'wasbs://c@stfraudeast.blob.core.windows.net/p', 'wasbs://c@stfraudwest.blob.core.windows.net/p'],
  ['a path below a mapped one', 'https://localhost:8443/east/a/', 'https://localhost:9443/a/'],
  ['a mapped path itself', 'https://localhost:8443/east', 'https://localhost:9443'],
  [
    'a mapped origin and an ARM path',
    `https://localhost:8443/east${armId('east')}`,
    `https://localhost:9443${armId('west')}`,
  ],
];

const stays: [name: string, value: string][] = [
  ['another workspace', armId('east').replace('fraud-east', 'fraud-east2')],
  ['another resource group', armId('east').replace('ml-east/', 'ml-east-dev/')],
  ['another subscription', armId('east').replace('1111', '1112')],
  ["another provider's workspaces", armId('east').replace('MachineLearningServices', 'Databricks')],
  ['the resource group alone', `/subscriptions/${sub}/resourceGroups/ml-east`],
  ['a resource whose name goes on', `${mapping.resources?.[0]?.from}2`],
  ['a registry', 'azureml://registries/fraud-east/models/m/versions/1'],
  ['a short datastore URI', 'azureml://datastores/workspaceblobstore/paths/fraud-east/ml-east'],
  ['a job URI', 'azureml://jobs/gpu-east/outputs/o/paths/p'],
  ['a short reference', 'azureml:gpu-east:1'],
  ['a GUID of another workspace', `azureml://locations/eastus/workspaces/${westGuid}/data/d`],
  ['a host that goes on', 'https://stfraudeast.blob.core.windows.net.evil.example/c'],
  ['a host that starts earlier', 'https://xstfraudeast.blob.core.windows.net/c'],
  ['a path part that goes on', 'https://localhost:8443/eastern'],
  ['another port', 'https://localhost:8444/east'],
  ['another scheme', 'http://localhost:8443/east'],
  ['a path in another case', 'https://localhost:8443/East'],
  ["a region's host with no workspace in it", 'https://eastus.api.azureml.ms/discovery'],
  ['a text around it', `see ${armId('east')}`],
  ['an URL and more text', 'https://localhost:8443/east is old'],
  ['what is already moved', armId('west', '/computes/gpu-west')],
  ['a name', 'fraud-east'],
  ['an escape that is none', 'https://localhost:8443/%zz'],
];

describe('a value that says by itself what it means', () => {
  it.each(moved)('moves %s, once', (_name, from, to) => {
    expect(movedReference(from, mapping)).toBe(to);
    expect(movedReference(to, mapping)).toBeUndefined();
  });

  it.each(stays)('leaves %s', (_name, value) => {
    expect(movedReference(value, mapping)).toBeUndefined();
  });

  it('takes the longest of the prefixes that fit', () => {
    const urls = [
      { from: 'https://h', to: 'https://a.example' },
      { from: 'https://h/x/y', to: 'https://b.example' },
      { from: 'https://h/x', to: 'https://c.example' },
    ];
    expect(movedReference('https://h/x/y/z', { ...mapping, urls })).toBe('https://b.example/z');
  });
});
