import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2023-05-01';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('geo', 'centralus');
}, 60_000);
afterEach(() => cloud.admin('DELETE', '/faults'));
afterAll(() => cloud.stop());

interface Geo {
  id: string;
  name: string;
  primary: ContainerClient;
  secondary: ContainerClient;
}

async function account(name: string, more: JsonObject = {}): Promise<Geo & { key: string }> {
  const made = await cloud.account(group, name, 'eastus', more);
  const primary = cloud.blobs(made.primary, name, made.key).getContainerClient('data');
  await primary.create();
  const secondary = cloud.blobs(made.secondary || made.primary, name, made.key).getContainerClient('data');
  return { id: made.id, name, primary, secondary, key: made.key };
}

async function write(container: ContainerClient, name: string, text: string): Promise<void> {
  await container.getBlockBlobClient(name).upload(text, text.length, { metadata: { said: text } });
}

async function read(container: ContainerClient, name: string): Promise<string | undefined> {
  const blob = container.getBlobClient(name);
  return (await blob.exists()) ? (await blob.downloadToBuffer()).toString() : undefined;
}

async function names(container: ContainerClient): Promise<string[]> {
  return (await Array.fromAsync(container.listBlobsFlat())).map(({ name }) => name);
}

async function advance(seconds: number): Promise<void> {
  await cloud.admin('POST', '/clock', { advanceSeconds: seconds });
}

async function show(id: string, expand = ''): Promise<JsonObject> {
  return (await cloud.arm(`${id}?${API}${expand}`)).json;
}

async function stats(id: string): Promise<JsonObject & { lastSyncTime: string }> {
  const shown = await show(id, '&$expand=geoReplicationStats');
  return (shown.properties as JsonObject).geoReplicationStats as JsonObject & { lastSyncTime: string };
}

async function failOver(id: string, query = ''): Promise<JsonObject | undefined> {
  return cloud.ended(await cloud.arm(`${id}/failover?${API}${query}`, { method: 'POST' }));
}

const clockNow = (): number => cloud.at.clock.now();

