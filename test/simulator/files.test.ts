import { createHash, randomUUID } from 'node:crypto';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  generateFileSASQueryParameters,
  FileSASPermissions,
  ShareClient,
  ShareSASPermissions,
  ShareServiceClient,
  StorageSharedKeyCredential,
  type ShareDirectoryClient,
} from '@azure/storage-file-share';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
let cloud: TestCloud;
let group: string;
let id: string;
let key: string;
let endpoint: string;
let service: ShareServiceClient;
let share: ShareClient;

function options(): { tlsOptions: { ca: string }; retryOptions: { maxTries: number } } {
  return { tlsOptions: { ca: cloud.ca }, retryOptions: { maxTries: 1 } };
}

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('files', 'eastus');
  ({ id, key } = await cloud.account(group, 'codeshares', 'eastus'));
  const shown = (await cloud.arm(`${id}?${API}`)).json.properties as { primaryEndpoints: { file: string } };
  endpoint = shown.primaryEndpoints.file.replace(/\/$/, '');
  service = new ShareServiceClient(endpoint, new StorageSharedKeyCredential('codeshares', key), options());
  share = service.getShareClient('code');
}, 60_000);
afterEach(() => cloud.admin('DELETE', '/faults'));
afterAll(() => cloud.stop());

async function entries(directory: ShareDirectoryClient, pageSize?: number): Promise<string[]> {
  const names: string[] = [];
  const pages = directory.listFilesAndDirectories().byPage(pageSize === undefined ? {} : { maxPageSize: pageSize });
  for await (const { segment } of pages) {
    names.push(...segment.directoryItems.map(({ name }) => `${name}/`));
    names.push(...segment.fileItems.map(({ name, properties }) => `${name} ${properties.contentLength}`));
  }
  return names;
}

