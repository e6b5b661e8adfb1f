/** What templates of wide use write where they mean nothing, and Azure takes. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/provider.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
let cloud: TestCloud;
let group: string;
beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('Empty', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

/** What is there when the PUT has ended. */
function made(path: string, body: JsonObject): Promise<JsonObject> {
  return cloud.make(`${group}/providers/${path}`, body);
}

describe('an empty text', () => {
  it('is no properties and no zones', async () => {
    const zone = await made('Microsoft.Network/privateDnsZones/empty.example', {
      location: 'global',
      properties: '',
    });
    expect(zone.properties).toMatchObject({ provisioningState: 'Succeeded' });
    const address = await made('Microsoft.Network/publicIPAddresses/zoneless', {
      location: 'eastus',
      properties: {},
      zones: '',
    });
    expect(address).not.toHaveProperty('zones');
  });

  it('stays a mistake where something is said', async () => {
    const body = { location: 'eastus', properties: 'none' };
    const url = `${group}/providers/Microsoft.Network/privateDnsZones/said.example?${API}`;
    const { status, json } = await cloud.arm(url, { method: 'PUT', body });
    expect([status, json.error]).toMatchObject([
      400,
      { code: 'InvalidRequestContent', target: 'properties' },
    ]);
  });

  it('leaves a switch of a storage account as it is', async () => {
    const put = async (properties: JsonObject): Promise<Json | undefined> =>
      (
        await made('Microsoft.Storage/storageAccounts/switched', {
          location: 'eastus',
          sku: { name: 'Standard_RAGRS' },
          kind: 'StorageV2',
          properties,
        })
      ).properties;
    const texts = { isNfsV3Enabled: '', allowSharedKeyAccess: 'False', supportsHttpsTrafficOnly: 'true' };
    const first = await put(texts);
    expect(first).toMatchObject({ allowSharedKeyAccess: false, supportsHttpsTrafficOnly: true });
    expect(first).not.toHaveProperty('isNfsV3Enabled');
    expect(await put({ allowSharedKeyAccess: '' })).toMatchObject({ allowSharedKeyAccess: false });
  });
});
