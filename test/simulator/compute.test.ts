import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setSizeOffered } from '../../simulator/machinelearning/computes/sizes.ts';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { codeOf } from './principals.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2021-07-01';
let cloud: TestCloud;
let base: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  base = `${cloud.subscription}/providers/Microsoft.Compute`;
}, 60_000);
afterAll(() => cloud.stop());

async function skus(filter?: string): Promise<JsonObject[]> {
  const query = filter === undefined ? '' : `&$filter=${encodeURIComponent(filter)}`;
  return (await cloud.arm(`${base}/skus?${API}${query}`)).json.value as JsonObject[];
}

describe('the sizes of virtual machines', () => {
  it('are told for each region, with what a machine has', async () => {
    const east = await skus("location eq 'East US'");
    const size = east.find(({ name }) => name === 'Standard_NC6s_v3');
    expect(size).toMatchObject({
      resourceType: 'virtualMachines',
      tier: 'Standard',
      size: 'NC6s_v3',
      family: 'standardNCSv3Family',
      locations: ['eastus'],
      restrictions: [],
    });
    expect(size?.capabilities).toEqual(
      expect.arrayContaining([
        { name: 'vCPUs', value: '6' },
        { name: 'MemoryGB', value: '112' },
        { name: 'GPUs', value: '1' },
      ]),
    );
    expect((await skus()).length).toBe(east.length * cloud.at.cloud.regions.length);
    expect(await skus("location eq 'mars'")).toEqual([]);
    const wrong = await cloud.arm(`${base}/skus?${API}&$filter=${encodeURIComponent("name eq 'x'")}`);
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'InvalidParameter']);
  });

  it('that a region has withdrawn are restricted there alone', async () => {
    setSizeOffered(cloud.at.cloud, 'westus3', 'Standard_NC6s_v3', false);
    const restrictions = async (region: string): Promise<unknown> =>
      (await skus(`location eq '${region}'`)).find(({ name }) => name === 'Standard_NC6s_v3')?.restrictions;
    expect(await restrictions('westus3')).toEqual([
      {
        type: 'Location',
        values: ['westus3'],
        restrictionInfo: { locations: ['westus3'] },
        reasonCode: 'NotAvailableForSubscription',
      },
    ]);
    expect(await restrictions('eastus')).toEqual([]);
    const { json } = await cloud.arm(`${base}/locations/westus3/vmSizes?${API}`);
    const names = (json.value as JsonObject[]).map(({ name }) => name);
    expect(names).not.toContain('Standard_NC6s_v3');
    expect(names).toContain('Standard_NC12s_v3');
  });
});

describe('the limits of cores', () => {
  it('are those that Azure Machine Learning has for the same family', async () => {
    await cloud.admin('POST', '/regions/eastus/quota', { standardDSv3Family: 8 });
    const usage = async (region: string, family: string): Promise<JsonObject | undefined> => {
      const { json } = await cloud.arm(`${base}/locations/${region}/usages?${API}`);
      return (json.value as { name: JsonObject }[]).find(({ name }) => name.value === family);
    };
    expect(await usage('eastus', 'standardDSv3Family')).toEqual({
      unit: 'Count',
      currentValue: 0,
      limit: 8,
      name: { value: 'standardDSv3Family', localizedValue: 'Standard DSv3 Family vCPUs' },
    });
    expect(await usage('westus3', 'standardDSv3Family')).toMatchObject({ limit: 300 });
    expect(await usage('westus3', 'cores')).toBeDefined();
    expect(codeOf(await cloud.arm(`${base}/locations/mars/usages?${API}`))).toBe('NoRegisteredProviderFound');
  });
});
