/** Fills the active workspace of a scene with one of everything that is carried. */
import type { JsonObject } from '../../simulator/contract/index.ts';
import type { Scene } from './scene.ts';
import { eventually } from '../simulator/running-cloud.ts';
import { upload } from './scene.ts';

/** Planted where secrets are, and nowhere else: it must turn up nowhere else. */
export const canary = 'canary-8f41c2';

export async function fill(scene: Scene): Promise<void> {
  const { fixture, east, west } = scene;
  await fillBlobs(scene);
  const put = (path: string, properties: JsonObject) => fixture.put(`${east}/${path}`, { properties });
  const cluster = (location: string) => ({
    location,
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
    },
  });
  await fixture.put(`${east}/computes/gpu`, cluster('eastus'));
  await fixture.put(`${west}/computes/gpu`, cluster('westus3'));
  await fillDatastores(scene);

  const blobUrl = `${scene.eastAccount.endpoint}${scene.eastContainer}`;
  await put('codes/train-src/versions/1', {
    codeUri: `${blobUrl}/LocalUpload/src`,
    properties: { hash_sha256: 'abc' },
  });
  await put('environments/sklearn', { description: 'Environments for training', tags: { owner: 'ana' } });
  for (const version of ['1', '2']) {
    await put(`environments/sklearn/versions/${version}`, {
      image: `mcr.microsoft.com/azureml/base:0.${version}`,
    });
  }
  await put('environments/sklearn/versions/3', {
    image: 'mcr.microsoft.com/azureml/base:1',
    condaFile: 'name: x\n',
    tags: { owner: 'ana' },
  });
  await put('environments/built/versions/1', {
    build: { contextUri: `${blobUrl}/LocalUpload/context`, dockerfilePath: 'Dockerfile' },
  });
  const long = east
    .replace('/resourceGroups/', '/resourcegroups/')
    .replace('/providers/Microsoft.MachineLearningServices', '');
  await put('data/transactions/versions/1', {
    dataType: 'uri_folder',
    dataUri: `azureml:/${long}/datastores/workspaceblobstore/paths/data/transactions/`,
    description: 'Card transactions',
  });
  await put('data/merchants/versions/1', {
    dataType: 'uri_file',
    dataUri: 'azureml://datastores/workspaceblobstore/paths/data/merchants and more.csv',
  });
  await put('data/features/versions/2026.1', {
    dataType: 'uri_folder',
    dataUri: 'azureml://datastores/features/paths/daily',
  });
  await put('data/scratch/versions/1', {
    dataType: 'uri_folder',
    dataUri: 'azureml://datastores/workspaceblobstore/paths/scratch',
  });
  await put('data/rates/versions/1', {
    dataType: 'uri_folder',
    dataUri: 'azureml://datastores/partner/paths/2026',
  });
  await put('models/fraud', { description: 'The fraud model', tags: { team: 'risk' } });
  for (const version of ['1', '2', '3']) {
    await put(`models/fraud/versions/${version}`, {
      modelType: 'custom_model',
      modelUri: `azureml://datastores/workspaceblobstore/paths/models/fraud-${version}`,
      tags: { stage: 'production' },
      properties: { auc: '0.9' },
    });
  }
  await put('models/baseline/versions/1', { modelUri: 'azureml://jobs/baseline-1/outputs/model/paths/best' });
  await put('models/tracked/versions/1', { modelUri: 'runs:/baseline-1/plots' });
  await fillComponents(scene);
  await fillJobs(scene);
  await fillRest(scene);
}

async function fillBlobs({ eastAccount, eastContainer }: Scene): Promise<void> {
  const blobs: [string, string][] = [
    ['data/merchants and more.csv', 'merchant,risk\n'],
    ['data/transactions-archive/old.csv', 'not carried'],
    ['LocalUpload/src/train.py', 'print(1)'],
    ['LocalUpload/src/lib/a.py', 'print(2)'],
    ['LocalUpload/context/Dockerfile', 'FROM scratch'],
    ['scratch/x.txt', 'excluded'],
    ['runs/baseline-1/model/best/model.pkl', 'the baseline'],
    ['reference/rates.csv', 'a further path'],
    ['inputs/start/weights.bin', 'weights'],
    ['checkpoints/train-1/step-9.json', '{"step":9}'],
    ['checkpoints/train-1/step-10.json', '{"step":10}'],
  ];
  for (let index = 0; index < 7; index++)
    blobs.push([`data/transactions/part-${index}.csv`, `row ${index}\n`.repeat(20)]);
  for (const version of [1, 2, 3]) blobs.push([`models/fraud-${version}/model.pkl`, `model ${version}`]);
  for (const [path, content] of blobs) await upload(eastAccount, eastContainer, path, content);
  await upload(eastAccount, 'azureml', 'ExperimentRun/dcid.baseline-1/plots/roc.png', 'a curve');
}

