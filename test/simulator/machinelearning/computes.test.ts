import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setQuota, setSizeOffered } from '../../../simulator/machinelearning/index.ts';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
}, 60_000);
afterAll(() => azure?.close());

const refusal = (body: JsonObject): { code: string; message: string } =>
  body.error as { code: string; message: string };
const at = (name: string): string => `${workspace}/computes/${name}`;
const cluster = (vmSize: string, minNodeCount: number, maxNodeCount: number): JsonObject => ({
  properties: {
    computeType: 'AmlCompute',
    properties: {
      vmSize,
      scaleSettings: { minNodeCount, maxNodeCount, nodeIdleTimeBeforeScaleDown: 'PT5M' },
    },
  },
});
const scale = (minNodeCount: number, maxNodeCount: number): JsonObject => ({
  properties: { properties: { scaleSettings: { minNodeCount, maxNodeCount } } },
});

async function usage(label: string): Promise<JsonObject> {
  const path = `${azure.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus/usages`;
  const found = (await azure.list(path)).find((entry) => (entry.name as JsonObject).value === label);
  if (!found) throw new Error(`no usage '${label}'`);
  return found;
}

describe('a cluster', () => {
  it('may be of any size of a series that is offered', async () => {
    const { body } = await azure.arm(
      'GET',
      `${azure.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus/vmSizes`,
    );
    const sizes = new Map((body.value as JsonObject[]).map((size) => [size.name, size]));
    expect(sizes.get('Standard_E64s_v3')).toMatchObject({ family: 'standardESv3Family', vCPUs: 64 });
    expect(sizes.get('Standard_D4as_v4')).toMatchObject({ family: 'standardDASv4Family', memoryGB: 16 });
    const made = await azure.put(at('big'), cluster('STANDARD_E64S_V3', 0, 1));
    expect(properties(made).provisioningState).toBe('Succeeded');
  });

  it('is made by a long-running operation, in its workspace’s region', async () => {
    const answer = await azure.arm('PUT', at('cpu-cluster'), cluster('STANDARD_DS3_V2', 0, 4));
    expect(answer.status).toBe(201);
    expect(answer.headers['azure-asyncoperation']).toContain('/operationStatuses/');
    expect(properties(answer.body).provisioningState).toBe('Creating');
    await azure.settle(answer);
    const { body } = await azure.arm('GET', at('cpu-cluster'));
    expect(properties(body)).toMatchObject({
      provisioningState: 'Succeeded',
      computeLocation: 'eastus',
      isAttachedCompute: false,
      properties: {
        vmSize: 'STANDARD_DS3_V2',
        allocationState: 'Steady',
        currentNodeCount: 0,
        scaleSettings: { maxNodeCount: 4, nodeIdleTimeBeforeScaleDown: 'PT5M' },
      },
    });
  });

  it('scales, and nothing else of it changes', async () => {
    const scaled = await azure.put(at('cpu-cluster'), scale(2, 6), 'PATCH');
    expect(properties(scaled).properties).toMatchObject({
      vmSize: 'STANDARD_DS3_V2',
      currentNodeCount: 2,
      scaleSettings: { minNodeCount: 2, maxNodeCount: 6 },
    });
    expect(await usage('Standard DSv2 Family Cluster Dedicated vCPUs')).toMatchObject({ currentValue: 8 });
    const sized = await azure.arm('PUT', at('cpu-cluster'), cluster('STANDARD_DS4_V2', 0, 4));
    expect([sized.status, refusal(sized.body).message]).toEqual([400, expect.stringContaining('cannot be changed')]);
    const upside = await azure.arm('PATCH', at('cpu-cluster'), scale(7, 6));
    expect([upside.status, refusal(upside.body).message]).toEqual([400, expect.stringContaining('must not exceed')]);
    const fraction = await azure.arm('PATCH', at('cpu-cluster'), scale(0, 1.5));
    expect(refusal(fraction.body).message).toContain('whole number');
    expect(properties((await azure.arm('GET', at('cpu-cluster'))).body).properties).toMatchObject({
      scaleSettings: { maxNodeCount: 6 },
    });
  });

  it('must fit the quota of its family and the sizes of its region', async () => {
    const { cloud } = azure.running;
    setQuota(cloud, 'eastus', 'standardDSv3Family', 16);
    const tooLarge = await azure.arm('PUT', at('large'), cluster('Standard_D4s_v3', 0, 5));
    expect([tooLarge.status, refusal(tooLarge.body)]).toMatchObject([
      400,
      {
        code: 'QuotaExceeded',
        message: expect.stringMatching(/Maximum allowed: 16.*additional requested: 20/),
      },
    ]);
    await azure.put(at('large'), cluster('Standard_D4s_v3', 3, 4));
    const second = await azure.arm('PUT', at('second'), cluster('Standard_D4s_v3', 2, 4));
    expect(refusal(second.body)).toMatchObject({
      code: 'QuotaExceeded',
      message: expect.stringMatching(/in use: 12.*additional requested: 8/),
    });
    const grown = await azure.arm('PATCH', at('large'), scale(0, 8));
    expect([grown.status, refusal(grown.body).code]).toEqual([400, 'QuotaExceeded']);
    expect(await usage('Standard DSv3 Family Cluster Dedicated vCPUs')).toMatchObject({
      currentValue: 12,
      limit: 16,
    });
    setSizeOffered(cloud, 'eastus', 'Standard_NC6s_v3', false);
    const withdrawn = await azure.arm('PUT', at('gpu'), cluster('Standard_NC6s_v3', 0, 1));
    expect([withdrawn.status, refusal(withdrawn.body).code]).toEqual([400, 'SkuNotAvailable']);
    const sizes = await azure.list(
      `${azure.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus/vmSizes`,
    );
    expect(sizes.map((size) => size.name)).toContain('Standard_NC24ads_A100_v4');
    expect(sizes.map((size) => size.name)).not.toContain('Standard_NC6s_v3');
    expect(() => setQuota(cloud, 'eastus', 'standardXFamily', 1)).toThrow(/standardDSv2Family/);
  });

  it('keeps to the share of quota that its workspace was given', async () => {
    const base = `${azure.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus`;
    const id = `${workspace}/quotas/Standard_ESv3_Family_Cluster_Dedicated_vCPUs`;
    const update = async (value: JsonObject[]): Promise<unknown> =>
      (await azure.arm('POST', `${base}/updateQuotas`, { value })).body.value;
    expect(
      await update([
        { id, limit: 8 },
        { id, limit: 100_000 },
        { id: `${workspace}/quotas/Nonsense`, limit: 1 },
      ]),
    ).toMatchObject([
      { status: 'Success', limit: 8 },
      { status: 'InvalidQuotaExceedsSubscriptionLimit' },
      { status: 'InvalidVMFamilyName' },
    ]);
    expect(refusal((await azure.arm('PUT', at('memory'), cluster('Standard_E4s_v3', 0, 3))).body).code).toBe(
      'QuotaExceeded',
    );
    await azure.put(at('memory'), cluster('Standard_E4s_v3', 0, 2));
    const shares = (await azure.list(`${base}/quotas`)).filter((quota) => quota.id === id);
    expect(shares).toMatchObject([{ type: 'Microsoft.MachineLearningServices/workspaces/quotas', limit: 8 }]);
  });

  it('is refused for a bad name, an unknown kind, or in a workspace that is not there', async () => {
    expect((await azure.arm('PUT', at('a'), cluster('STANDARD_DS3_V2', 0, 1))).status).toBe(400);
    const kind = await azure.arm('PUT', at('odd'), { properties: { computeType: 'Mainframe' } });
    expect(refusal(kind.body).message).toContain("got 'Mainframe'");
    const orphan = await azure.arm('PUT', at('cpu').replace('fraud-east', 'nowhere'), cluster('STANDARD_DS3_V2', 0, 1));
    expect(orphan.status).toBe(404);
  });
});

