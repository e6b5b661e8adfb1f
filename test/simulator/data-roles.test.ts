import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { addPrincipal, type TestPrincipal } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2024-04-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('data-roles', 'westus3');
}, 60_000);
afterAll(() => cloud.stop());

describe('blobs under a token', () => {
  let account: Awaited<ReturnType<TestCloud['account']>>;
  beforeAll(async () => {
    account = await cloud.account(group, 'datarolesacct', 'westus3');
    await cloud.at.cloud.blobs.createContainer('datarolesacct', 'open');
    await cloud.at.cloud.blobs.createContainer('datarolesacct', 'shut');
    await cloud.at.cloud.blobs.putBlob('datarolesacct', 'open', 'a.txt', Buffer.from('one'));
  });

  async function asked(principal: TestPrincipal, method: string, path: string): Promise<HttpAnswer> {
    const token = await principal.token('https://storage.azure.com');
    const headers = {
      authorization: `Bearer ${token}`,
      'x-ms-version': '2021-12-02',
      ...(method === 'PUT' ? { 'x-ms-blob-type': 'BlockBlob', 'content-length': '0' } : {}),
    };
    return cloud.ask(`${account.primary}${path}`, { method, headers });
  }
  const outcome = ({ status, headers }: HttpAnswer): unknown => (status < 400 ? status : headers['x-ms-error-code']);

  it('are closed to those who merely own the account', async () => {
    const owner = await addPrincipal(cloud, ['Owner'], account.id);
    expect(outcome(await asked(owner, 'GET', 'open/a.txt'))).toBe('AuthorizationPermissionMismatch');
    expect(outcome(await asked(owner, 'GET', 'open?restype=container&comp=list'))).toBe(
      'AuthorizationPermissionMismatch',
    );
    // Containers belong to management.
    expect(outcome(await asked(owner, 'GET', '?comp=list'))).toBe(200);
    const nobody = await addPrincipal(cloud);
    const refused = await asked(nobody, 'GET', '?comp=list');
    expect([refused.status, outcome(refused)]).toEqual([403, 'AuthorizationPermissionMismatch']);
  });

  it('are open as far as data roles say', async () => {
    const reader = await addPrincipal(cloud, ['Storage Blob Data Reader'], account.id);
    expect((await asked(reader, 'GET', 'open/a.txt')).text).toBe('one');
    expect(outcome(await asked(reader, 'GET', 'open?restype=container&comp=list'))).toBe(200);
    expect(outcome(await asked(reader, 'PUT', 'open/b.txt'))).toBe('AuthorizationPermissionMismatch');
    expect(outcome(await asked(reader, 'DELETE', 'open/a.txt'))).toBe('AuthorizationPermissionMismatch');
    const contributor = await addPrincipal(cloud, ['Storage Blob Data Contributor'], account.id);
    expect(outcome(await asked(contributor, 'PUT', 'open/b.txt'))).toBe(201);
    expect(outcome(await asked(contributor, 'DELETE', 'open/b.txt'))).toBe(202);
  });

  it('are open in one container alone to who has a role there', async () => {
    const scope = `${account.id}/blobServices/default/containers/open`;
    const reader = await addPrincipal(cloud, ['Storage Blob Data Reader'], scope);
    expect(outcome(await asked(reader, 'GET', 'open/a.txt'))).toBe(200);
    expect(outcome(await asked(reader, 'GET', 'shut?restype=container&comp=list'))).toBe(
      'AuthorizationPermissionMismatch',
    );
  });
});

