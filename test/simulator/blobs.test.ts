import { createHash } from 'node:crypto';
import {
  generateBlobSASQueryParameters,
  BlobServiceClient,
  ContainerSASPermissions,
  SASProtocol,
  StorageSharedKeyCredential,
  type ContainerClient,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-01-01';
let cloud: TestCloud;
let east: Awaited<ReturnType<TestCloud['account']>>;
let west: Awaited<ReturnType<TestCloud['account']>>;
let group: string;
let source: ContainerClient;
let target: ContainerClient;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('blobs', 'eastus');
  [east, west] = await Promise.all([
    cloud.account(group, 'eastblobs', 'eastus'),
    cloud.account(group, 'westblobs', 'westus3'),
  ]);
  source = cloud.blobs(east.primary, 'eastblobs', east.key).getContainerClient('data');
  target = cloud.blobs(west.primary, 'westblobs', west.key).getContainerClient('data');
  await source.create();
  await target.create();
}, 60_000);
afterAll(() => cloud.stop());

function sas(container: ContainerClient, account: string, key: string, permissions = 'rl'): string {
  const signed = generateBlobSASQueryParameters(
    {
      containerName: container.containerName,
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 600_000),
      protocol: SASProtocol.Https,
    },
    new StorageSharedKeyCredential(account, key),
  );
  return signed.toString();
}