describe('a secondary that lags', () => {
  it('shows the account as it was at its last sync time: writes, overwrites, deletions and lists', async () => {
    const geo = await account('lagging');
    await write(geo.primary, 'kept', 'one');
    await write(geo.primary, 'removed', 'x');
    await write(geo.primary, 'folder/deep', 'y');
    expect(await read(geo.secondary, 'kept')).toBe('one');

    await cloud.admin('POST', '/accounts/lagging/replication', { lagSeconds: 600 });
    await write(geo.primary, 'kept', 'two');
    await write(geo.primary, 'added', 'z');
    await geo.primary.getBlobClient('removed').delete();
    expect(await read(geo.primary, 'kept')).toBe('two');
    expect(await read(geo.secondary, 'kept')).toBe('one');
    expect((await geo.secondary.getBlobClient('kept').getProperties()).metadata).toEqual({ said: 'one' });
    expect(await read(geo.secondary, 'removed')).toBe('x');
    expect(await read(geo.secondary, 'added')).toBeUndefined();
    expect(await names(geo.secondary)).toEqual(['folder/deep', 'kept', 'removed']);

    await advance(300);
    await write(geo.primary, 'later', 'w');
    await advance(310);
    expect(await read(geo.secondary, 'kept')).toBe('two');
    expect(await names(geo.secondary)).toEqual(['added', 'folder/deep', 'kept']);
    await advance(300);
    expect(await names(geo.secondary)).toEqual(await names(geo.primary));

    await write(geo.primary, 'last', 'v');
    await cloud.admin('POST', '/accounts/lagging/replication', { lagSeconds: null });
    expect(await read(geo.secondary, 'last')).toBe('v');
  });

  it('has blobs of blocks, containers and copies from it in that state, too', async () => {
    const geo = await account('blocklag');
    const block = Buffer.from('0001').toString('base64');
    const staged = geo.primary.getBlockBlobClient('staged');
    await staged.stageBlock(block, 'before', 6);
    await staged.commitBlockList([block]);
    await cloud.admin('POST', '/regions/eastus/replication', { lagSeconds: 60 });
    await staged.stageBlock(block, 'after!', 6);
    await staged.commitBlockList([block]);
    const service = cloud.blobs(geo.primary.url.replace(/data$/, ''), 'blocklag', geo.key);
    await service.getContainerClient('fresh').create();
    const behind = cloud.blobs(geo.secondary.url.replace(/data$/, ''), 'blocklag', geo.key);
    expect(await read(geo.secondary, 'staged')).toBe('before');
    expect(await behind.getContainerClient('fresh').exists()).toBe(false);
    expect((await Array.fromAsync(behind.listContainers())).map(({ name }) => name)).toEqual(['data']);
    await advance(61);
    expect(await read(geo.secondary, 'staged')).toBe('after!');
    expect(await behind.getContainerClient('fresh').exists()).toBe(true);
  });

  it('says how far it is, in management and at its own endpoint, and keeps its state over a restart', async () => {
    const geo = await account('statslag');
    await cloud.admin('POST', '/accounts/statslag/replication', { lagSeconds: 900 });
    const since = clockNow();
    await write(geo.primary, 'b', 'late');
    await cloud.restart();
    const behind = await stats(geo.id);
    expect(behind).toMatchObject({
      status: 'Live',
      canFailover: true,
      postFailoverRedundancy: 'Standard_LRS',
    });
    expect(Date.parse(behind.lastSyncTime)).toBeLessThanOrEqual(since);
    expect(Date.parse(behind.lastSyncTime)).toBeGreaterThan(since - 10_000);
    expect(await names(geo.secondary)).toEqual([]);
    const service = cloud.blobs(geo.secondary.url.replace(/\/data$/, ''), 'statslag', geo.key);
    const { geoReplication } = await service.getStatistics();
    expect(geoReplication?.status).toBe('live');
    expect(geoReplication?.lastSyncOn?.getTime()).toBe(Date.parse(behind.lastSyncTime));
    await advance(901);
    expect(await names(geo.secondary)).toEqual(['b']);
    expect((await show(geo.id)).properties).not.toHaveProperty('geoReplicationStats');
  });

  it('stands still while the primary region is dark', async () => {
    const geo = await account('standing');
    await write(geo.primary, 'b', 'before');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    const stopped = clockNow();
    await cloud.at.cloud.blobs.putBlob('standing', 'data', 'unseen', Buffer.from('a job goes on'));
    await advance(3600);
    expect(await names(geo.secondary)).toEqual(['b']);
    const { status, lastSyncTime, canPlannedFailover } = await stats(geo.id);
    expect([status, canPlannedFailover]).toEqual(['Live', false]);
    expect(Date.parse(lastSyncTime)).toBeLessThanOrEqual(stopped);
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    expect(await names(geo.secondary)).toEqual(['b', 'unseen']);
  });

  it('is refused by the admin API where it makes no sense', async () => {
    await expect(cloud.admin('POST', '/accounts/nobody/replication', { lagSeconds: 1 })).rejects.toThrow('404');
    await expect(cloud.admin('POST', '/regions/mars/replication', { lagSeconds: 1 })).rejects.toThrow('404');
    await expect(cloud.admin('POST', '/regions/eastus/replication', { lag: 1 })).rejects.toThrow('unknown field');
    await expect(cloud.admin('POST', '/regions/eastus/replication', {})).rejects.toThrow('lagSeconds');
  });
});

