import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, startFixture, type Fixture } from './fixture.ts';

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

describe('a cluster that is there', () => {
  it('keeps what was chosen once, whatever a PUT says or leaves out', async () => {
    const inner = (more: JsonObject): JsonObject => ({
      properties: {
        computeType: 'AmlCompute',
        properties: { scaleSettings: { minNodeCount: 0, maxNodeCount: 2 }, ...more },
      },
    });
    const subnet = `${azure.group('eastus')}/providers/Microsoft.Network/virtualNetworks/ml/subnets/train`;
    const network = (path: string, properties: JsonObject): Promise<JsonObject> =>
      azure.put(`${path}?api-version=2024-01-01`, { location: 'eastus', properties });
    await network(subnet.replace(/\/subnets.*/, ''), { addressSpace: { addressPrefixes: ['10.0.0.0/16'] } });
    await network(subnet, { addressPrefix: '10.0.1.0/24' });
    const chosen = {
      vmSize: 'Standard_F4s_v2',
      vmPriority: 'LowPriority',
      enableNodePublicIp: false,
      subnet: { id: subnet },
    };
    await azure.put(at('settled'), inner(chosen));
    for (const [field, value] of Object.entries({
      vmSize: 'Standard_F8s_v2',
      vmPriority: 'Dedicated',
      osType: 'Windows',
      enableNodePublicIp: true,
      isolatedNetwork: true,
      subnet: { id: `${subnet}2` },
      virtualMachineImage: { id: subnet },
    })) {
      const { status, body } = await azure.arm('PUT', at('settled'), inner({ ...chosen, [field]: value }));
      expect([status, refusal(body)]).toMatchObject([
        400,
        {
          code: 'UserError',
          message: expect.stringContaining(`The ${field} of the compute 'settled' cannot`),
        },
      ]);
    }
    const again = { ...chosen, vmSize: 'STANDARD_F4S_V2', subnet: { id: subnet.toUpperCase() } };
    await azure.put(at('settled'), inner(again));
    const scaled = await azure.put(at('settled'), { ...inner({}), tags: { team: 'ml' } });
    expect(scaled).toMatchObject({
      tags: { team: 'ml' },
      properties: { properties: { vmPriority: 'LowPriority', enableNodePublicIp: false, osType: 'Linux' } },
    });
  });
});

describe('what is to be the id of a resource', () => {
  it.each([
    ['AmlCompute', 'properties.properties.subnet.id', '/subscriptions/x/nope'],
    ['ComputeInstance', 'properties.properties.subnet.id', 'default'],
    ['Kubernetes', 'properties.resourceId', ''],
  ])('of a compute of type %s, at %s, is not "%s"', async (computeType, path, id) => {
    const inner = { vmSize: 'Standard_DS3_v2', ...(path.includes('subnet') ? { subnet: { id } } : {}) };
    const { status, body } = await azure.arm('PUT', at('malformed'), {
      location: 'eastus',
      properties: { computeType, properties: inner, ...(path.includes('subnet') ? {} : { resourceId: id }) },
    });
    expect([status, refusal(body)]).toMatchObject([
      400,
      {
        code: 'LinkedInvalidPropertyId',
        message: expect.stringMatching(
          new RegExp(`^Property id '${id}' at path '${path}' is invalid. Expect fully qualified resource Id`),
        ),
      },
    ]);
  });
});
