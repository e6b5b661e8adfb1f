import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, properties, startFixture, text, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
}, 60_000);
afterAll(() => azure?.close());

const error = (body: JsonObject): { code: string; message: string } => body.error as { code: string; message: string };

describe('a workspace', () => {
  it('shows what clients read of it', async () => {
    const { body } = await azure.arm('GET', workspace);
    const properties = body.properties as JsonObject;
    expect(properties).toMatchObject({
      provisioningState: 'Succeeded',
      friendlyName: 'fraud-east',
      publicNetworkAccess: 'Enabled',
    });
    expect(properties.workspaceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(properties.discoveryUrl).toBe(`${azure.running.address.regions.eastus?.dataPlane}/_/discovery`);
    expect(body.identity).toMatchObject({ type: 'SystemAssigned', tenantId: azure.running.address.tenantId });
    const discovered = await azure.send('GET', text(properties.discoveryUrl));
    expect(discovered.body).toHaveProperty('history');
  });

  it('is patched in what may change, and refuses what may not', async () => {
    const patched = await azure.put(
      workspace,
      {
        properties: { description: 'scores payments', imageBuildCompute: 'still-to-be-made' },
        tags: { team: 'ml' },
      },
      'PATCH',
    );
    expect(patched).toMatchObject({
      tags: { team: 'ml' },
      properties: {
        description: 'scores payments',
        imageBuildCompute: 'still-to-be-made',
        friendlyName: 'fraud-east',
      },
    });
    const other = `${azure.group('eastus')}/providers/Microsoft.Storage/storageAccounts/another`;
    await azure.put(`${other}?api-version=2023-01-01`, {
      location: 'eastus',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      properties: {},
    });
    const refused = await azure.arm('PATCH', workspace, { properties: { storageAccount: other } });
    expect(refused.status).toBe(400);
  });

  it('of kind Project stands on a hub, and has what the hub has', async () => {
    const held = properties((await azure.arm('GET', workspace)).body);
    const at = (name: string): string => workspace.replace(/[^/]+$/, name);
    const { storageAccount = null, keyVault = null } = held;
    const body = { location: 'eastus', kind: 'hub', properties: { storageAccount, keyVault } };
    expect((await azure.put(at('foundry'), body)).kind).toBe('Hub');
    const project = (hubResourceId: string): JsonObject => ({
      location: 'eastus',
      kind: 'Project',
      properties: { hubResourceId },
    });
    const made = await azure.put(at('chat'), project(at('foundry')));
    expect(properties(made)).toMatchObject({ storageAccount, keyVault });
    expect(properties(made).notebookInfo).toMatchObject({ resourceId: properties(made).workspaceId });
    expect((await azure.list(`${at('chat')}/datastores`)).length).toBeGreaterThan(1);
    for (const hub of [workspace, at('nowhere'), '']) {
      const refused = await azure.arm('PUT', at('none'), project(hub));
      expect([refused.status, error(refused.body).message]).toEqual([
        400,
        expect.stringContaining('properties.hubResourceId'),
      ]);
    }
    const odd = await azure.arm('PUT', at('none'), { ...body, kind: 'Banana' });
    expect([odd.status, error(odd.body).message]).toEqual([400, expect.stringContaining("got 'Banana'")]);
  });

  it('refuses a dependency that is not there, a missing one and a bad name', async () => {
    const group = azure.group('eastus');
    const at = (name: string): string => `${group}/providers/Microsoft.MachineLearningServices/workspaces/${name}`;
    const gone = `${group}/providers/Microsoft.Storage/storageAccounts/nowhere`;
    const { body: held } = await azure.arm('GET', workspace);
    const keyVault = properties(held).keyVault ?? null;
    const absent = await azure.arm('PUT', at('fraud-two'), {
      location: 'eastus',
      properties: { storageAccount: gone, keyVault },
    });
    expect([absent.status, error(absent.body).message]).toEqual([400, expect.stringContaining(gone)]);
    const missing = await azure.arm('PUT', at('fraud-two'), { location: 'eastus', properties: {} });
    expect(error(missing.body).message).toContain('Missing dependent resources in workspace json');
    const long = await azure.arm('PUT', at('x'.repeat(34)), { location: 'eastus', properties: {} });
    expect([long.status, error(long.body).message]).toEqual([400, expect.stringContaining('3 to 33')]);
    expect((await azure.arm('GET', at('fraud-two'))).status).toBe(404);
  });

  it('refuses what is no id, and a SKU that there is not', async () => {
    const at = workspace.replace(/[^/]+$/, 'fraud-two');
    const { body: held } = await azure.arm('GET', workspace);
    const { storageAccount = null, keyVault = null } = properties(held);
    const put = async (more: JsonObject, sku: JsonObject = { name: 'basic' }): Promise<JsonObject> =>
      (
        await azure.arm('PUT', at, {
          location: 'eastus',
          sku,
          properties: { storageAccount, keyVault, ...more },
        })
      ).body;
    for (const [field, value] of [
      ['containerRegistry', ''],
      ['storageAccount', 'stfraud'],
      ['primaryUserAssignedIdentity', '/subscriptions/x/nope'],
      ['associatedWorkspaces', [keyVault, 'fraud-east']],
    ] as const)
      expect(error(await put({ [field]: value as Json }))).toMatchObject({
        code: 'LinkedInvalidPropertyId',
        message: expect.stringContaining(
          Array.isArray(value)
            ? "'fraud-east' at path 'properties.associatedWorkspaces[1]'"
            : `at path 'properties.${field}'`,
        ),
      });
    expect(error(await put({}, { name: 'Gold' })).message).toContain('sku.name: expected one of Basic');
    expect((await azure.arm('GET', at)).status).toBe(404);
  });

  it('is born with the default datastores, on containers that are really there', async () => {
    const stores = await azure.list(`${workspace}/datastores`);
    expect(stores.map((store) => text(store.name)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'workspaceartifactstore',
      'workspaceblobstore',
      'workspacefilestore',
      'workspaceworkingdirectory',
    ]);
    const [standard] = await azure.list(`${workspace}/datastores?isDefault=true`);
    const store = properties(standard ?? {});
    const { body } = await azure.arm('GET', workspace);
    expect(store).toMatchObject({
      isDefault: true,
      datastoreType: 'AzureBlob',
      containerName: `azureml-blobstore-${text(properties(body).workspaceId)}`,
    });
    expect(store.credentials).toEqual({ credentialsType: 'AccountKey' });
    const account = text(store.accountName);
    const blobs = azure.running.cloud.blobs;
    await blobs.putBlob(account, text(store.containerName), 'a/b.txt', Buffer.from('b'));
    expect(await blobs.listBlobs(account, text(store.containerName), 'a/')).toEqual(['a/b.txt']);
  });

  it('tells the secrets of its default datastore, stale after a rotation until the keys are resynchronised', async () => {
    const { body: held } = await azure.arm('GET', workspace);
    const storage = text(properties(held).storageAccount);
    const secret = async (): Promise<unknown> =>
      (await azure.arm('POST', `${workspace}/datastores/workspaceblobstore/listSecrets`, {})).body.key;
    const keyOne = async (): Promise<unknown> =>
      (await azure.arm('POST', `${workspace}/listStorageAccountKeys`)).body.userStorageKey;
    const before = await secret();
    expect(before).toBe(await keyOne());
    await azure.arm('POST', `${storage}/regenerateKey?api-version=2023-01-01`, { keyName: 'key1' });
    expect(await keyOne()).not.toBe(before);
    expect(await secret()).toBe(before);
    await azure.settle(await azure.arm('POST', `${workspace}/resyncKeys`));
    expect(await secret()).toBe(await keyOne());
  });

  it('diagnoses what it depends on', async () => {
    const answer = await azure.arm('POST', `${workspace}/diagnose`, { value: {} });
    expect(answer.status).toBe(202);
    await azure.settle(answer);
    const result = await azure.arm('GET', text(answer.headers.location));
    expect(result.body.value).toMatchObject({ storageAccountResults: [], keyVaultResults: [] });
  });
});

describe('a deleted workspace', () => {
  it('keeps its name blocked until it is purged', async () => {
    const doomed = await makeWorkspace(azure, 'eastus', 'doomed');
    const { body: held } = await azure.arm('GET', doomed);
    const again = { location: 'eastus', properties: { ...properties(held) } };
    await azure.settle(await azure.arm('DELETE', doomed));
    expect((await azure.arm('GET', doomed)).status).toBe(404);
    expect((await azure.arm('GET', `${doomed}/datastores`)).status).toBe(404);
    const blocked = await azure.arm('PUT', doomed, again);
    expect([blocked.status, error(blocked.body).message]).toEqual([
      409,
      expect.stringContaining('Soft-deleted workspace exists'),
    ]);
    expect((await azure.arm('DELETE', `${doomed}?forceToPurge=true`)).status).toBe(204);
    const recreated = await azure.put(doomed, again);
    expect((recreated.identity as JsonObject).principalId).not.toBe((held.identity as JsonObject).principalId);
    await azure.settle(await azure.arm('DELETE', `${doomed}?forceToPurge=true`));
    expect((await azure.arm('PUT', doomed, again)).status).toBe(202);
  });
});
