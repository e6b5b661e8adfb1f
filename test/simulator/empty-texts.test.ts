/** What templates of wide use write where they mean nothing, and Azure takes. */

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
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
    expect([status, json.error]).toMatchObject([400, { code: 'InvalidRequestContent', target: 'properties' }]);
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

  it('and null are the type that a principal has', async () => {
    const identities = 'Microsoft.ManagedIdentity/userAssignedIdentities';
    const { properties } = await made(`${identities}/typed`, { location: 'eastus', properties: {} });
    const { principalId = null } = properties as JsonObject;
    const reader = '/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7';
    const body = { principalId, roleDefinitionId: `${cloud.subscription}${reader}` };
    const name = `Microsoft.Authorization/roleAssignments/${randomUUID()}`;
    for (const principalType of ['', null])
      expect((await made(name, { properties: { ...body, principalType } })).properties).toMatchObject({
        principalType: 'ServicePrincipal',
      });
  });
});

describe('null', () => {
  it('is no number of days that deleted containers are kept', async () => {
    const { id } = await cloud.account(group, 'kept', 'eastus');
    const policy = { enabled: true, days: null };
    const url = `${id}/blobServices/default?${API}`;
    const body = { properties: { containerDeleteRetentionPolicy: policy, deleteRetentionPolicy: policy } };
    expect((await cloud.arm(url, { method: 'PUT', body })).status).toBe(200);
  });
});
