import { Agent, request as httpsRequest } from 'node:https';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('managed', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

async function patch(id: string, properties: JsonObject): Promise<{ status: number; text: string }> {
  const answer = await cloud.arm(`${id}?${API}`, { method: 'PATCH', body: { properties } });
  await cloud.ended(answer);
  return answer;
}

/** A GET from another loopback address, as a caller elsewhere would be; answers status and error code. */
function from(localAddress: string, url: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { localAddress, ca: cloud.ca, agent: new Agent() }, (response) => {
      response.resume();
      resolve([response.statusCode ?? 0, String(response.headers['x-ms-error-code'] ?? '')]);
    });
    request.on('error', reject).end();
  });
}

async function sas(id: string, account: string, more: JsonObject = {}): Promise<string> {
  const answer = await cloud.arm(`${id}/listAccountSas?${API}`, {
    method: 'POST',
    body: {
      signedServices: 'bf',
      signedResourceTypes: 'sco',
      signedPermission: 'rwlc',
      signedProtocol: 'https',
      signedExpiry: new Date(Date.now() + 600_000).toISOString(),
      ...more,
    },
  });
  expect([account, answer.status]).toEqual([account, 200]);
  return answer.json.accountSasToken as string;
}

describe('network rules', () => {
  it('let in whom they name, for blobs and files, and nobody else', async () => {
    const account = await cloud.account(group, 'walled', 'eastus');
    await cloud.blobs(account.primary, 'walled', account.key).getContainerClient('data').create();
    const token = await sas(account.id, 'walled');
    const blob = `${account.primary}data?restype=container&${token}`;
    const files = `${account.primary.replace('/walled/', '/_/file/walled/')}?comp=list&${token}`;
    expect(await from('127.0.0.1', blob)).toEqual([200, '']);
    await patch(account.id, { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '127.0.0.8/29' }] } });
    for (const url of [blob, files]) {
      expect(await from('127.0.0.1', url)).toEqual([403, 'AuthorizationFailure']);
      expect(await from('127.0.0.9', url)).toEqual([200, '']);
      expect(await from('127.0.0.17', url)).toEqual([403, 'AuthorizationFailure']);
    }
    const shown = (await cloud.arm(`${account.id}?${API}`)).json.properties as JsonObject;
    expect(shown.networkAcls).toEqual({
      bypass: 'AzureServices',
      defaultAction: 'Deny',
      ipRules: [{ action: 'Allow', value: '127.0.0.8/29' }],
      virtualNetworkRules: [],
    });
    await patch(account.id, { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '127.0.0.1' }] } });
    expect(await from('127.0.0.1', blob)).toEqual([200, '']);
  });

  it('hold a signature to the addresses that it is good for', async () => {
    const account = await cloud.account(group, 'addressed', 'eastus');
    await cloud.blobs(account.primary, 'addressed', account.key).getContainerClient('data').create();
    for (const [signedIp, near, far] of [
      ['127.0.0.2', [403, 'AuthorizationSourceIPMismatch'], [200, '']],
      ['127.0.0.1-127.0.0.2', [200, ''], [200, '']],
      ['1.2.3.4', [403, 'AuthorizationSourceIPMismatch'], [403, 'AuthorizationSourceIPMismatch']],
    ] as const) {
      const token = await sas(account.id, 'addressed', { signedIp });
      for (const url of [
        `${account.primary}data?restype=container&comp=list&${token}`,
        `${account.primary.replace('/addressed/', '/_/file/addressed/')}?comp=list&${token}`,
      ])
        expect([await from('127.0.0.1', url), await from('127.0.0.2', url)]).toEqual([near, far]);
    }
  });

  it('keep a copy from reading an account that does not let its caller in', async () => {
    const walled = await cloud.account(group, 'source', 'eastus');
    const open = await cloud.account(group, 'target', 'westus3');
    const source = cloud.blobs(walled.primary, 'source', walled.key).getContainerClient('data');
    await source.create();
    await source.getBlockBlobClient('b').upload('x', 1);
    const target = cloud.blobs(open.primary, 'target', open.key).getContainerClient('data');
    await target.create();
    const url = `${source.getBlobClient('b').url}?${await sas(walled.id, 'source')}`;
    await target.getBlobClient('copy').syncCopyFromURL(url);
    await patch(walled.id, { networkAcls: { defaultAction: 'Deny' } });
    await expect(target.getBlobClient('again').syncCopyFromURL(url)).rejects.toMatchObject({
      statusCode: 403,
      code: 'CannotVerifyCopySource',
    });
  });

  it('are checked', async () => {
    const { id } = await cloud.account(group, 'badrules', 'eastus');
    const refused = async (networkAcls: JsonObject): Promise<string> => {
      const { status, text } = await patch(id, { networkAcls });
      expect(status).toBe(400);
      return text;
    };
    expect(await refused({ defaultAction: 'Maybe' })).toContain('networkAcls.defaultAction: expected Allow or Deny');
    expect(await refused({ ipRules: [{ value: '10.1.2.3' }] })).toContain('ipRules[0].value');
    expect(await refused({ ipRules: [{ value: '1.2.3.4' }, { value: '1.2.3.4/31' }] })).toContain('ipRules[1].value');
    expect(await refused({ ipRules: [{ value: 'example.com' }] })).toContain('an IPv4 address or range');
    expect(await refused({ virtualNetworkRules: [{ id: 'net' }] })).toContain('the id of a subnet');
    expect(await refused({ bypass: 'Everyone' })).toContain('AzureServices');
  });
});