/** `features` and `lake` in another account of the region, `partner` in an account of another region: shared. */
async function fillDatastores({ fixture, azure, east }: Scene): Promise<void> {
  const group = fixture.group('eastus');
  const suffix = fixture.running.address.subscriptionId.slice(0, 6);
  for (const [name, location] of [
    ['feat', 'eastus'],
    ['part', 'westus3'],
  ]) {
    const id = `${group}/providers/Microsoft.Storage/storageAccounts/${name}${suffix}`;
    await fixture.put(`${id}?api-version=2023-01-01`, {
      location: location ?? '',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      properties: {},
    });
  }
  await fixture.put(`${east}/datastores/partner`, {
    properties: {
      datastoreType: 'AzureBlob',
      accountName: `part${suffix}`,
      containerName: 'rates',
      credentials: {
        credentialsType: 'AccountKey',
        secrets: { secretsType: 'AccountKey', key: `${canary}-partner` },
      },
    },
  });
  const features = await azure.blobAccount(`${group}/providers/Microsoft.Storage/storageAccounts/feat${suffix}`);
  await upload(features, 'features', 'daily/f1.parquet', 'features 1');
  await upload(features, 'features', 'daily/deep/f2.parquet', 'features 2');
  await fixture.put(`${east}/datastores/features`, {
    properties: {
      datastoreType: 'AzureBlob',
      accountName: `feat${suffix}`,
      containerName: 'features',
      credentials: {
        credentialsType: 'AccountKey',
        secrets: { secretsType: 'AccountKey', key: `${canary}-key` },
      },
      tags: { owner: 'platform' },
    },
  });
  await fixture.put(`${east}/datastores/lake`, {
    properties: {
      datastoreType: 'AzureDataLakeGen2',
      accountName: `feat${suffix}`,
      filesystem: 'features',
      credentials: {
        credentialsType: 'ServicePrincipal',
        tenantId: '00000000-0000-0000-0000-000000000001',
        clientId: '00000000-0000-0000-0000-000000000002',
        secrets: { secretsType: 'ServicePrincipal', clientSecret: `${canary}-sp` },
      },
    },
  });
}

async function fillComponents({ fixture, east }: Scene): Promise<void> {
  // The pipeline sorts before what it is made of.
  const command = {
    type: 'command',
    command: 'python train.py',
    environment: `azureml:${east}/environments/sklearn/versions/3`,
    code: `azureml:${east}/codes/train-src/versions/1`,
  };
  await fixture.put(`${east}/components/z_train/versions/1.0.0`, {
    properties: { componentSpec: { name: 'z_train', version: '1.0.0', ...command } },
  });
  await fixture.put(`${east}/components/a_pipeline/versions/2`, {
    properties: {
      componentSpec: {
        name: 'a_pipeline',
        version: '2',
        type: 'pipeline',
        jobs: { train: { type: 'command', component: `azureml:${east}/components/z_train/versions/1.0.0` } },
      },
    },
  });
}

async function fillJobs({ fixture, east }: Scene): Promise<void> {
  await fixture.put(`${east}/jobs/baseline-1`, {
    properties: {
      jobType: 'Command',
      command: 'python baseline.py',
      environmentId: `${east}/environments/sklearn/versions/3`,
      computeId: `${east}/computes/gpu`,
      outputs: {
        model: {
          jobOutputType: 'uri_folder',
          uri: 'azureml://datastores/workspaceblobstore/paths/runs/${{name}}/model',
        },
      },
      properties: {
        'simulator.prepareSeconds': '0',
        'simulator.queueSeconds': '0',
        'simulator.runSeconds': '0',
      },
    },
  });
  await eventually(
    async () => (await fixture.arm('GET', `${east}/jobs/baseline-1`)).body.properties as JsonObject,
    ({ status }) => status === 'Completed',
  );
  await fixture.put(`${east}/jobs/train-1`, {
    properties: {
      jobType: 'Command',
      command: 'python train.py --resume ${{inputs.resume_from}}',
      codeId: `${east}/codes/train-src/versions/1`,
      // Older than the versions that the topology carries.
      environmentId: `${east}/environments/sklearn/versions/1`,
      computeId: `${east}/computes/gpu`,
      inputs: {
        resume_from: {
          jobInputType: 'uri_folder',
          uri: 'azureml://datastores/workspaceblobstore/paths/inputs/start',
        },
      },
      outputs: {
        checkpoints: {
          jobOutputType: 'uri_folder',
          mode: 'ReadWriteMount',
          uri: 'azureml://datastores/workspaceblobstore/paths/checkpoints/${{name}}/',
        },
      },
      properties: {
        'simulator.prepareSeconds': '0',
        'simulator.queueSeconds': '0',
        'simulator.runSeconds': '36000',
      },
      tags: { priority: 'high' },
    },
  });
}

async function fillRest({ fixture, east }: Scene): Promise<void> {
  await fixture.put(`${east}/connections/python-feed`, {
    properties: {
      category: 'PythonFeed',
      authType: 'PAT',
      target: 'https://feeds.example/simple',
      credentials: { pat: `${canary}-pat` },
    },
  });
  const schedule = (isEnabled: boolean) => ({
    properties: {
      displayName: 'Nightly',
      isEnabled,
      trigger: { triggerType: 'Cron', expression: '30 1 * * *', timeZone: 'UTC' },
      action: {
        actionType: 'CreateJob',
        jobDefinition: {
          jobType: 'Command',
          command: 'python nightly.py',
          environmentId: `${east}/environments/sklearn/versions/3`,
          computeId: `${east}/computes/gpu`,
          queueSettings: { jobTier: 'Standard' },
        },
      },
    },
  });
  await fixture.put(`${east}/schedules/nightly`, schedule(true));
  await fixture.put(`${east}/schedules/paused`, schedule(false));
}

/** The part of the topology that `fill` expects. */
export const artifacts = {
  exclude: ['data/scratch/**'],
  versions: 2,
  paths: [{ datastore: 'workspaceblobstore', path: 'reference' }],
};
