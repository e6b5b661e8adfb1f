/** A vault is answered by the pair of its region when that is out as a whole, and takes no writes meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

let cloud: TestCloud;
let uri: string;
let token: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ regions: ['eastus', 'westus3'], speed: 0 });
  const group = await cloud.group('vaults', 'eastus');
  const id = `${group}/providers/Microsoft.KeyVault/vaults/failing-kv`;
  const body = {
    location: 'eastus',
    properties: {
      tenantId: cloud.at.address.tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
    },
  };
  await cloud.arm(`${id}?api-version=2023-07-01`, { method: 'PUT', body });
  cloud.at.clock.advance(60_000);
  const { json } = await cloud.arm(`${id}?api-version=2023-07-01`);
  uri = (json.properties as JsonObject & { vaultUri: string }).vaultUri;
  token = await cloud.token('https://vault.azure.net');
});

afterAll(() => cloud?.stop());

const secret = (method: string, body?: JsonObject) =>
  cloud.ask(`${uri}secrets/pat?api-version=7.4`, {
    method,
    ...(body ? { body } : {}),
    headers: { authorization: `Bearer ${token}` },
    timeoutMs: 2000,
  });

it('has an address without a region, that is not for tokens of Resource Manager', async () => {
  expect(uri).not.toContain(new URL(cloud.at.address.regions.eastus?.dataPlane ?? '').port);
  expect((await secret('PUT', { value: 'a' })).status).toBe(200);
  const wrong = await cloud.arm(`${uri}secrets/pat?api-version=7.4`);
  expect(wrong.status).toBe(401);
});

it('is out with its region at first, and then read from the other, but not written', async () => {
  await cloud.at.faults.setOutage('eastus', { mode: 'dark' });
  await expect(secret('GET')).rejects.toThrow();
  cloud.at.clock.advance(11_000);
  expect(await secret('GET')).toMatchObject({ status: 200, json: { value: 'a' } });
  expect(await secret('PUT', { value: 'b' })).toMatchObject({ status: 503 });
  expect((await secret('GET')).json.value).toBe('a');
});

it('takes writes again when its region is back', async () => {
  await cloud.at.faults.setOutage('eastus', { mode: 'none' });
  expect((await secret('PUT', { value: 'b' })).status).toBe(200);
  expect((await secret('GET')).json.value).toBe('b');
});

it('does not fail over where Key Vault alone is out', async () => {
  await cloud.at.faults.setOutage('eastus', { mode: 'dark', parts: ['keyvault'] });
  cloud.at.clock.advance(600_000);
  await expect(secret('GET')).rejects.toThrow();
  await cloud.at.faults.setOutage('eastus', { mode: 'none' });
});
