/** Beliefs about workspaces: assets, jobs, datastores, clusters, keys. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiVersions, type ArmResource, type JsonObject } from '../../src/azure/azure.ts';
import { compareQuota, type Usage } from '../../src/operations/plans/quota.ts';
import { isReal, openPlace, deadline, type Place } from './place.ts';

const version = apiVersions.machineLearning;
let place: Place;
let first: string;
let second: string;

/** The project's own template, with one cluster that has no node until a job asks for one. */
async function workspace(prefix: string): Promise<string> {
  const file = join(import.meta.dirname, '..', '..', 'templates', 'workspace.json');
  const outputs = await place.deploy(JSON.parse(await readFile(file, 'utf8')) as JsonObject, {
    workspaceName: place.name(prefix),
    storageAccountName: place.name(`${prefix}st`),
    keyVaultName: place.name(`${prefix}kv`),
    applicationInsightsName: place.name(`${prefix}ai`),
    logAnalyticsName: place.name(`${prefix}la`),
    computes: [{ name: 'cpu', vmSize: 'Standard_DS3_v2', minNodes: 0, maxNodes: 1, idleTime: 'PT2M' }],
  });
  return outputs.workspaceId as string;
}

beforeAll(async () => {
  place = await openPlace();
  first = await workspace('asma');
  second = await workspace('asmb');
}, deadline);
afterAll(() => place?.close(), deadline);

const put = (path: string, body: JsonObject): Promise<ArmResource> => place.azure.arm.put(path, version, body);
const get = (path: string): Promise<ArmResource> => place.azure.arm.get(path, version);
const datastore = async (of: string) => (await get(`${of}/datastores/workspaceblobstore`)).properties;

describe('a workspace', { timeout: deadline }, () => {
  it('has a container that bears its GUID', async () => {
    const { workspaceId } = (await get(first)).properties as { workspaceId: string };
    expect(await datastore(first)).toMatchObject({ containerName: `azureml-blobstore-${workspaceId}` });
  });

  it('reads the new keys of its storage when it is told to', async () => {
    const storage = (await get(first)).properties.storageAccount as string;
    await place.azure.arm.post(`${storage}/regenerateKey`, apiVersions.storage, { keyName: 'key1' });
    await expect(place.azure.arm.post(`${first}/resyncKeys`, version)).resolves.toBeDefined();
  });

  it('answers the secrets of a datastore to who may list them', async () => {
    const secrets = await place.azure.arm.post(`${first}/datastores/workspaceblobstore/listSecrets`, version);
    expect(secrets).toMatchObject({ secretsType: 'AccountKey', key: expect.any(String) });
  });

  it('takes a datastore whose storage nobody has asked', async () => {
    const made = await put(`${second}/datastores/unasked?skipValidation=true`, {
      properties: {
        datastoreType: 'AzureBlob',
        accountName: 'understudynobodyhasthis',
        containerName: 'c',
        endpoint: 'core.windows.net',
        protocol: 'https',
        credentials: { credentialsType: 'None' },
      },
    });
    expect(made.properties.accountName).toBe('understudynobodyhasthis');
  });
});

describe('an asset', { timeout: deadline }, () => {
  it('gets its own name and version in another workspace, and its place does not change after that', async () => {
    for (const of of [first, second]) {
      const body = (folder: string): JsonObject => ({
        properties: {
          dataType: 'uri_folder',
          dataUri: `azureml://subscriptions/${of.split('/')[2]}/resourcegroups/${of.split('/')[4]}/workspaces/${of.split('/').at(-1)}/datastores/workspaceblobstore/paths/${folder}/`,
        },
      });
      const path = `${of}/data/held/versions/7`;
      expect((await put(path, body('one'))).name).toBe('7');
      await expect(put(path, body('two'))).rejects.toMatchObject({ code: 'AzureError' });
      expect(JSON.stringify(await get(path))).toContain('/one');
    }
  });

  it('is found whatever the case of its path', async () => {
    const shouted = `${first.replace('/workspaces/', '/WORKSPACES/')}/data/held/versions/7`;
    expect((await get(shouted)).name).toBe('7');
  });
});

describe('a schedule', { timeout: deadline }, () => {
  it('is disabled by a PUT of itself', async () => {
    const path = `${first}/schedules/nightly`;
    await put(path, {
      properties: {
        displayName: 'nightly',
        isEnabled: true,
        trigger: { triggerType: 'Cron', expression: '0 3 * * *', timeZone: 'UTC' },
        action: { actionType: 'CreateJob', jobDefinition: job('echo scheduled') },
      },
    });
    const { properties } = await get(path);
    await put(path, { properties: { ...properties, isEnabled: false } });
    expect((await get(path)).properties).toMatchObject({ isEnabled: false, displayName: 'nightly' });
  });
});

describe('a job', { timeout: deadline }, () => {
  it('is put once under a name; another under that name is refused; cancel takes effect later, and once', async () => {
    const path = `${first}/jobs/${place.name('held-')}`;
    const made = await put(path, { properties: job('sleep 600') });
    expect((await put(path, { properties: job('sleep 600') })).id).toBe(made.id);
    await expect(put(path, { properties: job('sleep 1') })).rejects.toMatchObject({ code: 'AzureError' });
    await place.azure.arm.post(`${path}/cancel`, version);
    await expect
      .poll(async () => (await get(path)).properties.status, {
        timeout: deadline,
        interval: isReal ? 5000 : 100,
      })
      .toBe('Canceled');
  });
});

describe('quota', { timeout: deadline }, () => {
  it('is said of families by other names than sizes have, and they can be brought together', async () => {
    const base = `${place.subscription}/providers/Microsoft.MachineLearningServices/locations/${place.location}`;
    const sizes = (await get(`${base}/vmSizes`)) as unknown as {
      value: { name: string; family: string; vCPUs: number }[];
    };
    const usages = await Array.fromAsync(place.azure.arm.list(`${base}/usages`, version));
    const wanted = [{ user: 'all', vmSize: 'Standard_DS3_v2', count: 1_000_000 }];
    const { problems } = compareQuota({
      wanted,
      present: [],
      sizes: sizes.value,
      usages: usages as unknown as Usage[],
    });
    expect(problems).toMatchObject([{ users: ['all'], needed: 4_000_000 }]);
  });

  it('lets a cluster grow by a PATCH of its most nodes', async () => {
    const path = `${second}/computes/cpu`;
    const scaleSettings = { minNodeCount: 0, maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: 'PT120S' };
    await place.azure.arm.patch(path, version, { properties: { properties: { scaleSettings } } });
    expect((await get(path)).properties).toMatchObject({
      properties: { scaleSettings: { maxNodeCount: 2 } },
    });
  });
});

function job(command: string): JsonObject {
  return {
    jobType: 'Command',
    experimentName: 'assumptions',
    command,
    environmentId: 'azureml://registries/azureml/environments/sklearn-1.5/labels/latest',
    computeId: `${first}/computes/cpu`,
  };
}
