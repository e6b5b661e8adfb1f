/** The control store on blobs: the local Azure's storage, reached as any Azure is. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { openControlStore } from '../../src/control-store/connect.ts';
import { startCloud, type RunningCloud } from '../../simulator/cloud.ts';
import { controlStoreContract } from './contract.ts';

const region = 'centralus';
const account = 'understudycontrol';

let folder: string;
let cloud: RunningCloud;
const trusted = getCACertificates('default');
const environment: NodeJS.ProcessEnv = {};
let containers = 0;

const connect = (requestTimeoutMs = 5000) =>
  connectAzure({ credential: credentialFrom(environment), cloud: cloudFrom(environment), requestTimeoutMs });

const open = (container = `store-${++containers}`, azure = connect()) =>
  openControlStore(azure, {
    subscriptionId: cloud.address.subscriptionId,
    resourceGroup: 'ml-control',
    storageAccount: account,
    container,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-control-store-'));
  cloud = await startCloud({ stateDirectory: folder, pace: 0.05, retryAfterSeconds: 0 });
  setDefaultCACertificates([...trusted, readFileSync(cloud.address.ca, 'utf8')]);
  Object.assign(environment, {
    AZURE_TENANT_ID: cloud.address.tenantId,
    AZURE_CLIENT_ID: cloud.address.clientId,
    AZURE_CLIENT_SECRET: cloud.address.clientSecret,
    AZURE_AUTHORITY_HOST: cloud.address.authority,
    AZURE_RESOURCE_MANAGER_ENDPOINT: cloud.address.arm,
  });
  const group = `/subscriptions/${cloud.address.subscriptionId}/resourceGroups/ml-control`;
  const { arm } = connect();
  await arm.put(group, '2024-03-01', { location: region });
  await arm.put(`${group}/providers/Microsoft.Storage/storageAccounts/${account}`, '2023-05-01', {
    location: region,
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {},
  });
}, 60_000);

afterEach(() => cloud.faults.clear([region]));

afterAll(async () => {
  setDefaultCACertificates(trusted);
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the control store on blobs', () => {
  controlStoreContract(() => open());

  it('is the same for everyone who opens its container', async () => {
    const mine = await open('shared');
    await mine.swap('a.json', { by: 'me' }, undefined);
    const theirs = await open('shared');
    expect((await theirs.read('a.json'))?.value).toEqual({ by: 'me' });
  });

  it.each([1, 2])('knows that it has written when the answer was lost, %i times', async (times) => {
    const store = await open();
    await store.swap('pointer.json', { epoch: 1 }, undefined);
    const seen = await store.read('pointer.json');
    const drop = { method: 'PUT', path: 'pointer\\.json' };
    cloud.faults.set(region, { dropNextAnswer: Array.from({ length: times }, () => drop) });
    expect(await store.swap('pointer.json', { epoch: 2 }, seen?.etag)).toBe(true);
    expect(cloud.faults.of(region).dropNextAnswer).toEqual([]);
    expect((await store.read('pointer.json'))?.value).toEqual({ epoch: 2 });
  });

  it('knows that somebody else has written when its own answer was lost', async () => {
    const store = await open();
    await store.swap('pointer.json', { by: 'nobody' }, undefined);
    const seen = await store.read('pointer.json');
    await store.swap('pointer.json', { by: 'them' }, seen?.etag);
    cloud.faults.set(region, { dropNextAnswer: [{ method: 'PUT', path: 'pointer\\.json' }] });
    expect(await store.swap('pointer.json', { by: 'me' }, seen?.etag)).toBe(false);
    expect((await store.read('pointer.json'))?.value).toEqual({ by: 'them' });
  });

  it('seals once, though the answer was lost', async () => {
    const store = await open();
    cloud.faults.set(region, { dropNextAnswer: [{ method: 'PUT', path: 'plans/' }] });
    const digest = await store.seal('plans', { steps: [] });
    expect(await store.open('plans', digest)).toEqual({ steps: [] });
  });

  it('says that it cannot be read where its region is dark, and works again after', async () => {
    const store = await open();
    await store.swap('a.json', { n: 1 }, undefined);
    await cloud.faults.setOutage(region, { mode: 'dark' });
    await expect(store.read('a.json')).rejects.toMatchObject({
      code: 'AzureUnavailable',
      message: expect.stringMatching(/^reading "a\.json" in the control store: no answer \(ECONN/),
    });
    await expect(store.swap('a.json', { n: 2 }, undefined)).rejects.toMatchObject({
      code: 'AzureUnavailable',
    });
    await cloud.faults.clear([region]);
    expect((await store.read('a.json'))?.value).toEqual({ n: 1 });
  });

  it('names the account that is not there', async () => {
    const ref = {
      subscriptionId: cloud.address.subscriptionId,
      resourceGroup: 'ml-control',
      storageAccount: 'nosuchaccount',
      container: 'c',
    };
    await expect(openControlStore(connect(), ref)).rejects.toMatchObject({
      code: 'AzureError',
      message: expect.stringContaining('/storageAccounts/nosuchaccount: ResourceNotFound'),
    });
  });
});