describe('keys and signatures', () => {
  it('of management are good until their key is rotated, whoever made them', async () => {
    const account = await cloud.account(group, 'signed', 'eastus');
    const token = await sas(account.id, 'signed');
    const service = new BlobServiceClient(`${account.primary}?${token}`, undefined, cloud.blobOptions());
    await service.getContainerClient('data').create();
    const answer = await cloud.arm(`${account.id}/listServiceSas?${API}`, {
      method: 'POST',
      body: {
        canonicalizedResource: '/blob/signed/data',
        signedResource: 'c',
        signedPermission: 'rl',
        signedExpiry: new Date(Date.now() + 600_000).toISOString(),
        keyToSign: 'key2',
      },
    });
    const query = answer.json.serviceSasToken as string;
    const list = `${account.primary}data?restype=container&comp=list&${query}`;
    expect((await cloud.ask(list)).status).toBe(200);
    const rotate = (keyName: string): Promise<unknown> =>
      cloud.arm(`${account.id}/regenerateKey?${API}`, { method: 'POST', body: { keyName } });
    await rotate('key1');
    await expect(service.getContainerClient('data').getProperties()).rejects.toMatchObject({
      statusCode: 403,
    });
    expect((await cloud.ask(list)).status).toBe(200);
    await rotate('key2');
    expect((await cloud.ask(list)).headers['x-ms-error-code']).toBe('AuthenticationFailed');
    const bad = await cloud.arm(`${account.id}/listServiceSas?${API}`, {
      method: 'POST',
      body: { canonicalizedResource: '/blob/other/data', signedResource: 'c' },
    });
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining("'/blob/signed/…'")]);
  });

  it('show when they were made and are due', async () => {
    const { id } = await cloud.account(group, 'expiring', 'eastus');
    const times = async (): Promise<Record<string, string>> =>
      ((await cloud.arm(`${id}?${API}`)).json.properties as { keyCreationTime: Record<string, string> })
        .keyCreationTime;
    const before = await times();
    expect(await patch(id, { keyPolicy: { keyExpirationPeriodInDays: 60 } })).toMatchObject({ status: 200 });
    await cloud.admin('POST', '/clock', { advanceSeconds: 86_400 });
    await cloud.arm(`${id}/regenerateKey?${API}`, { method: 'POST', body: { keyName: 'key2' } });
    const after = await times();
    expect(after.key1).toBe(before.key1);
    expect(Date.parse(after.key2 ?? '') - Date.parse(before.key2 ?? '')).toBeGreaterThanOrEqual(86_400_000);
    expect((await cloud.arm(`${id}?${API}`)).json.properties).toMatchObject({
      keyPolicy: { keyExpirationPeriodInDays: 60 },
    });
    expect((await patch(id, { keyPolicy: { keyExpirationPeriodInDays: 'often' } })).text).toContain(
      'a whole number of days',
    );
  });
});

