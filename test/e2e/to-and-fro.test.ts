/**
 * There and back, twice: after every move, and every replication, the active workspace's datastores are used with what
 * it holds, and a real job reads and writes through them; schedules fire on one side only.
 */
import { randomUUID } from 'node:crypto';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from './azure-reader.ts';
import { Scene } from './harness.ts';
import { journals, pointerOf, readControlStore } from './judge.ts';
import { waitFor } from './processes.ts';
import { enabledSchedules, ScheduleWatch } from './schedule-watch.ts';

const storageVersion = '2023-05-01';
const rolesVersion = '2022-04-01';
/** Storage Blob Data Contributor. */
const contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe';
const added = ['by_identity', 'by_key', 'by_signature'];

describe('there and back, twice', () => {
  let scene: Scene;
  const workspaces = { eastus: '', westus3: '' };
  let watch: ScheduleWatch | undefined;

  beforeAll(async () => {
    scene = await Scene.open();
    workspaces.eastus = scene.azure.workspace('ml-east', 'fraud-east');
    workspaces.westus3 = scene.azure.workspace('ml-west', 'fraud-west');
    for (const id of Object.values(workspaces)) {
      await addCompute(id);
      await addRole(id);
    }
    await addDatastores();
    watch = new ScheduleWatch(scene.azure, [workspaces.eastus, workspaces.westus3]);
    await typed('replicate');
  });
  afterAll(async () => {
    await watch?.stop();
    await scene?.close();
  });

  async function typed(...args: string[]): Promise<void> {
    const { code, output } = await scene.run(args);
    expect(code, output).toBe(0);
  }

  const move = (to: string, reason: string) =>
    typed('failover', '--to', to, '--yes', '--even-if-healthy', '--reason', reason);

  async function addCompute(id: string): Promise<void> {
    const { location } = await scene.azure.get(id);
    const properties = {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 1 } },
    };
    await scene.azure.put(`${id}/computes/real`, {
      location,
      tags: { 'local-azure-execute': 'true' },
      properties,
    });
  }

  async function addRole(id: string): Promise<void> {
    const workspace = await scene.azure.get(id);
    const { principalId } = workspace.identity as { principalId: string };
    const roleDefinitionId = `/subscriptions/${scene.cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${contributor}`;
    await scene.azure.put(
      `${String(workspace.properties.storageAccount)}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      { properties: { roleDefinitionId, principalId, principalType: 'ServicePrincipal' } },
      rolesVersion,
    );
  }

  async function addDatastores(): Promise<void> {
    const { properties } = await scene.azure.get(workspaces.eastus);
    const account = await scene.azure.get(String(properties.storageAccount), storageVersion);
    const blobs = await scene.azure.blobs(account.id);
    const container = blobs.getContainerClient('more');
    await container.createIfNotExists();
    await container.getBlockBlobClient('data/a.csv').upload('a,b\n1,2\n', 8);
    const [key] = await scene.azure.keysOf(account.id);
    const expiresOn = new Date(Date.now() + 86_400_000);
    const url = await container.generateSasUrl({ permissions: 'rlcw' as never, expiresOn });
    const credentials = {
      by_key: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key } },
      by_signature: { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: url.split('?')[1] } },
      by_identity: { credentialsType: 'None' },
    };
    for (const [name, each] of Object.entries(credentials)) {
      await scene.azure.put(`${workspaces.eastus}/datastores/${name}`, {
        properties: {
          datastoreType: 'AzureBlob',
          accountName: account.name,
          containerName: 'more',
          credentials: each,
          ...(name === 'by_identity' ? { serviceDataAccessAuthIdentity: 'WorkspaceSystemAssignedIdentity' } : {}),
        },
      });
      await scene.azure.put(`${workspaces.eastus}/data/of_${name}/versions/1`, {
        properties: { dataType: 'uri_folder', dataUri: `azureml://datastores/${name}/paths/data/` },
      });
    }
  }

  /** Everything that a person of the workspace does with its storage. */
  async function use(region: keyof typeof workspaces): Promise<void> {
    expect(pointerOf(await readControlStore(scene)).writer).toBe(region);
    const id = workspaces[region];
    const { properties } = await scene.azure.get(id);
    const account = await scene.azure.get(String(properties.storageAccount), storageVersion);
    const datastores = await scene.azure.list(`${id}/datastores`);
    expect(datastores.map(({ name }) => name)).toEqual(expect.arrayContaining(added));
    for (const datastore of datastores) await open(account, id, datastore);
    await runJob(id);
    await waitFor('schedules of one side only', async () => {
      const other = region === 'eastus' ? 'westus3' : 'eastus';
      const here = await enabledSchedules(scene.azure, id);
      const there = await enabledSchedules(scene.azure, workspaces[other]);
      return here.length > 0 && there.length === 0 ? true : undefined;
    });
  }

  /** Lists it, and writes into the default one as an upload does, with what the workspace holds. */
  async function open(account: Resource, workspace: string, { name, properties }: Resource): Promise<void> {
    if (properties.datastoreType !== 'AzureBlob' || name === 'by_identity') return;
    const { blob } = account.properties.primaryEndpoints as { blob: string };
    const { key, sasToken } = (await scene.azure.post(`${workspace}/datastores/${name}/listSecrets`)) as {
      key?: string;
      sasToken?: string;
    };
    const url = `${blob}${String(properties.containerName)}`;
    const client =
      key === undefined
        ? new ContainerClient(`${url}?${String(sasToken).replace('?', '')}`)
        : new ContainerClient(url, new StorageSharedKeyCredential(account.name, key));
    const page = await client.listBlobsFlat().byPage({ maxPageSize: 1 }).next();
    expect(page.done, name).toBe(false);
    if (name === 'workspaceblobstore') await client.getBlockBlobClient('LocalUpload/x/train.py').upload('print(1)', 8);
  }

  async function runJob(workspace: string): Promise<void> {
    const name = `real-${randomUUID()}`;
    const input = (store: string) => ({
      jobInputType: 'uri_file',
      uri: `azureml://datastores/${store}/paths/data/a.csv`,
    });
    const [environment] = await scene.azure.list(`${workspace}/environments`);
    const [version] = await scene.azure.list(`${environment?.id}/versions`);
    await scene.azure.put(`${workspace}/jobs/${name}`, {
      properties: {
        jobType: 'Command',
        command: `cat ${added.map((store) => `"\${{inputs.${store}}}"`).join(' ')} > "\${{outputs.all}}/all.csv"`,
        computeId: `${workspace}/computes/real`,
        environmentId: version?.id,
        inputs: Object.fromEntries(added.map((store) => [store, input(store)])),
        outputs: { all: { jobOutputType: 'uri_folder', mode: 'Upload' } },
      },
    });
    const ended = await waitFor(`job ${name}`, async () => {
      const { properties } = await scene.azure.get(`${workspace}/jobs/${name}`);
      const { status } = properties;
      return ['Completed', 'Failed', 'Canceled'].includes(String(status)) ? String(status) : undefined;
    });
    expect(ended).toBe('Completed');
  }

  it('there, while the old region is dark; then its debts are paid', async () => {
    await use('eastus');
    await scene.outage('eastus', 'dark');
    await typed('failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark');
    await scene.outage('eastus', 'none');
    // The dark region's schedules fired unseen until this: nobody could stop them.
    await typed('reprotect');
    watch?.reset();
    await use('westus3');
    expect((await scene.run(['status'])).output).not.toMatch(/^OWED/m);
  });

  it('back: what paying the debts took has been given back', async () => {
    await move('eastus', 'back');
    const [run] = journals(await readControlStore(scene), 'reprotect');
    expect(run?.steps.get('readmit')).toMatchObject({
      state: 'completed',
      detail: expect.stringMatching(/^gave back 1 of 1 roles/) as string,
    });
    await use('eastus');
    await typed('reprotect');
    await use('eastus');
  });

  it('there again: what the fence of the healthy region took is given back', async () => {
    await move('westus3', 'there again');
    await use('westus3');
    await typed('reprotect');
    await use('westus3');
  });

  it('and back again; at no moment did the schedules of both sides fire', async () => {
    await move('eastus', 'back again');
    await use('eastus');
    expect(await watch?.stop()).toEqual([]);
  });
});