describe('the failover of an account', () => {
  it('makes the secondary the primary while the region is dark; what was written after the last sync is lost', async () => {
    const geo = await account('failing');
    await write(geo.primary, 'model', 'v1');
    await cloud.admin('POST', '/accounts/failing/replication', { lagSeconds: 300 });
    await write(geo.primary, 'model', 'v2');
    await write(geo.primary, 'lost', 'x');
    await cloud.blobs(geo.primary.url.replace(/data$/, ''), 'failing', geo.key).getContainerClient('lost-too').create();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    await expect(show(geo.id)).rejects.toThrow();
    expect((await stats(geo.id)).canFailover).toBe(true);
    expect(await failOver(geo.id)).toMatchObject({ status: 'Succeeded' });

    const after = await show(geo.id);
    const dataPlane = cloud.at.address.regions.westus3?.dataPlane;
    expect(after).toMatchObject({
      location: 'westus3',
      sku: { name: 'Standard_LRS', tier: 'Standard' },
      properties: { primaryLocation: 'westus3', primaryEndpoints: { blob: `${dataPlane}/failing/` } },
    });
    for (const field of ['secondaryLocation', 'secondaryEndpoints', 'statusOfSecondary', 'failoverInProgress'])
      expect(after.properties).not.toHaveProperty(field);
    const moved = cloud.blobs(`${dataPlane}/failing`, 'failing', geo.key).getContainerClient('data');
    expect(await read(moved, 'model')).toBe('v1');
    expect(await names(moved)).toEqual(['model']);
    const listed = (await show(`${geo.id}/blobServices/default/containers`)).value as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['data']);
    await write(moved, 'model', 'v3');
    expect(await read(moved, 'model')).toBe('v3');

    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    await expect(geo.primary.getProperties()).rejects.toMatchObject({ statusCode: 404 });
    await expect(geo.secondary.getProperties()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('leaves an account that can be made geo-redundant again, back to where it came from', async () => {
    const id = `${group}/providers/Microsoft.Storage/storageAccounts/failing`;
    const patch = await cloud.arm(`${id}?${API}`, {
      method: 'PATCH',
      body: { sku: { name: 'Standard_RAGRS' } },
    });
    await cloud.ended(patch);
    expect((await show(id)).properties).toMatchObject({ secondaryLocation: 'eastus' });
    expect(await stats(id)).toMatchObject({ status: 'Bootstrap', canFailover: false });
    const early = await cloud.arm(`${id}/failover?${API}`, { method: 'POST' });
    expect([early.status, early.text]).toEqual([409, expect.stringContaining('LastSyncTimeUnavailable')]);
    await advance(6);
    expect(await stats(id)).toMatchObject({ status: 'Live', canFailover: true });
    expect(await failOver(id)).toMatchObject({ status: 'Succeeded' });
    expect(await show(id)).toMatchObject({ location: 'eastus', sku: { name: 'Standard_LRS' } });
  });

  it('can be planned: nothing is lost and the regions change places; it needs both', async () => {
    const geo = await account('planned');
    await cloud.admin('POST', '/accounts/planned/replication', { lagSeconds: 300 });
    await write(geo.primary, 'all', 'there');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    const refused = await cloud.arm(`${geo.id}/failover?${API}&failoverType=Planned`, { method: 'POST' });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('PlannedFailover')]);
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    expect(await failOver(geo.id, '&failoverType=Planned')).toMatchObject({ status: 'Succeeded' });
    expect(await show(geo.id)).toMatchObject({
      location: 'westus3',
      sku: { name: 'Standard_RAGRS' },
      properties: { primaryLocation: 'westus3', secondaryLocation: 'eastus' },
    });
    const { dataPlane } = cloud.at.address.regions.westus3 ?? { dataPlane: '' };
    const moved = cloud.blobs(`${dataPlane}/planned`, 'planned', geo.key).getContainerClient('data');
    expect(await read(moved, 'all')).toBe('there');
  });

  it('goes on after a restart in its midst', async () => {
    const geo = await account('restarted');
    await write(geo.primary, 'b', 'x');
    await cloud.admin('POST', '/clock', { speed: 0 });
    const begun = await cloud.arm(`${geo.id}/failover?${API}`, { method: 'POST' });
    expect(begun.status).toBe(202);
    expect((await show(geo.id)).properties).toMatchObject({ failoverInProgress: true });
    const twice = await cloud.arm(`${geo.id}/failover?${API}`, { method: 'POST' });
    expect([twice.status, twice.text]).toEqual([409, expect.stringContaining('FailoverInProgress')]);
    await cloud.restart();
    await cloud.admin('POST', '/clock', { speed: 1, advanceSeconds: 60 });
    expect(await cloud.ended(begun)).toMatchObject({ status: 'Succeeded' });
    expect(await show(geo.id)).toMatchObject({ location: 'westus3' });
  });

  it('is refused to an account without a secondary', async () => {
    const local = await account('localonly', { sku: { name: 'Standard_LRS' } });
    const refused = await cloud.arm(`${local.id}/failover?${API}`, { method: 'POST' });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("its redundancy 'Standard_LRS' has no secondary region");
    expect(await stats(local.id)).toBeNull();
    const bad = await cloud.arm(`${local.id}?${API}&$expand=everything`);
    expect([bad.status, bad.text]).toEqual([400, expect.stringContaining('geoReplicationStats')]);
  });
});