describe('the name of a compute', () => {
  it.each([
    ['AmlCompute', 'my_cluster'],
    ['AmlCompute', 'c1'],
    ['ComputeInstance', 'an-instance-of-some-length'],
    ['Kubernetes', 'a-cluster-of-pods'],
    ['Kubernetes', '2nd'],
  ])('of type %s is not %s', async (computeType, name) => {
    const { status, body } = await azure.arm('PUT', at(name), {
      location: 'eastus',
      properties: { computeType, properties: { vmSize: 'Standard_DS3_v2' } },
    });
    expect([status, message(body)]).toEqual([400, expect.stringContaining(`"${name}" is invalid`)]);
  });
});

describe('a compute instance', () => {
  it('stops, starts and restarts', async () => {
    const made = await azure.put(at('notebook-ana'), {
      properties: { computeType: 'ComputeInstance', properties: { vmSize: 'Standard_DS3_v2' } },
    });
    const state = async (): Promise<unknown> =>
      (properties((await azure.arm('GET', at('notebook-ana'))).body).properties as JsonObject).state;
    expect(properties(made).properties).toMatchObject({
      state: 'Running',
      lastOperation: { operationName: 'Create', operationStatus: 'Succeeded' },
    });
    const stopping = await azure.arm('POST', `${at('notebook-ana')}/stop`);
    expect([stopping.status, await state()]).toEqual([202, 'Stopping']);
    const twice = await azure.arm('POST', `${at('notebook-ana')}/restart`);
    expect(twice.status).toBe(409);
    await azure.settle(stopping);
    expect(await state()).toBe('Stopped');
    await azure.settle(await azure.arm('POST', `${at('notebook-ana')}/start`));
    expect(await state()).toBe('Running');
    await azure.settle(await azure.arm('POST', `${at('notebook-ana')}/restart`));
    expect(await state()).toBe('Running');
    const cluster = await azure.arm('POST', `${at('cpu-cluster')}/stop`);
    expect([cluster.status, refusal(cluster.body).message]).toEqual([
      400,
      expect.stringContaining('no compute instance'),
    ]);
  });
});

