/** What two workspaces of a scene may share, made as people make it: by ARM, on the local Azure. */
import type { JsonObject } from '../../simulator/contract/index.ts';
import { apiVersions, type BlobAccount } from '../../src/azure/azure.ts';
import type { Planning } from '../../src/operations/plans/planning.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { upload, type Scene } from '../recovery-point/scene.ts';

export interface Lake {
  id: string;
  name: string;
  account: BlobAccount;
}

/** An account in a region, with one blob, attached to both workspaces as the datastore `datastore`. */
export async function shareAccount(
  scene: Scene,
  datastore: string,
  { region = 'eastus', sku = 'Standard_LRS', keys = true, sides = [scene.east, scene.west] } = {},
): Promise<Lake> {
  const { fixture, azure } = scene;
  const name = `${datastore}${fixture.running.address.subscriptionId.slice(0, 6)}`;
  const id = `${fixture.group(region)}/providers/Microsoft.Storage/storageAccounts/${name}`;
  await fixture.put(`${id}?api-version=2023-01-01`, {
    location: region,
    kind: 'StorageV2',
    sku: { name: sku },
    properties: {},
  });
  const account = await azure.blobAccount(id);
  await upload(account, 'curated', 'daily/part-0.csv', `of ${datastore}`);
  for (const side of sides) await attach(scene, side, datastore, { id, name, keys });
  return { id, name, account };
}

export async function attach(
  { azure, fixture }: Scene,
  workspace: string,
  datastore: string,
  { id, name, keys = true, container = 'curated' }: { id: string; name: string; keys?: boolean; container?: string },
): Promise<void> {
  const answer = (await azure.arm.post(`${id}/listKeys`, apiVersions.storage)) as {
    keys: { value: string }[];
  };
  const credentials: JsonObject = keys
    ? {
        credentialsType: 'AccountKey',
        secrets: { secretsType: 'AccountKey', key: answer.keys[0]?.value ?? '' },
      }
    : { credentialsType: 'None' };
  await fixture.put(`${workspace}/datastores/${datastore}`, {
    properties: {
      datastoreType: 'AzureBlob',
      accountName: name,
      containerName: container,
      subscriptionId: id.split('/')[2] ?? '',
      resourceGroup: id.split('/')[4] ?? '',
      credentials,
    },
  });
}

/** A data asset of the active workspace, in a datastore. */
export async function putData(scene: Scene, name: string, datastore: string): Promise<void> {
  await scene.fixture.put(`${scene.east}/data/${name}/versions/1`, {
    properties: { dataType: 'uri_folder', dataUri: `azureml://datastores/${datastore}/paths/daily` },
  });
}

/** A job that runs on, and reads a data asset. */
export async function putJob(scene: Scene, name: string, data: string): Promise<void> {
  const { fixture, east } = scene;
  await fixture.put(`${east}/jobs/${name}`, {
    properties: {
      jobType: 'Command',
      command: 'python train.py',
      environmentId: `${east}/environments/sklearn/versions/1`,
      computeId: `${east}/computes/gpu`,
      inputs: { data: { jobInputType: 'uri_folder', uri: `${east}/data/${data}/versions/1` } },
      properties: { 'simulator.runSeconds': '36000' },
    },
  });
}

export async function putTrainingGround({ fixture, east, west }: Scene): Promise<void> {
  await fixture.put(`${east}/environments/sklearn/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  for (const [side, location] of [
    [east, 'eastus'],
    [west, 'westus3'],
  ] as const)
    await fixture.put(`${side}/computes/gpu`, {
      location,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
      },
    });
}

/** What a plan is made from, on the scene's cloud and store. */
export function planningFor({ azure, store, topology: own }: Scene, topology: Topology = own): Planning {
  return { azure, store, topology, bundle: 'b'.repeat(64), now: new Date() };
}
