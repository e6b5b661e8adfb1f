/** Beliefs about storage accounts, roles and vaults. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockBlobClient } from '@azure/storage-blob';
import { apiVersions, type BlobAccount, type JsonObject } from '../../src/azure/azure.ts';
import { openPlace, deadline, type Place } from './place.ts';

let place: Place;
let from: BlobAccount;
let to: BlobAccount;

async function account(prefix: string): Promise<BlobAccount> {
  const id = `${place.group}/providers/Microsoft.Storage/storageAccounts/${place.name(prefix)}`;
  await place.azure.arm.put(id, apiVersions.storage, {
    location: place.location,
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {},
  });
  const opened = await place.azure.blobAccount(id);
  await opened.container('data').createIfNotExists();
  return opened;
}

beforeAll(async () => {
  place = await openPlace();
  [from, to] = [await account('asmfrom'), await account('asmto')];
}, deadline);
afterAll(() => place?.close(), deadline);

const blob = (of: BlobAccount, name: string): BlockBlobClient => of.container('data').getBlockBlobClient(name);
const put = (client: BlockBlobClient, text: string) => client.upload(text, Buffer.byteLength(text));
const md5 = (text: string) => createHash('md5').update(text).digest();
const refusal = (work: Promise<unknown>): Promise<{ statusCode?: number; code?: string }> =>
  work.then(
    () => ({}),
    (error: { statusCode?: number; code?: string }) => error,
  );

describe('a blob', { timeout: deadline }, () => {
  it('is copied at an etag, from server to server, into a place where there is none, once', async () => {
    const { etag = '' } = await put(blob(from, 'a'), 'one');
    const copy = (sourceEtag: string) =>
      blob(to, 'a').syncCopyFromURL(from.readUrl('data', 'a'), {
        conditions: { ifNoneMatch: '*' },
        sourceConditions: { ifMatch: sourceEtag },
      });
    await copy(etag);
    expect((await blob(to, 'a').downloadToBuffer()).toString()).toBe('one');
    expect(await refusal(copy(etag))).toMatchObject({ statusCode: 409 });
    await put(blob(from, 'a'), 'two');
    await blob(to, 'a').delete();
    expect(await refusal(copy(etag))).toMatchObject({ statusCode: 412 });
  });

  it('has the MD5 of its content when it was uploaded in one request, and none when committed from blocks', async () => {
    await put(blob(from, 'whole'), 'hello');
    const { contentMD5 } = await blob(from, 'whole').getProperties();
    expect(Buffer.from(contentMD5 ?? []).toString('hex')).toBe('5d41402abc4b2a76b9719d911017c592');
    const id = Buffer.from('0').toString('base64');
    await blob(from, 'blocks').stageBlock(id, 'hello', 5);
    await blob(from, 'blocks').commitBlockList([id]);
    expect((await blob(from, 'blocks').getProperties()).contentMD5).toBeUndefined();
  });

  it('is not copied where its content is not that of the MD5 that is named, whatever MD5 it bears', async () => {
    const source = blob(from, 'altered');
    await put(source, 'altered content');
    await source.setHTTPHeaders({ blobContentMD5: md5('the content') });
    const url = from.readUrl('data', 'altered');
    const copy = blob(to, 'altered');
    const options = { sourceContentMD5: md5('the content') };
    expect(await refusal(copy.syncCopyFromURL(url, options))).toMatchObject({
      statusCode: 400,
      code: 'Md5Mismatch',
    });
    expect(await copy.exists()).toBe(false);
    await copy.syncCopyFromURL(url, { sourceContentMD5: md5('altered content') });
  });

  it('is written at an etag by one of two who try at once', async () => {
    const { etag = '' } = await put(blob(to, 'pointer'), '0');
    const results = await Promise.allSettled(
      ['1', '2'].map((text) => blob(to, 'pointer').upload(text, 1, { conditions: { ifMatch: etag } })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const made = await Promise.allSettled(
      ['1', '2'].map((text) => blob(to, 'new').upload(text, 1, { conditions: { ifNoneMatch: '*' } })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('access', { timeout: deadline }, () => {
  it('by a key, and by what it has signed, ends when the key is regenerated', async () => {
    await put(blob(from, 'kept'), 'x');
    const signed = from.readUrl('data', 'kept');
    expect((await fetch(signed)).status).toBe(200);
    await place.azure.arm.post(`${from.accountId}/regenerateKey`, apiVersions.storage, { keyName: 'key1' });
    expect((await fetch(signed)).status).toBe(403);
    expect(await refusal(from.container('data').getProperties())).toMatchObject({ statusCode: 403 });
    const again = await place.azure.blobAccount(from.accountId);
    expect((await again.container('data').getProperties()).etag).toBeDefined();
  });

  it('by a role that was taken away comes back under the name of its assignment', async () => {
    const role = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'; // Storage Blob Data Reader
    const path = `${to.accountId}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`;
    const body: JsonObject = {
      properties: {
        roleDefinitionId: `${place.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
        principalId: place.caller,
      },
    };
    const read = () => place.azure.arm.find(path, apiVersions.roleAssignments);
    await place.azure.arm.put(path, apiVersions.roleAssignments, body);
    expect(await read()).toBeDefined();
    await place.azure.arm.remove(path, apiVersions.roleAssignments);
    expect(await read()).toBeUndefined();
    await place.azure.arm.put(path, apiVersions.roleAssignments, body);
    expect((await read())?.properties.principalId).toBe(place.caller);
  });
});

describe('a vault', { timeout: deadline }, () => {
  it('that was deleted keeps its name until it is purged', async () => {
    const { arm } = place.azure;
    const name = place.name('asmkv');
    const path = `${place.group}/providers/Microsoft.KeyVault/vaults/${name}`;
    const [, , subscription = ''] = place.group.split('/');
    const properties: JsonObject = {
      tenantId: place.tenant,
      sku: { family: 'A', name: 'standard' },
      accessPolicies: [],
    };
    await arm.put(path, apiVersions.keyVault, { location: place.location, properties });
    await arm.remove(path, apiVersions.keyVault);
    await expect(arm.put(path, apiVersions.keyVault, { location: place.location, properties })).rejects.toThrow(
      /deleted|recover|exists/i,
    );
    const deleted = `/subscriptions/${subscription}/providers/Microsoft.KeyVault/locations/${place.location}/deletedVaults/${name}`;
    await arm.post(`${deleted}/purge`, apiVersions.keyVault);
    await arm.put(path, apiVersions.keyVault, { location: place.location, properties });
  });
});