describe('the blob fronts', () => {
  const name = 'a folder/ünïcode & 100%.bin';
  const content = Buffer.alloc(600_000, 'checkpoint');

  it('keep the signatures of shared keys and of SAS, and stream both ways', async () => {
    await source
      .getBlockBlobClient(name)
      .uploadData(content, { metadata: { Step: '7' }, blockSize: 256_000, maxSingleShotSize: 256_000 });
    expect(await source.getBlobClient(name).downloadToBuffer()).toEqual(content);
    const bySas = new BlobServiceClient(
      `${east.primary}?${sas(source, 'eastblobs', east.key)}`,
      undefined,
      cloud.blobOptions(),
    ).getContainerClient('data');
    expect((await bySas.getBlobClient(name).getProperties()).metadata).toEqual({ step: '7' });
    const wrong = cloud.blobs(east.primary, 'eastblobs', west.key).getContainerClient('data');
    await expect(wrong.getProperties()).rejects.toMatchObject({ statusCode: 403 });
  });

  it('copy between accounts of two regions in every way that clients know', async () => {
    const url = `${source.getBlobClient(name).url}?${sas(source, 'eastblobs', east.key)}`;
    expect((await target.getBlobClient('sync').syncCopyFromURL(url)).copyStatus).toBe('success');
    await (await target.getBlobClient('begun').beginCopyFromURL(url, { intervalInMs: 10 })).pollUntilDone();
    const blocks = ['0001', '0002'].map((id) => Buffer.from(id).toString('base64'));
    const staged = target.getBlockBlobClient('staged');
    await staged.stageBlockFromURL(blocks[0] ?? '', url, 0, 400_000);
    await staged.stageBlockFromURL(blocks[1] ?? '', url, 400_000, 200_000);
    await staged.commitBlockList(blocks);
    await target.getBlockBlobClient('uploaded').syncUploadFromURL(url);
    const bySas = new BlobServiceClient(
      `${west.primary}?${sas(target, 'westblobs', west.key, 'rcw')}`,
      undefined,
      cloud.blobOptions(),
    ).getContainerClient('data');
    await bySas.getBlockBlobClient('signed').syncUploadFromURL(url);
    for (const copy of ['sync', 'begun', 'staged', 'uploaded', 'signed'])
      expect(await target.getBlobClient(copy).downloadToBuffer()).toEqual(content);
    expect((await target.getBlobClient('sync').getProperties()).metadata).toEqual({ step: '7' });
  });

  it('verify the source of a copy', async () => {
    const { url } = source.getBlobClient(name);
    await expect(target.getBlobClient('x').syncCopyFromURL(url)).rejects.toMatchObject({
      statusCode: 403,
      code: 'CannotVerifyCopySource',
    });
    const absent = `${source.getBlobClient('absent').url}?${sas(source, 'eastblobs', east.key)}`;
    await expect(target.getBlobClient('x').syncCopyFromURL(absent)).rejects.toMatchObject({
      statusCode: 404,
    });
    await expect(
      target.getBlobClient('x').syncCopyFromURL('https://localhost:1/eastblobs/data/x'),
    ).rejects.toMatchObject({ code: 'CannotVerifyCopySource' });
  });

  it('copy nothing that has another MD5 than the one that the client names', async () => {
    const url = `${source.getBlobClient(name).url}?${sas(source, 'eastblobs', east.key)}`;
    const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest();
    const copy = target.getBlockBlobClient('compared');
    const [right, wrong] = [md5(content), md5(content.subarray(1))];
    const mismatch = { statusCode: 400, code: 'Md5Mismatch' };
    await expect(copy.syncCopyFromURL(url, { sourceContentMD5: wrong })).rejects.toMatchObject(mismatch);
    await expect(copy.stageBlockFromURL(btoa('1'), url, 0, 10, { sourceContentMD5: right })).rejects.toMatchObject(
      mismatch,
    );
    expect(await copy.exists()).toBe(false);
    await copy.syncCopyFromURL(url, { sourceContentMD5: right });
    const first = { sourceContentMD5: md5(content.subarray(0, 10)) };
    await copy.stageBlockFromURL(btoa('1'), url, 0, 10, first);
    expect(await copy.downloadToBuffer()).toEqual(content);
  });

  it('take bearer tokens for storage, and no others', async () => {
    const byToken = new BlobServiceClient(east.primary, cloud.credential(), cloud.blobOptions()).getContainerClient(
      'data',
    );
    expect((await byToken.getBlobClient(name).getProperties()).contentLength).toBe(content.length);
    const arm = await cloud.token();
    const answer = await cloud.ask(`${east.primary}data?restype=container`, {
      headers: { authorization: `Bearer ${arm}`, 'x-ms-version': '2024-11-04' },
    });
    expect(answer.status).toBe(401);
    const forged = await cloud.ask(`${east.primary}data?restype=container`, {
      headers: { 'local-azure-vouched': 'true', 'x-ms-version': '2024-11-04' },
    });
    expect(forged.status).toBeGreaterThanOrEqual(400);
  });

  it('hold conditions, leases and pages', async () => {
    const blob = target.getBlockBlobClient('conditional');
    const { etag = '' } = await blob.upload('1', 1);
    await expect(blob.upload('2', 1, { conditions: { ifNoneMatch: '*' } })).rejects.toMatchObject({
      statusCode: 409,
    });
    await blob.upload('2', 1, { conditions: { ifMatch: etag } });
    await expect(blob.upload('3', 1, { conditions: { ifMatch: etag } })).rejects.toMatchObject({
      statusCode: 412,
    });
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    await expect(blob.upload('4', 1)).rejects.toMatchObject({ statusCode: 412 });
    await lease.releaseLease();
    for (let i = 0; i < 7; i += 1) await target.getBlockBlobClient(`pages/${i}`).upload('x', 1);
    const pages: number[] = [];
    for await (const page of target.listBlobsFlat({ prefix: 'pages/' }).byPage({ maxPageSize: 3 }))
      pages.push(page.segment.blobItems.length);
    expect(pages).toEqual([3, 3, 1]);
  });

  it('serve an account only in its region, and its secondary, for reading, in the paired one', async () => {
    const { regions } = cloud.at.address;
    const elsewhere = cloud
      .blobs(`${regions.centralus?.dataPlane}/eastblobs`, 'eastblobs', east.key)
      .getContainerClient('data');
    await expect(elsewhere.getProperties()).rejects.toMatchObject({ statusCode: 404 });
    expect(east.secondary).toBe(`${regions.westus3?.dataPlane}/eastblobs-secondary/`);
    const secondary = cloud.blobs(east.secondary, 'eastblobs', east.key).getContainerClient('data');
    expect(await secondary.getBlobClient(name).downloadToBuffer()).toEqual(content);
    await expect(secondary.getBlockBlobClient('w').upload('x', 1)).rejects.toMatchObject({ statusCode: 403 });
    await expect(
      cloud
        .blobs(`${regions.eastus?.dataPlane}/centralacc-secondary`, 'centralacc', east.key)
        .getContainerClient('data')
        .getProperties(),
    ).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('storage accounts', () => {
  it('have rules for names, kinds and redundancies, and names are unique in the world', async () => {
    const put = async (name: string, body: object): Promise<unknown[]> => {
      const id = `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
      const answer = await cloud.arm(`${id}?${API}`, {
        method: 'PUT',
        body: { location: 'eastus', kind: 'StorageV2', sku: { name: 'Standard_LRS' }, ...body },
      });
      return [answer.status, (answer.json.error as { code: string } | undefined)?.code];
    };
    expect(await put('Bad-Name', {})).toEqual([400, 'AccountNameInvalid']);
    expect(await put('goodname', { sku: { name: 'Gold' } })).toEqual([400, 'InvalidRequestPropertyValue']);
    expect(await put('goodname', { kind: 'Box' })).toEqual([400, 'InvalidRequestPropertyValue']);
    const other = await cloud.group('other', 'westus3');
    const taken = await cloud.arm(`${other}/providers/Microsoft.Storage/storageAccounts/eastblobs?${API}`, {
      method: 'PUT',
      body: { location: 'westus3', kind: 'StorageV2', sku: { name: 'Standard_LRS' } },
    });
    expect([taken.status, taken.json]).toMatchObject([409, { error: { code: 'StorageAccountAlreadyTaken' } }]);
    const free = await cloud.arm(`${cloud.subscription}/providers/Microsoft.Storage/checkNameAvailability?${API}`, {
      method: 'POST',
      body: { name: 'eastblobs', type: 'Microsoft.Storage/storageAccounts' },
    });
    expect(free.json).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' });
  });

  it('change a key for good: the old one is refused at once', async () => {
    const account = await cloud.account(group, 'rotating', 'eastus');
    const before = cloud.blobs(account.primary, 'rotating', account.key).getContainerClient('data');
    await before.create();
    const answer = await cloud.arm(`${account.id}/regenerateKey?${API}`, {
      method: 'POST',
      body: { keyName: 'key1' },
    });
    const [key1, key2] = answer.json.keys as { value: string }[];
    expect(key1?.value).not.toBe(account.key);
    await expect(before.getProperties()).rejects.toMatchObject({ statusCode: 403 });
    for (const key of [key1, key2])
      await cloud
        .blobs(account.primary, 'rotating', key?.value ?? '')
        .getContainerClient('data')
        .getProperties();
  });

  it('refuse keys and SAS, or the public network, when told to', async () => {
    const account = await cloud.account(group, 'lockedacc', 'eastus');
    const container = cloud.blobs(account.primary, 'lockedacc', account.key).getContainerClient('data');
    await container.create();
    const patch = (properties: { [name: string]: boolean | string }): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${account.id}?${API}`, { method: 'PATCH', body: { properties } });
    await patch({ allowSharedKeyAccess: false });
    await expect(container.getProperties()).rejects.toMatchObject({
      statusCode: 403,
      code: 'KeyBasedAuthenticationNotPermitted',
    });
    const bySas = new BlobServiceClient(
      `${account.primary}?${sas(container, 'lockedacc', account.key)}`,
      undefined,
      cloud.blobOptions(),
    );
    await expect(bySas.getContainerClient('data').getBlobClient('x').download()).rejects.toMatchObject({
      code: 'KeyBasedAuthenticationNotPermitted',
    });
    const byToken = new BlobServiceClient(account.primary, cloud.credential(), cloud.blobOptions());
    await byToken.getContainerClient('data').getProperties();
    await patch({ allowSharedKeyAccess: true, publicNetworkAccess: 'Disabled' });
    await expect(container.getProperties()).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailure',
    });
  });

  it('show containers to management however they were made, and take their blobs with them', async () => {
    const account = await cloud.account(group, 'mirrored', 'eastus');
    const service = cloud.blobs(account.primary, 'mirrored', account.key);
    await service.getContainerClient('from-data').create();
    await cloud.make(`${account.id}/blobServices/default/containers/from-arm`, {
      properties: { publicAccess: 'None' },
    });
    await service.getContainerClient('from-arm').getBlockBlobClient('b').upload('x', 1);
    const list = (await cloud.arm(`${account.id}/blobServices/default/containers?${API}`)).json.value as {
      name: string;
    }[];
    expect(list.map(({ name }) => name).sort()).toEqual(['from-arm', 'from-data']);
    await service.getContainerClient('from-data').delete();
    expect((await cloud.arm(`${account.id}/blobServices/default/containers/from-data?${API}`)).status).toBe(404);

    await cloud.arm(`${account.id}?${API}`, { method: 'DELETE' });
    await expect(service.getContainerClient('from-arm').getProperties()).rejects.toMatchObject({
      statusCode: 404,
    });
    const again = await cloud.account(group, 'mirrored', 'eastus');
    expect(again.key).not.toBe(account.key);
    const fresh = cloud.blobs(again.primary, 'mirrored', again.key);
    expect(await fresh.getContainerClient('from-arm').exists()).toBe(false);
  });
});