describe('Azure Files', () => {
  const content = Buffer.from(Array.from({ length: 5_000_000 }, (_, i) => i % 251));

  it('keeps shares, directories and files as its SDK writes them', async () => {
    await share.create({ quota: 100, metadata: { owner: 'ml' } });
    await expect(share.create()).rejects.toMatchObject({ statusCode: 409, code: 'ShareAlreadyExists' });
    expect(await share.getProperties()).toMatchObject({ quota: 100, metadata: { owner: 'ml' } });
    const root = share.rootDirectoryClient;
    const users = root.getDirectoryClient('Users');
    await users.create();
    await users.getDirectoryClient('ünï & code').create({ metadata: { a: 'b' } });
    const file = users.getDirectoryClient('ünï & code').getFileClient('train model.py');
    await file.uploadData(content, {
      fileHttpHeaders: { fileContentType: 'text/x-python' },
      metadata: { step: '7' },
    });
    expect((await file.downloadToBuffer()).equals(content)).toBe(true);
    expect(await file.getProperties()).toMatchObject({
      contentLength: content.length,
      contentType: 'text/x-python',
      metadata: { step: '7' },
      fileAttributes: 'Archive',
    });
    expect(await share.getStatistics()).toMatchObject({ shareUsageBytes: content.length });
  });

  it('finds names whatever their case, and shows them as they were made', async () => {
    const file = share.getDirectoryClient('USERS/ÜNÏ & code').getFileClient('TRAIN model.py');
    expect((await file.getProperties()).contentLength).toBe(content.length);
    expect(await entries(share.rootDirectoryClient)).toEqual(['Users/']);
  });

  it('reads ranges, and tells the written from the sparse', async () => {
    const file = share.rootDirectoryClient.getFileClient('sparse.bin');
    await file.create(1000);
    await file.uploadRange('hello', 100, 5);
    await file.uploadRange('world', 105, 5);
    await file.uploadRange('x', 999, 1);
    const { rangeList } = await file.getRangeList();
    expect(rangeList).toEqual([
      { start: 100, end: 109 },
      { start: 999, end: 999 },
    ]);
    expect((await file.downloadToBuffer(98, 8)).toString()).toBe('\0\0hellow');
    await file.clearRange(102, 6);
    expect((await file.downloadToBuffer(100, 10)).toString()).toBe('he\0\0\0\0\0\0ld');
    expect((await file.getRangeList()).rangeList[0]).toEqual({ start: 100, end: 101 });
    await file.resize(101);
    await file.resize(200);
    expect((await file.downloadToBuffer(100, 5)).toString()).toBe('h\0\0\0\0');
    await expect(file.downloadToBuffer(500, 5)).rejects.toMatchObject({
      statusCode: 416,
      code: 'InvalidRange',
    });
    await expect(file.uploadRange('x', 200, 1)).rejects.toMatchObject({ statusCode: 416 });
    const md5 = createHash('md5').update('other').digest();
    await expect(file.uploadRange('hello', 0, 5, { contentMD5: md5 })).rejects.toMatchObject({
      code: 'Md5Mismatch',
    });
  });

  it('holds files far longer than memory, as long as they are sparse', async () => {
    const huge = share.rootDirectoryClient.getFileClient('huge.bin');
    await huge.create(40 * 2 ** 30);
    await huge.uploadRange('end', 40 * 2 ** 30 - 3, 3);
    await huge.clearRange(0, 40 * 2 ** 30 - 1);
    expect((await huge.getRangeList()).rangeList).toEqual([{ start: 40 * 2 ** 30 - 1, end: 40 * 2 ** 30 - 1 }]);
    expect((await huge.downloadToBuffer(40 * 2 ** 30 - 4, 4)).toString()).toBe('\0\0\0d');
    await huge.delete();
  });

  it('lists a page at a time, by prefix, with times where asked', async () => {
    const many = share.getDirectoryClient('many');
    await many.create();
    const names = Array.from({ length: 23 }, (_, i) => `f${String(i).padStart(2, '0')}.txt`);
    for (const [i, name] of names.entries()) await many.getFileClient(name).create(i);
    await many.getDirectoryClient('sub').create();
    expect(await entries(many, 5)).toEqual([
      ...names.slice(0, 20).map((name, i) => `${name} ${i}`),
      'sub/',
      ...names.slice(20).map((name, i) => `${name} ${i + 20}`),
    ]);
    const found = await Array.fromAsync(many.listFilesAndDirectories({ prefix: 'f1' }));
    expect(found.map(({ name }) => name)).toEqual(names.filter((name) => name.startsWith('f1')));
    const [first] = await Array.fromAsync(
      many.listFilesAndDirectories({
        prefix: 'f07',
        includeTimestamps: true,
        includeEtag: true,
        includeExtendedInfo: true,
      }),
    );
    const properties = await many.getFileClient('f07.txt').getProperties();
    expect(first).toMatchObject({ name: 'f07.txt', properties: { contentLength: 7, etag: properties.etag } });
    const listed = await Array.fromAsync(service.listShares({ prefix: 'co', includeMetadata: true }));
    expect(listed).toMatchObject([{ name: 'code', metadata: { owner: 'ml' }, properties: { quota: 100 } }]);
  });

  it('refuses what Azure refuses, for its reason', async () => {
    const root = share.rootDirectoryClient;
    const code = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => 'done',
        (error: { code?: string; statusCode?: number }) => [error.statusCode, error.code],
      );
    expect(await code(root.getFileClient('none').download())).toEqual([404, 'ResourceNotFound']);
    expect(await code(root.getDirectoryClient('no/where').create())).toEqual([404, 'ParentNotFound']);
    expect(await code(root.getDirectoryClient('Users').delete())).toEqual([409, 'DirectoryNotEmpty']);
    expect(await code(root.getDirectoryClient('users').create())).toEqual([409, 'ResourceAlreadyExists']);
    expect(await code(root.getFileClient('Users').create(1))).toEqual([409, 'ResourceTypeMismatch']);
    expect(await code(root.getFileClient('a:b').create(1))).toEqual([400, 'InvalidResourceName']);
    expect(await code(service.getShareClient('Bad--Name').create())).toEqual([400, 'InvalidResourceName']);
    expect(await code(service.getShareClient('absent').getStatistics())).toEqual([404, 'ShareNotFound']);
    expect(await code(root.getFileClient('huge').create(101 * 2 ** 30))).toEqual([413, 'ShareSizeLimitReached']);
    expect(await code(root.getFileClient('sparse.bin').getShareLeaseClient().acquireLease(-1))).toEqual([
      501,
      'NotImplemented',
    ]);
    const wrong = new StorageSharedKeyCredential('codeshares', Buffer.from('wrong').toString('base64'));
    const stranger = new ShareServiceClient(endpoint, wrong, options()).getShareClient('code');
    expect(await code(stranger.getStatistics())).toEqual([403, 'AuthenticationFailed']);
    expect((await cloud.ask(`${endpoint}/code?restype=share`)).status).toBe(401);
    expect((await cloud.ask(`${endpoint}/%E0%A4%A?restype=share`)).headers['x-ms-error-code']).toBe('InvalidUri');
  });

  it('copies and snapshots', async () => {
    const root = share.rootDirectoryClient;
    const source = root.getFileClient('original');
    await source.uploadData(Buffer.from('first'));
    const { snapshot = '' } = await share.createSnapshot();
    await source.uploadData(Buffer.from('second!'));
    const before = share.withSnapshot(snapshot).rootDirectoryClient.getFileClient('original');
    expect((await before.downloadToBuffer()).toString()).toBe('first');
    await expect(before.delete()).rejects.toMatchObject({ statusCode: 400 });
    await expect(share.delete()).rejects.toMatchObject({ code: 'ShareHasSnapshots' });
    const sas = generateFileSASQueryParameters(
      {
        shareName: 'code',
        filePath: 'original',
        permissions: FileSASPermissions.parse('r'),
        expiresOn: soon(),
      },
      new StorageSharedKeyCredential('codeshares', key),
    );
    await root.getFileClient('copy').startCopyFromURL(`${source.url}?${sas.toString()}`);
    expect((await root.getFileClient('copy').downloadToBuffer()).toString()).toBe('second!');
    const ranged = root.getFileClient('ranged');
    await ranged.create(4);
    await ranged.uploadRangeFromURL(`${source.url}?${sas.toString()}`, 2, 0, 4);
    expect((await ranged.downloadToBuffer()).toString()).toBe('cond');
    await expect(root.getFileClient('x').startCopyFromURL(source.url)).rejects.toMatchObject({
      code: 'CannotVerifyCopySource',
    });
  });

  it('takes SAS of account, share and file, for what they permit and until the key is rotated', async () => {
    const credential = new StorageSharedKeyCredential('codeshares', key);
    const ofShare = generateFileSASQueryParameters(
      { shareName: 'code', permissions: ShareSASPermissions.parse('rl'), expiresOn: soon() },
      credential,
    ).toString();
    const ofAccount = generateAccountSASQueryParameters(
      {
        services: AccountSASServices.parse('f').toString(),
        resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
        permissions: AccountSASPermissions.parse('rwl'),
        expiresOn: soon(),
      },
      credential,
    ).toString();
    const past = generateFileSASQueryParameters(
      {
        shareName: 'code',
        permissions: ShareSASPermissions.parse('rl'),
        expiresOn: new Date(Date.now() - 1000),
      },
      credential,
    ).toString();
    const by = (sas: string): ShareClient => new ShareClient(`${endpoint}/code?${sas}`, undefined, options());
    const read = (sas: string): Promise<Buffer> =>
      by(sas).rootDirectoryClient.getFileClient('original').downloadToBuffer();
    expect((await read(ofShare)).toString()).toBe('second!');
    expect((await read(ofAccount)).toString()).toBe('second!');
    expect(await entries(by(ofShare).rootDirectoryClient)).toContain('original 7');
    await expect(by(ofShare).rootDirectoryClient.getFileClient('new').create(1)).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationPermissionMismatch',
    });
    await by(ofAccount).rootDirectoryClient.getFileClient('new').create(1);
    await expect(read(past)).rejects.toMatchObject({ statusCode: 403 });
    await cloud.arm(`${id}/regenerateKey?${API}`, { method: 'POST', body: { keyName: 'key1' } });
    for (const sas of [ofShare, ofAccount]) await expect(read(sas)).rejects.toMatchObject({ statusCode: 403 });
    const { json } = await cloud.arm(`${id}/listKeys?${API}`, { method: 'POST' });
    key = (json.keys as { value: string }[])[0]?.value ?? '';
    service = new ShareServiceClient(endpoint, new StorageSharedKeyCredential('codeshares', key), options());
    share = service.getShareClient('code');
  });

  it('takes bearer tokens with the intent to back up, of those who have a role for it', async () => {
    const byToken = new ShareServiceClient(endpoint, cloud.credential(), {
      ...options(),
      fileRequestIntent: 'backup',
    });
    const file = byToken.getShareClient('code').rootDirectoryClient.getFileClient('original');
    await expect(file.download()).rejects.toMatchObject({ code: 'AuthorizationPermissionMismatch' });
    const role = '69566ab7-960f-475b-8e7c-b3118f30c6bd';
    const principalId = cloud.at.directory.allPrincipals()[0]?.objectId ?? '';
    await cloud.make(`${id}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, {
      properties: {
        roleDefinitionId: `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
        principalId,
        principalType: 'ServicePrincipal',
      },
    });
    await cloud.admin('POST', '/clock', { advanceSeconds: 600 });
    const fresh = new ShareServiceClient(endpoint, cloud.credential(), {
      ...options(),
      fileRequestIntent: 'backup',
    });
    const now = fresh.getShareClient('code').rootDirectoryClient.getFileClient('original');
    expect((await now.downloadToBuffer()).toString()).toBe('second!');
    const without = new ShareServiceClient(endpoint, cloud.credential(), options()).getShareClient('code');
    await expect(without.rootDirectoryClient.getFileClient('original').download()).rejects.toMatchObject({
      code: 'MissingRequiredHeader',
    });
  });

  it('keeps everything over a restart, is as dark as its region, and goes with its account', async () => {
    await cloud.restart();
    const file = share.rootDirectoryClient.getFileClient('original');
    expect((await file.downloadToBuffer()).toString()).toBe('second!');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['storage'] });
    await expect(file.downloadToBuffer()).rejects.toThrow();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    const west = `${cloud.at.address.regions.westus3?.dataPlane}/_/file/codeshares/code?restype=share`;
    expect((await cloud.ask(west)).status).toBe(404);
  });
});

