import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { addPrincipal, assign, codeOf, type TestPrincipal } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
const MINUTE_MS = 60_000;
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ roleDelaySeconds: 0 });
  group = await cloud.group('access', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const errorOf = ({ status, headers }: HttpAnswer): [number, string | undefined] => [status, headers['x-ms-error-code']];
async function patch(id: string, properties: JsonObject): Promise<void> {
  await cloud.ended(await cloud.arm(`${id}?${API}`, { method: 'PATCH', body: { properties } }));
}
function withToken(principal: TestPrincipal, url: string): BlobServiceClient {
  const getToken = async (): Promise<{ token: string; expiresOnTimestamp: number }> => ({
    token: await principal.token('https://storage.azure.com'),
    expiresOnTimestamp: Date.now() + MINUTE_MS,
  });
  return new BlobServiceClient(url, { getToken }, cloud.blobOptions());
}

describe('a user delegation SAS', () => {
  let account: Awaited<ReturnType<TestCloud['account']>>;
  let signer: TestPrincipal;
  let role: string;
  let key: UserDelegationKey;
  const sas = (permissions: string, signed = key): string =>
    generateBlobSASQueryParameters(
      {
        containerName: 'data',
        blobName: 'a b.txt',
        permissions: BlobSASPermissions.parse(permissions),
        startsOn: new Date(Date.now() - MINUTE_MS),
        expiresOn: new Date(Date.now() + 10 * MINUTE_MS),
      },
      signed,
      'delegated',
    ).toString();
  const read = (query: string): Promise<HttpAnswer> => cloud.ask(`${account.primary}data/a%20b.txt?${query}`);

  beforeAll(async () => {
    account = await cloud.account(group, 'delegated', 'eastus');
    signer = await addPrincipal(cloud);
    role = await assign(cloud, signer, 'Storage Blob Data Contributor', account.id);
    const service = withToken(signer, account.primary);
    await service.getContainerClient('data').create();
    await service.getContainerClient('data').getBlockBlobClient('a b.txt').upload('hello', 5);
    key = await service.getUserDelegationKey(new Date(Date.now() - MINUTE_MS), new Date(Date.now() + 60 * MINUTE_MS));
  });

  it('grants what it says, without account keys', async () => {
    expect((await read(sas('r'))).text).toBe('hello');
    const write = await cloud.ask(`${account.primary}data/a%20b.txt?${sas('r')}`, {
      method: 'PUT',
      raw: 'x',
      headers: { 'x-ms-blob-type': 'BlockBlob' },
    });
    expect(errorOf(write)).toEqual([403, 'AuthorizationPermissionMismatch']);
    expect(errorOf(await read(sas('r').replace('sp=r', 'sp=rw')))).toEqual([403, 'AuthenticationFailed']);
    await patch(account.id, { allowSharedKeyAccess: false });
    expect((await read(sas('r'))).text).toBe('hello');
    await patch(account.id, { allowSharedKeyAccess: true });
  });

  it('lets a copy read its source', async () => {
    const target = withToken(signer, account.primary).getContainerClient('data').getBlockBlobClient('copied');
    await target.syncCopyFromURL(`${account.primary}data/a%20b.txt?${sas('r')}`);
    expect((await target.downloadToBuffer()).toString()).toBe('hello');
  });

  it('grants no more than its signer may, until its keys are revoked', async () => {
    await cloud.arm(`${role}?${API}`, { method: 'DELETE' });
    expect(errorOf(await read(sas('r')))).toEqual([403, 'AuthorizationPermissionMismatch']);
    role = await assign(cloud, signer, 'Storage Blob Data Contributor', account.id);
    expect((await read(sas('r'))).status).toBe(200);
    await cloud.arm(`${account.id}/revokeUserDelegationKeys?${API}`, { method: 'POST' });
    expect(errorOf(await read(sas('r')))).toEqual([403, 'AuthenticationFailed']);
  });

  it('needs a key of at most seven days', async () => {
    const days = 8 * 24 * 60 * MINUTE_MS;
    await expect(
      withToken(signer, account.primary).getUserDelegationKey(new Date(), new Date(Date.now() + days)),
    ).rejects.toMatchObject({ statusCode: 400 });
  });
});

describe('a request without credentials', () => {
  it('sees public containers alone, where the account lets there be any', async () => {
    const account = await cloud.account(group, 'anonymous', 'eastus');
    const blobs = cloud.blobs(account.primary, 'anonymous', account.key);
    const container = (publicAccess: string): Promise<HttpAnswer> =>
      cloud.arm(`${account.id}/blobServices/default/containers/data?${API}`, {
        method: 'PUT',
        body: { properties: { publicAccess } },
      });
    const list = `${account.primary}data?restype=container&comp=list`;
    const blob = `${account.primary}data/one`;

    expect(codeOf(await container('Blob'))).toBe('PublicAccessNotPermitted');
    expect(codeOf(await container('Everything'))).toBe('InvalidValuesForRequestParameters');
    expect((await container('None')).status).toBe(201);
    await blobs.getContainerClient('data').getBlockBlobClient('one').upload('1', 1);
    expect(errorOf(await cloud.ask(blob))).toEqual([409, 'PublicAccessNotPermitted']);
    const challenged = await cloud.ask(blob, { headers: { 'x-ms-version': '2023-11-03' } });
    expect(errorOf(challenged)).toEqual([401, 'NoAuthenticationInformation']);
    expect(challenged.headers['www-authenticate']).toContain('resource_id=https://storage.azure.com');
    await expect(blobs.getContainerClient('opened').create({ access: 'blob' })).rejects.toMatchObject({
      code: 'PublicAccessNotPermitted',
    });

    await patch(account.id, { allowBlobPublicAccess: true });
    expect(errorOf(await cloud.ask(blob))).toEqual([404, 'ResourceNotFound']);
    await container('Blob');
    expect((await cloud.ask(blob)).text).toBe('1');
    expect(errorOf(await cloud.ask(list))).toEqual([404, 'ResourceNotFound']);
    expect((await cloud.ask(blob, { method: 'DELETE' })).status).toBe(404);
    await blobs.getContainerClient('data').setAccessPolicy('container');
    expect((await cloud.ask(list)).status).toBe(200);
    const shown = await cloud.arm(`${account.id}/blobServices/default/containers/data?${API}`);
    expect(shown.json).toMatchObject({ properties: { publicAccess: 'Container' } });
  });
});

describe('the blob service', () => {
  it('names its own endpoint in lists, and has no versions', async () => {
    const account = await cloud.account(group, 'endpoints', 'eastus');
    const blobs = cloud.blobs(account.primary, 'endpoints', account.key);
    const container = blobs.getContainerClient('data');
    await container.create();
    await container.getBlockBlobClient('ü').upload('1', 1);
    const [page] = [await container.listBlobsFlat().byPage().next()];
    expect(page.value).toMatchObject({ serviceEndpoint: account.primary });
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);
    expect(names).toEqual(['ü']);
    await expect(
      container.getBlockBlobClient('ü').withVersion('2024-01-01T00:00:00.0000000Z').getProperties(),
    ).rejects.toMatchObject({ statusCode: 404 });
  });

  it('has the containers that management makes, and no more those that it deletes', async () => {
    const account = await cloud.account(group, 'managedones', 'eastus');
    const id = `${account.id}/blobServices/default/containers/data`;
    const put = (metadata: JsonObject): Promise<HttpAnswer> =>
      cloud.arm(`${id}?${API}`, { method: 'PUT', body: { properties: { metadata } } });
    expect((await put({ 'not-a-name': 'x' })).status).toBe(400);
    expect((await put({ owner: 'ml' })).status).toBe(201);
    const container = cloud.blobs(account.primary, 'managedones', account.key).getContainerClient('data');
    expect((await container.getProperties()).metadata).toEqual({ owner: 'ml' });
    await container.getBlockBlobClient('one').upload('1', 1);
    const lease = container.getBlobLeaseClient();
    await lease.acquireLease(-1);
    const held = await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
    expect([held.status, codeOf(held)]).toEqual([409, 'ContainerOperationFailure']);
    await lease.releaseLease();
    expect((await cloud.arm(`${id}?${API}`, { method: 'DELETE' })).status).toBe(200);
    expect(await container.exists()).toBe(false);
    await put({});
    expect(await container.getBlockBlobClient('one').exists()).toBe(false);
  });
});