describe('what a compute names', () => {
  const group = (): string => workspace.split('/providers/')[0] ?? '';
  it.each([
    ['managedClusters', 'Kubernetes', 'Microsoft.ContainerService/managedClusters/none'],
    ['subnets', 'AmlCompute', 'Microsoft.Network/virtualNetworks/none/subnets/train'],
  ])('among %s must be there', async (_kind, computeType, below) => {
    const id = `${group()}/providers/${below}`;
    const { status, body } = await azure.arm('PUT', at('refers'), {
      location: 'eastus',
      properties:
        computeType === 'Kubernetes'
          ? { computeType, resourceId: id }
          : { computeType, properties: { vmSize: 'Standard_DS3_v2', subnet: { id } } },
    });
    expect([status, message(body)]).toEqual([400, expect.stringContaining(`'${id}' was not found`)]);
  });
});

describe('an attached compute', () => {
  it('is detached, and its secrets are shown by listKeys alone', async () => {
    const resourceId = `${azure.group('eastus')}/providers/Microsoft.Databricks/workspaces/bricks`;
    await azure.put(`${resourceId}?api-version=2024-05-01`, { location: 'eastus', properties: {} });
    const body = {
      properties: {
        computeType: 'Databricks',
        resourceId,
        properties: { databricksAccessToken: 'canary-token', workspaceUrl: 'https://bricks' },
      },
    };
    const made = await azure.put(at('bricks'), body);
    expect(properties(made)).toMatchObject({
      isAttachedCompute: true,
      properties: { workspaceUrl: 'https://bricks' },
    });
    expect(JSON.stringify(made)).not.toContain('canary');
    expect((await azure.arm('POST', `${at('bricks')}/listKeys`)).body).toEqual({
      computeType: 'Databricks',
      databricksAccessToken: 'canary-token',
    });
    await azure.settle(await azure.arm('DELETE', `${at('bricks')}?underlyingResourceAction=Detach`));
    expect((await azure.arm('GET', at('bricks'))).status).toBe(404);
    const managed = await azure.arm('DELETE', `${at('cpu-cluster')}?underlyingResourceAction=Detach`);
    expect([managed.status, refusal(managed.body).message]).toEqual([
      400,
      expect.stringContaining('cannot be detached'),
    ]);
  });
});
