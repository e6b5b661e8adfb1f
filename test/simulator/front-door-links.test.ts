/** What Front Door does not let go of: the last origin of a route, and a tier. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-02-01';
const GROUP = '/originGroups/kept';
const ROUTE = '/afdEndpoints/kept/routes/kept';
const LAST =
  'Cannot disable or delete the last origin when the origin group is still associated with a route or a rule.';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ regions: ['eastus'] });
  group = await cloud.group('front', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const origin = (name: string): string => `${GROUP}/origins/${name}`;

describe('the last enabled origin', () => {
  let profile: string;
  let profiles = 0;

  beforeEach(async () => {
    profile = `${group}/providers/Microsoft.Cdn/profiles/kept${(profiles += 1)}`;
    const loadBalancingSettings = { sampleSize: 4, successfulSamplesRequired: 3 };
    await cloud.make(profile, { location: 'global', sku: { name: 'Standard_AzureFrontDoor' } });
    await cloud.make(`${profile}${GROUP}`, { properties: { loadBalancingSettings } });
    for (const name of ['one', 'two'])
      await cloud.make(`${profile}${origin(name)}`, { properties: { hostName: 'localhost' } });
    await cloud.make(`${profile}/afdEndpoints/kept`, { location: 'global', properties: {} });
    const originGroup = { id: `${profile}${GROUP}`.toUpperCase() };
    await cloud.make(`${profile}${ROUTE}`, { properties: { originGroup } });
  });

  const ask = async (method: string, path: string, properties?: JsonObject): Promise<[number, string]> => {
    const body = properties === undefined ? {} : { body: { properties } };
    const answer = await cloud.arm(`${profile}${path}?${API}`, { method, ...body });
    await cloud.ended(answer);
    return [answer.status, answer.text];
  };

  it('is kept, and its group, as long as a route or a rule leads there', async () => {
    expect((await ask('PATCH', origin('one'), { enabledState: 'Disabled' }))[0]).toBe(200);
    const refused = [400, expect.stringContaining(LAST)];
    expect(await ask('PATCH', origin('two'), { enabledState: 'Disabled' })).toEqual(refused);
    expect(await ask('PUT', origin('two'), { hostName: 'localhost', enabledState: 'Disabled' })).toEqual(refused);
    expect(await ask('DELETE', origin('two'))).toEqual(refused);
    const still = expect.stringContaining('still associated with a route');
    expect(await ask('DELETE', GROUP)).toEqual([400, still]);
    expect((await ask('PATCH', origin('two'), { weight: 500 }))[0]).toBe(200);
    expect((await ask('DELETE', origin('one')))[0]).toBe(202);
    expect((await ask('DELETE', ROUTE))[0]).toBe(202);

    const rule = '/ruleSets/rules1/rules/kept';
    await cloud.make(`${profile}/ruleSets/rules1`, {});
    const override = { originGroupOverride: { originGroup: { id: `${profile}${GROUP}` } } };
    const actions = [{ name: 'RouteConfigurationOverride', parameters: override }];
    await cloud.make(`${profile}${rule}`, { properties: { order: 1, actions } });
    expect(await ask('DELETE', origin('two'))).toEqual(refused);
    expect((await ask('DELETE', rule))[0]).toBe(202);
    expect((await ask('DELETE', origin('two')))[0]).toBe(202);
    expect((await ask('DELETE', GROUP))[0]).toBe(202);
  });

  it('is the last when the other is being deleted', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    const remove = (name: string): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${profile}${origin(name)}?${API}`, { method: 'DELETE' });
    const first = await remove('one');
    expect([first.status, (await remove('two')).status]).toEqual([202, 400]);
    await cloud.admin('POST', '/clock', { speed: 1 });
    await cloud.ended(first);
  });

  it('goes with its profile', async () => {
    expect((await ask('DELETE', ''))[0]).toBe(202);
    expect((await cloud.arm(`${profile}${origin('two')}?${API}`)).status).toBe(404);
  });
});

describe('a profile', () => {
  it('is upgraded to Premium, and not back', async () => {
    const path = `${group}/providers/Microsoft.Cdn/profiles/tier`;
    const put = async (name: string): Promise<[number, string]> => {
      const body = { location: 'global', sku: { name } };
      const answer = await cloud.arm(`${path}?${API}`, { method: 'PUT', body });
      await cloud.ended(answer);
      return [answer.status, answer.text];
    };
    expect((await put('Standard_AzureFrontDoor'))[0]).toBe(201);
    expect((await put('Premium_AzureFrontDoor'))[0]).toBe(200);
    expect(await put('Standard_AzureFrontDoor')).toEqual([
      400,
      expect.stringContaining('Downgrading from Premium to Standard is not supported'),
    ]);
  });
});
