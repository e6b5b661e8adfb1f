import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ regions: ['eastus', 'westus3'] });
  group = await cloud.group('encrypted', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

async function patch(id: string, properties: JsonObject): Promise<{ status: number; text: string }> {
  const answer = await cloud.arm(`${id}?${API}`, { method: 'PATCH', body: { properties } });
  await cloud.ended(answer);
  return answer;
}

describe('the encryption of an account', () => {
  it('is of all data, and stays as it was settled when the account was made', async () => {
    const { id } = await cloud.account(group, 'encrypted', 'eastus', {
      properties: {
        encryption: { requireInfrastructureEncryption: true, services: { blob: {}, queue: {} } },
      },
    });
    const shown = async (): Promise<JsonObject> => (await cloud.arm(`${id}?${API}`)).json.properties as JsonObject;
    const { encryption: first, creationTime } = await shown();
    const service = { enabled: true, lastEnabledTime: creationTime };
    expect(first).toEqual({
      keySource: 'Microsoft.Storage',
      requireInfrastructureEncryption: true,
      services: {
        blob: { ...service, keyType: 'Account' },
        file: { ...service, keyType: 'Account' },
        queue: { ...service, keyType: 'Service' },
      },
    });
    const refused = await patch(id, { encryption: { requireInfrastructureEncryption: false } });
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringMatching(/AccountPropertyCannotBeUpdated.*'requireInfrastructureEncryption'/),
    ]);
    const own = await patch(id, { encryption: { services: { queue: { keyType: 'Own' } } } });
    expect([own.status, own.text]).toEqual([
      400,
      expect.stringContaining('encryption.services.queue.keyType: expected one of Account, Service'),
    ]);
    for (const encryption of [{ services: { blob: { enabled: false } } }, first ?? null, null])
      expect((await patch(id, { encryption })).status).toBe(200);
    const body = { location: 'eastus', kind: 'StorageV2', sku: { name: 'Standard_LRS' } };
    const put = { ...body, properties: { encryption: { keySource: 'Microsoft.Storage' } } };
    await cloud.ended(await cloud.arm(`${id}?${API}`, { method: 'PUT', body: put }));
    expect((await shown()).encryption).toEqual(first);
    const plain = await cloud.account(group, 'plainaccount', 'eastus');
    expect((await patch(plain.id, { encryption: { requireInfrastructureEncryption: false } })).status).toBe(200);
    expect((await patch(plain.id, { encryption: { requireInfrastructureEncryption: true } })).status).toBe(400);
  });
});
