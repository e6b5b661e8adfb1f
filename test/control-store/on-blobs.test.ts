/** The control store on blobs: the local Azure's storage, reached as any Azure is. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openControlStore } from '../../src/control-store/connect.ts';
import { startLocalAzure, type LocalAzure } from '../azure/local.ts';
import { controlStoreContract } from './contract.ts';

const region = 'centralus';
const account = 'understudycontrol';

let azure: LocalAzure;
let containers = 0;

const open = (container = `store-${++containers}`, storageAccount = account) =>
  openControlStore(azure.connect(), {
    subscriptionId: azure.subscriptionId,
    resourceGroup: 'ml-control',
    storageAccount,
    container,
  });

beforeAll(async () => {
  azure = await startLocalAzure();
  const group = await azure.group('ml-control', region);
  await azure.connect().arm.put(`${group}/providers/Microsoft.Storage/storageAccounts/${account}`, '2023-05-01', {
    location: region,
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {},
  });
});

afterEach(() => azure.cloud.faults.clear([region]));
afterAll(() => azure.close());

describe('the control store on blobs', () => {
  controlStoreContract(() => open());

  it('is the same for everyone who opens its container', async () => {
    const mine = await open('shared');
    await mine.swap('a.json', { by: 'me' }, undefined);
    const theirs = await open('shared');
    expect((await theirs.read('a.json'))?.value).toEqual({ by: 'me' });
  });

  it('reads the new key after the old one was rotated away', async () => {
    const store = await open('rotated');
    await store.swap('a.json', { by: 'the old key' }, undefined);
    const id = `${await azure.group('ml-control', region)}/providers/Microsoft.Storage/storageAccounts/${account}`;
    for (const keyName of ['key1', 'key2']) {
      await azure.connect().arm.post(`${id}/regenerateKey`, '2023-05-01', { keyName });
    }
    await expect(store.read('a.json')).rejects.toMatchObject({ code: 'AzureUnavailable' });
    expect((await store.read('a.json'))?.value).toEqual({ by: 'the old key' });
  });

  it.each([1, 2])('knows that it has written when the answer was lost, %i times', async (times) => {
    const store = await open();
    await store.swap('pointer.json', { epoch: 1 }, undefined);
    const seen = await store.read('pointer.json');
    const drop = { method: 'PUT', path: 'pointer\\.json' };
    azure.cloud.faults.set(region, { dropNextAnswer: Array.from({ length: times }, () => drop) });
    expect(await store.swap('pointer.json', { epoch: 2 }, seen?.etag)).toBe(true);
    expect(azure.cloud.faults.of(region).dropNextAnswer).toEqual([]);
    expect((await store.read('pointer.json'))?.value).toEqual({ epoch: 2 });
  });

  it('knows that somebody else has written when its own answer was lost', async () => {
    const store = await open();
    await store.swap('pointer.json', { by: 'nobody' }, undefined);
    const seen = await store.read('pointer.json');
    await store.swap('pointer.json', { by: 'them' }, seen?.etag);
    azure.cloud.faults.set(region, { dropNextAnswer: [{ method: 'PUT', path: 'pointer\\.json' }] });
    expect(await store.swap('pointer.json', { by: 'me' }, seen?.etag)).toBe(false);
    expect((await store.read('pointer.json'))?.value).toEqual({ by: 'them' });
  });

  it('seals once, though the answer was lost', async () => {
    const store = await open();
    azure.cloud.faults.set(region, { dropNextAnswer: [{ method: 'PUT', path: 'plans/' }] });
    const digest = await store.seal('plans', { steps: [] });
    expect(await store.open('plans', digest)).toEqual({ steps: [] });
  });

  it('says that it cannot be read where its region is dark, and works again after', async () => {
    const store = await open();
    await store.swap('a.json', { n: 1 }, undefined);
    await azure.cloud.faults.setOutage(region, { mode: 'dark' });
    await expect(store.read('a.json')).rejects.toMatchObject({
      code: 'AzureUnavailable',
      message: expect.stringMatching(/^reading "a\.json" in the control store: no answer \(ECONN/),
    });
    await expect(store.swap('a.json', { n: 2 }, undefined)).rejects.toMatchObject({
      code: 'AzureUnavailable',
      // Nobody takes it for an error of the region that a step asks.
      details: { origin: 'control-store' },
    });
    await azure.cloud.faults.clear([region]);
    expect((await store.read('a.json'))?.value).toEqual({ n: 1 });
  });

  it('names the account that is not there', async () => {
    await expect(open('c', 'nosuchaccount')).rejects.toMatchObject({
      code: 'AzureError',
      message: expect.stringContaining('/storageAccounts/nosuchaccount: ResourceNotFound'),
    });
  });
});
