/** Feature stores beside other workspaces, and workspaces that are still being made. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let keyVault: Json;
let group: string;

beforeAll(async () => {
  azure = await startFixture({ speed: 0 });
  const workspace = await makeWorkspace(azure, 'eastus', 'plain');
  keyVault = properties((await azure.arm('GET', workspace)).body).keyVault ?? null;
  group = azure.group('eastus');
}, 60_000);
afterAll(() => azure?.close());

const at = (name: string): string => `${group}/providers/Microsoft.MachineLearningServices/workspaces/${name}`;

async function lake(name: string): Promise<string> {
  const id = `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
  await azure.put(`${id}?api-version=2023-01-01`, {
    location: 'eastus',
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: { isHnsEnabled: true },
  });
  return id;
}

describe('a feature store', () => {
  it('stands on storage with a hierarchical namespace, on which no other workspace does', async () => {
    const storageAccount = await lake('kindslake');
    const body = (kind: string): JsonObject => ({
      location: 'eastus',
      kind,
      properties: { storageAccount, keyVault },
    });
    const made = await azure.put(at('features'), body('featurestore'));
    expect([made.kind, properties(made).storageHnsEnabled]).toEqual(['FeatureStore', true]);
    const refused = await azure.arm('PUT', at('other'), body('Default'));
    expect([refused.status, message(refused.body)]).toEqual([
      400,
      expect.stringContaining('has a hierarchical namespace'),
    ]);
  });

  it('may spell the fields of its settings in any case, and shows them as published', async () => {
    const settings = {
      computeruntime: { SparkRuntimeVersion: '3.4.0' },
      offlinestoreconnectionname: 'offline',
      later: 1,
    };
    const patched = await azure.put(at('features'), { properties: { featureStoreSettings: settings } }, 'PATCH');
    const shown = { computeRuntime: { sparkRuntimeVersion: '3.4.0' }, offlineStoreConnectionName: 'offline' };
    expect(properties(patched).featureStoreSettings).toEqual({ ...shown, later: 1 });
    const Description = 'in another spelling';
    const again = await azure.put(at('features'), { properties: { Description } }, 'PATCH');
    expect(properties(again)).toMatchObject({ description: Description });
    expect(properties(again)).not.toHaveProperty('Description');
  });

  it('has connections with the names that its client gives them, and no longer ones', async () => {
    const connection = { properties: { category: 'AzureDataLakeGen2', target: '/x', authType: 'None' } };
    const made = await azure.arm('PUT', `${at('plain')}/connections/OfflineStoreConnectionName-0123abcd`, connection);
    expect([made.status, properties(made.body).category]).toEqual([200, 'ADLSGen2']);
    const refused = await azure.arm('PUT', `${at('plain')}/connections/${'x'.repeat(34)}`, connection);
    expect([refused.status, message(refused.body)]).toEqual([400, expect.stringContaining('3 to 33')]);
  });
});

describe('a workspace that is being made', () => {
  it('takes nothing below itself until it is made', async () => {
    const storageAccount = properties((await azure.arm('GET', at('plain'))).body).storageAccount ?? null;
    const begun = await azure.arm('PUT', at('slow'), {
      location: 'eastus',
      properties: { storageAccount, keyVault },
    });
    expect(begun.status).toBe(202);
    const environment = `${at('slow')}/environments/plain/versions/1`;
    const body = { properties: { image: 'ubuntu' } };
    const early = await azure.arm('PUT', environment, body);
    expect([early.status, early.body.error]).toEqual([
      409,
      expect.objectContaining({ code: 'Conflict', message: expect.stringContaining("'Creating'") }),
    ]);
    expect((await azure.settle(begun)).status).toBe('Succeeded');
    expect((await azure.arm('PUT', environment, body)).status).toBe(201);
  });
});