describe('file shares in management', () => {
  const shares = (): string => `${id}/fileServices/default/shares`;

  it('are those of the data plane', async () => {
    const made = await cloud.make(`${shares()}/by-arm`, {
      properties: { shareQuota: 10, accessTier: 'Hot' },
    });
    expect(made.properties).toMatchObject({ shareQuota: 10, accessTier: 'Hot', enabledProtocols: 'SMB' });
    const byArm = service.getShareClient('by-arm');
    expect((await byArm.getProperties()).quota).toBe(10);
    await byArm.setQuota(20);
    expect((await cloud.arm(`${shares()}/by-arm?${API}`)).json.properties).toMatchObject({ shareQuota: 20 });
    await cloud.arm(`${shares()}/by-arm?${API}`, {
      method: 'PATCH',
      body: { properties: { shareQuota: 30 } },
    });
    expect((await byArm.getProperties()).quota).toBe(30);
    const listed = (await cloud.arm(`${shares()}?${API}`)).json.value as { name: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual(['by-arm', 'code']);
    expect((await cloud.arm(`${shares()}/code?${API}`, { method: 'DELETE' })).text).toContain('ShareHasSnapshots');
    await cloud.arm(`${shares()}/by-arm?${API}`, { method: 'DELETE' });
    expect(await byArm.exists()).toBe(false);
    const bad = await cloud.arm(`${shares()}/quota?${API}`, {
      method: 'PUT',
      body: { properties: { shareQuota: 0 } },
    });
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining('1 to 102400')]);
  });

  it('go with their account', async () => {
    await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
    const again = await cloud.account(group, 'codeshares', 'eastus');
    const fresh = new ShareServiceClient(endpoint, new StorageSharedKeyCredential('codeshares', again.key), options());
    expect(await Array.fromAsync(fresh.listShares())).toEqual([]);
    const listed = await cloud.arm(`${shares()}?${API}`);
    expect(listed.json.value).toEqual([]);
  });
});

function soon(): Date {
  return new Date(Date.now() + 600_000);
}