describe('secrets', () => {
  async function vault(name: string, properties: JsonObject): Promise<{ id: string; uri: string }> {
    const id = `${group}/providers/Microsoft.KeyVault/vaults/${name}`;
    const made = await cloud.make(id, {
      location: 'westus3',
      properties: {
        tenantId: cloud.at.address.tenantId,
        sku: { family: 'A', name: 'standard' },
        ...properties,
      },
    });
    return { id, uri: (made.properties as { vaultUri: string }).vaultUri };
  }
  async function asked(principal: TestPrincipal, method: string, url: string, body?: JsonObject): Promise<HttpAnswer> {
    const authorization = `Bearer ${await principal.token('https://vault.azure.net')}`;
    return cloud.ask(`${url}?api-version=7.4`, {
      method,
      headers: { authorization },
      ...(body ? { body } : {}),
    });
  }

  it('are opened by roles alone where the vault is so set', async () => {
    const { id, uri } = await vault('kv-rbac', { enableRbacAuthorization: true });
    const owner = await addPrincipal(cloud, ['Owner'], id);
    const refused = await asked(owner, 'PUT', `${uri}secrets/s`, { value: 'x' });
    expect(refused.status).toBe(403);
    expect(refused.json.error).toMatchObject({ code: 'Forbidden', innererror: { code: 'ForbiddenByRbac' } });
    expect(refused.text).toContain("Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'");
    const officer = await addPrincipal(cloud, ['Key Vault Secrets Officer'], id);
    expect((await asked(officer, 'PUT', `${uri}secrets/s`, { value: 'x' })).status).toBe(200);
    const user = await addPrincipal(cloud, ['Key Vault Secrets User'], id);
    expect((await asked(user, 'GET', `${uri}secrets/s`)).json.value).toBe('x');
    expect((await asked(user, 'GET', `${uri}secrets`)).status).toBe(200);
    expect((await asked(user, 'DELETE', `${uri}secrets/s`)).status).toBe(403);
    const onlyOther = await addPrincipal(cloud, ['Key Vault Secrets User'], `${id}/secrets/other`);
    expect((await asked(onlyOther, 'GET', `${uri}secrets/s`)).status).toBe(403);
  });

  it('are shut to addresses that the network rules do not name', async () => {
    const shut = { defaultAction: 'Deny', bypass: 'AzureServices', ipRules: [] };
    const { id, uri } = await vault('kv-network', { enableRbacAuthorization: true, networkAcls: shut });
    const officer = await addPrincipal(cloud, ['Key Vault Secrets Officer'], id);
    const refused = await asked(officer, 'GET', `${uri}secrets`);
    expect(refused.json.error).toMatchObject({ innererror: { code: 'ForbiddenByFirewall' } });
    await vault('kv-network', { networkAcls: { ...shut, ipRules: [{ value: '127.0.0.2' }] } });
    expect((await asked(officer, 'GET', `${uri}secrets`)).json.error).toMatchObject({
      message: expect.stringContaining('Client address: 127.0.0.1') as string,
    });
    const ipRules = [{ value: '127.0.0.0/30' }];
    await vault('kv-network', { networkAcls: { ...shut, ipRules } });
    expect((await asked(officer, 'GET', `${uri}secrets`)).status).toBe(200);
    await vault('kv-network', { publicNetworkAccess: 'Disabled' });
    expect((await asked(officer, 'GET', `${uri}secrets`)).json.error).toMatchObject({
      innererror: { code: 'ForbiddenByConnection' },
    });
  });

  it('are opened by access policies alone where it is not', async () => {
    const { id, uri } = await vault('kv-policies', {});
    const admin = await addPrincipal(cloud, ['Key Vault Administrator'], id);
    const refused = await asked(admin, 'GET', `${uri}secrets/s`);
    expect(refused.json.error).toMatchObject({
      code: 'Forbidden',
      innererror: { code: 'ForbiddenByPolicy' },
    });
    expect(refused.text).toContain("does not have secrets get permission on key vault 'kv-policies;location=westus3'");
    const change = (kind: string, secrets: string[]): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${id}/accessPolicies/${kind}?${API}`, {
        method: 'PUT',
        body: {
          properties: {
            accessPolicies: [{ tenantId: admin.tenantId, objectId: admin.objectId, permissions: { secrets } }],
          },
        },
      });
    expect((await change('add', ['get', 'set'])).status).toBe(201);
    expect((await asked(admin, 'PUT', `${uri}secrets/s`, { value: 'x' })).status).toBe(200);
    expect((await asked(admin, 'GET', `${uri}secrets/s`)).json.value).toBe('x');
    expect((await asked(admin, 'GET', `${uri}secrets`)).status).toBe(403);
    await change('add', ['list']);
    expect((await asked(admin, 'GET', `${uri}secrets`)).status).toBe(200);
    await change('remove', ['get']);
    expect((await asked(admin, 'GET', `${uri}secrets/s`)).status).toBe(403);
    expect((await change('forget', [])).status).toBe(400);
    const { accessPolicies } = (await cloud.arm(`${id}?${API}`)).json.properties as {
      accessPolicies: JsonObject[];
    };
    expect(accessPolicies).toMatchObject([{ permissions: { secrets: ['set', 'list'] } }]);
  });
});