describe('accounts and their services', () => {
  it('are listed by group and subscription, a page at a time, until they are deleted', async () => {
    const other = await cloud.group('listing', 'westus3');
    const names = Array.from({ length: 12 }, (_, i) => `listed${String(i).padStart(2, '0')}`);
    await Promise.all(names.map((name) => cloud.account(other, name, 'westus3', { sku: { name: 'Standard_LRS' } })));
    const list = async (scope: string): Promise<string[]> => {
      const found: string[] = [];
      for (let url: string | undefined = `${scope}/providers/Microsoft.Storage/storageAccounts?${API}`; url;) {
        const page = (await cloud.arm(url)).json as { value: { name: string }[]; nextLink?: string };
        found.push(...page.value.map(({ name }) => name));
        url = page.nextLink;
      }
      return found.sort();
    };
    expect(await list(other)).toEqual(names);
    expect(await list(cloud.subscription)).toEqual(expect.arrayContaining(['walled', ...names]));
    const first = `${other}/providers/Microsoft.Storage/storageAccounts/listed00?${API}`;
    expect((await cloud.arm(first, { method: 'DELETE' })).status).toBe(200);
    expect((await cloud.arm(first, { method: 'DELETE' })).status).toBe(204);
    expect(await list(other)).toEqual(names.slice(1));
    const free = await cloud.arm(`${cloud.subscription}/providers/Microsoft.Storage/checkNameAvailability?${API}`, {
      method: 'POST',
      body: { name: 'listed00', type: 'Microsoft.Storage/storageAccounts' },
    });
    expect(free.json).toEqual({ nameAvailable: true });
  });

  it('keep the settings of blobs and files, and refuse what Azure refuses', async () => {
    const { id } = await cloud.account(group, 'settled', 'eastus');
    const blob = `${id}/blobServices/default`;
    expect((await cloud.arm(`${blob}?${API}`)).json.properties).toMatchObject({ isVersioningEnabled: false });
    const made = await cloud.make(blob, {
      properties: {
        isVersioningEnabled: true,
        deleteRetentionPolicy: { enabled: true, days: 14 },
        containerDeleteRetentionPolicy: { enabled: true, days: 7 },
      },
    });
    expect(made.properties).toMatchObject({
      isVersioningEnabled: true,
      deleteRetentionPolicy: { enabled: true, days: 14 },
      cors: { corsRules: [] },
    });
    const files = await cloud.arm(`${id}/fileServices/default?${API}`);
    expect(files.json.properties).toMatchObject({ shareDeleteRetentionPolicy: { enabled: true, days: 7 } });
    const bad = await cloud.arm(`${blob}?${API}`, {
      method: 'PUT',
      body: { properties: { deleteRetentionPolicy: { enabled: true, days: 400 } } },
    });
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining('deleteRetentionPolicy.days')]);
  });

  it('keep what an update cannot change, and say why', async () => {
    const { id } = await cloud.account(group, 'fixed', 'eastus', { sku: { name: 'Standard_GRS' } });
    const patchSku = async (name: string): Promise<[number, string]> => {
      const answer = await cloud.arm(`${id}?${API}`, { method: 'PATCH', body: { sku: { name } } });
      await cloud.ended(answer);
      return [answer.status, answer.text];
    };
    const hns = await patch(id, { isHnsEnabled: true });
    expect([hns.status, hns.text]).toEqual([400, expect.stringContaining('AccountPropertyCannotBeUpdated')]);
    expect((await patch(id, { isHnsEnabled: false })).status).toBe(200);
    for (const zonal of ['Standard_ZRS', 'Standard_GZRS', 'Standard_RAGZRS', 'Premium_LRS'])
      expect(await patchSku(zonal)).toEqual([
        400,
        expect.stringContaining(`is Standard_GRS, and an update cannot make it ${zonal}`),
      ]);
    for (const other of ['Standard_LRS', 'Standard_RAGRS']) expect((await patchSku(other))[0], other).toBe(200);
    const zones = await cloud.account(group, 'zones', 'eastus', { sku: { name: 'Standard_ZRS' } });
    const back = await cloud.arm(`${zones.id}?${API}`, {
      method: 'PUT',
      body: { location: 'eastus', kind: 'StorageV2', sku: { name: 'Standard_LRS' } },
    });
    expect([back.status, back.text]).toEqual([400, expect.stringContaining('StorageAccountTypeConversionNotAllowed')]);
  });

  it('are made of what goes together', async () => {
    const make = (body: JsonObject): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${group}/providers/Microsoft.Storage/storageAccounts/unmade?${API}`, {
        method: 'PUT',
        body: { location: 'eastus', sku: { name: 'Standard_LRS' }, kind: 'StorageV2', ...body },
      });
    const wrong: [string, JsonObject][] = [
      ['kind, sku', { kind: 'FileStorage' }],
      ['kind, sku', { kind: 'BlobStorage', sku: { name: 'Standard_ZRS' } }],
      ['accessTier', { kind: 'BlobStorage' }],
      ['accessTier', { properties: { accessTier: 'Warm' } }],
      ['minimumTlsVersion', { properties: { minimumTlsVersion: 'TLS9' } }],
      ['publicNetworkAccess', { properties: { publicNetworkAccess: 'Sometimes' } }],
      ['allowSharedKeyAccess', { properties: { allowSharedKeyAccess: 'no' } }],
      ['isHnsEnabled', { properties: { isHnsEnabled: 'yes' } }],
    ];
    for (const [place, body] of wrong) {
      const { status, json } = await make(body);
      expect([status, json.error]).toMatchObject([400, { code: 'InvalidValuesForRequestParameters' }]);
      expect((json.error as { message: string }).message).toContain(`invalid: ${place}:`);
    }
    const { id } = await cloud.account(group, 'serviced', 'eastus');
    for (const service of ['blobServices', 'fileServices', 'queueServices', 'tableServices'])
      expect((await cloud.arm(`${id}/${service}/default?${API}`)).status).toBe(200);
    expect((await cloud.arm(`${id}/managementPolicies/default?${API}`)).status).toBe(404);
    const rules = { method: 'PUT', body: { properties: { policy: { rules: 'none' } } } };
    expect((await cloud.arm(`${id}/managementPolicies/default?${API}`, rules)).status).toBe(400);
    const signed = await cloud.arm(`${id}/listAccountSas?${API}`, {
      method: 'POST',
      body: {
        signedServices: 'z',
        signedResourceTypes: 's',
        signedPermission: 'r',
        signedExpiry: new Date().toISOString(),
      },
    });
    expect(signed.status).toBe(400);
  });

  it('are counted, and offered in kinds and redundancies', async () => {
    const ask = (path: string): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${cloud.subscription}/providers/Microsoft.Storage/${path}?${API}`);
    const usage = async (): Promise<number> => {
      const [{ currentValue }] = (await ask('locations/eastus/usages')).json.value as [{ currentValue: number }];
      return currentValue;
    };
    const before = await usage();
    const { id } = await cloud.account(group, 'counted', 'eastus');
    expect(await usage()).toBe(before + 1);
    expect((await ask('locations/mars/usages')).status).toBe(400);
    const skus = (await ask('skus')).json.value as JsonObject[];
    expect(skus).toContainEqual(expect.objectContaining({ name: 'Premium_ZRS', kind: 'BlockBlobStorage' }));
    const nfs = await cloud.arm(`${id}/fileServices/default/shares/nfs?${API}`, {
      method: 'PUT',
      body: { properties: { enabledProtocols: 'NFS' } },
    });
    expect([nfs.status, nfs.text]).toEqual([400, expect.stringContaining('enabledProtocols')]);
  });
});
