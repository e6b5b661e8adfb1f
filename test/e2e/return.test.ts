/**
 * The old region comes back: it is sealed as it is found, then what the fence owes is paid before anything is copied
 * into it, and a late writer stays shut out. Then it is a standby, tried by using it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, judgeMoved, pointerOf, readControlStore, readEast, readWest } from './judge.ts';
import { waitFor } from './processes.ts';

const storage = '2023-05-01';

describe('when the region that was dark answers again', () => {
  let scene: Scene;
  let oldKey: StorageSharedKeyCredential;
  let oldBlobs: string;

  beforeAll(async () => {
    scene = await Scene.open({ topology: draining });
    const before = await readEast(scene.azure);
    const account = await scene.azure.get(
      `${group(scene, 'ml-east')}/providers/Microsoft.Storage/storageAccounts/fraudmleastst`,
      storage,
    );
    const { keys } = (await scene.azure.post(`${account.id}/listKeys`, storage)) as {
      keys: { value: string }[];
    };
    oldKey = new StorageSharedKeyCredential(account.name, keys[0]?.value ?? '');
    oldBlobs = (account.properties.primaryEndpoints as { blob: string }).blob;
    await scene.outage('eastus', 'dark');
    const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
    expect(failover.code, failover.output).toBe(0);
    await scene.outage('eastus', 'none');
    await judgeMoved(scene, before);
  });
  afterAll(() => scene?.close());

  it('status says what is owed, and to whom', async () => {
    const { output } = await scene.run(['status']);
    expect(output.match(/^OWED/gm)).toHaveLength(3);
    expect(output).toMatch(/writer +westus3 \(epoch 2\)/);
  });

  it('the old side has run on unseen, and its key still opens its storage', async () => {
    const east = await readEast(scene.azure);
    expect([...east.jobs.values()].filter(({ properties }) => properties.status === 'Running').length).toBeGreaterThan(
      0,
    );
    await expect(listContainers(oldBlobs, oldKey)).resolves.toBeGreaterThan(0);
  });

  it('replicate refuses, and says what makes it a standby again', async () => {
    const { code, output } = await scene.run(['replicate']);
    expect(code, output).toBe(1);
    expect(output).toContain('it has not been reprotected since. Make it a standby again: "understudy reprotect"');
  });

  it('reprotect seals it as found, ends what ran on, pays, gives back, and copies the other way', async () => {
    const since = await scene.now();
    const { code, output } = await scene.run(['reprotect']);
    expect(code, output).toBe(0);
    const writes = (await scene.requests(since)).filter(
      ({ method, path }) => method !== 'GET' && method !== 'HEAD' && /workspaces\/fraud-east\//.test(path),
    );
    const sealedFirst = journals(await readControlStore(scene), 'reprotect')[0]?.steps;
    expect(sealedFirst?.get('found-seal')?.state).toBe('completed');
    expect(writes.length).toBeGreaterThan(0);
    const east = await readEast(scene.azure);
    const unfinished = [...east.jobs.values()].filter(
      ({ properties }) => !['Completed', 'Failed', 'Canceled'].includes(String(properties.status)),
    );
    expect(unfinished.map(({ name }) => name)).toEqual([]);
    const schedules = await scene.azure.list(`${east.id}/schedules?listViewType=All`);
    expect(schedules.length).toBeGreaterThan(0);
    expect(schedules.map(({ properties }) => properties.isEnabled)).toEqual(schedules.map(() => false));
    await expect(listContainers(oldBlobs, oldKey)).rejects.toMatchObject({ statusCode: 403 });
    const [run] = journals(await readControlStore(scene), 'reprotect');
    expect(run?.run.state).toBe('completed');
    const points = (await sealed(scene)).map((text) => JSON.parse(text) as Sealed);
    const [found, back] = points.slice(-2);
    expect(found).toMatchObject({ region: 'eastus', epoch: 2, divergence: true });
    expect(back).toMatchObject({ region: 'westus3', epoch: 2 });
    expect(back?.divergence).toBeUndefined();
    // Nothing had been ended there when it was sealed.
    expect(Object.values(found?.summary.jobs ?? {}).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(4);
    expect((await scene.run(['status'])).output).not.toMatch(/^OWED/m);
    const again = await scene.run(['reprotect']);
    expect([again.code, again.output]).toEqual([0, expect.stringContaining('eastus is the standby already')]);
  });

  it('names each job that ran on, and its successor', async () => {
    const [run] = journals(await readControlStore(scene), 'reprotect');
    const { document } = await scene.document(['report', run?.run.runId ?? '']);
    const { findings } = document as { findings: { step: string; what: string; reason: string }[] };
    const training = findings.find(({ step, what }) => step === 'zombies' && what.includes('fraud-train-2025q4'));
    expect(training?.reason).toMatch(
      /^it ran on in eastus \(Running\), and is Canceled; its successor "us-\w+" in westus3 is Running, and is the one/,
    );
  });

  it('a second replicate copies nothing anew that has not changed', async () => {
    const since = await scene.now();
    const { code, output } = await scene.run(['replicate']);
    expect(code, output).toBe(0);
    const copies = (await scene.requests(since)).filter(
      ({ method, path }) =>
        method === 'PUT' &&
        path.includes('understudy-replica/') &&
        !/checkpoint|resume|understudy-replica\/state\//.test(path),
    );
    expect(copies.map(({ path }) => path)).toEqual([]);
  });

  it('goes back, and no history has two successors', async () => {
    const { code, output } = await scene.run(['switchover', '--to', 'eastus', '--yes', '--reason', 'back']);
    expect(code, output).toBe(0);
    const documents = await readControlStore(scene);
    expect(pointerOf(documents)).toMatchObject({ epoch: { number: 3 }, writer: 'eastus' });
    const east = await readEast(scene.azure);
    const lineages = [...east.jobs.values()]
      .map(({ properties }) => (properties.tags ?? {}) as Record<string, string>)
      .filter((tags) => tags['understudy.hop'] === '2')
      .map((tags) => tags['understudy.lineage']);
    expect(lineages.length).toBeGreaterThan(0);
    expect(new Set(lineages).size).toBe(lineages.length);
    const west = await readWest(scene.azure);
    const running = [...west.jobs.values()].filter(
      ({ properties }) => properties.status === 'Running' || properties.status === 'Queued',
    );
    expect(running.map(({ name }) => name)).toEqual([]);
    const config = JSON.parse(await readFile(join(scene.clients, 'config.json'), 'utf8')) as {
      workspace_name: string;
    };
    expect(config.workspace_name).toBe('fraud-east');
  });
});

describe('when the workspace of the old region stays silent at first', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.open();
    const east = await readEast(scene.azure);
    await environment(east, 'only-there', 'python:3.11');
    await environment(east, 'made-twice', 'python:3.11');
    const merchants = east.versions.get('data/merchants/1')?.properties;
    await put(`${east.id}/data/merchants/versions/1`, { ...merchants, description: 'edited in eastus' });
    await scene.outage('eastus', 'dark');
    const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
    expect(failover.code, failover.output).toBe(0);
    await environment(await readWest(scene.azure), 'made-twice', 'python:3.12');
    await scene.admin('DELETE', '/faults');
    await scene.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['ml'] });
  });
  afterAll(() => scene?.close());

  const put = async (path: string, properties: unknown) => {
    const { status, body } = await scene.azure.call('PUT', path, '2024-04-01', { properties });
    expect([200, 201], JSON.stringify(body)).toContain(status);
  };
  const environment = (workspace: { id: string }, name: string, image: string) =>
    put(`${workspace.id}/environments/${name}/versions/1`, { image });

  it('there is no merge to look at yet', async () => {
    const { code, output } = await scene.run(['failback', '--plan']);
    expect(code, output).toBe(0);
    expect(output).toMatch(/what eastus had when run ".*" left it has not been sealed/);
  });

  it('a reprotection is refused until it answers', async () => {
    const { code, output } = await scene.run(['reprotect']);
    expect(code, output).toBe(1);
    expect(output).toContain('eastus does not answer yet');
  });

  it('one that has begun waits for it, and can be ended', async () => {
    await scene.admin('DELETE', '/faults');
    await scene.outage('eastus', 'none');
    await scene.admin('POST', '/regions/eastus/faults', { latencyMs: 300 });
    const reprotect = scene.command(['reprotect']);
    await waitFor('the divergence point', async () => {
      const [run] = journals(await readControlStore(scene), 'reprotect');
      return run?.steps.get('found-seal')?.state === 'completed';
    });
    await scene.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['ml'] });
    const [run] = journals(await readControlStore(scene), 'reprotect');
    expect((await scene.run(['status'])).output.match(/^OWED/gm)).toHaveLength(3);
    expect((await scene.run(['cancel', run?.run.runId ?? ''])).code).toBe(0);
    expect(await reprotect.ended, reprotect.output).toBe(3);
  });

  it('another keeps the divergence point of the first', async () => {
    await scene.admin('DELETE', '/faults');
    await scene.outage('eastus', 'none');
    const { code, output } = await scene.run(['reprotect']);
    expect(code, output).toBe(0);
    const found = (await sealed(scene))
      .map((text) => JSON.parse(text) as Sealed)
      .filter(({ divergence }) => divergence);
    expect(found).toHaveLength(1);
    const east = await readEast(scene.azure);
    const unfinished = [...east.jobs.values()].filter(
      ({ properties }) => !['Completed', 'Failed', 'Canceled'].includes(String(properties.status)),
    );
    expect(unfinished.map(({ name }) => name)).toEqual([]);
    expect((await scene.run(['status'])).output).not.toMatch(/^OWED/m);
  });

  it('the merge names what only that region has, what both made, and what was edited there, and nothing else', async () => {
    const { output } = await scene.run(['failback', '--plan']);
    expect(output).toMatch(/only in eastus \(\d+\)\n( {2}.*\n)* {2}environments\/only-there\/1: comes to westus3\n/);
    expect(output).toContain(
      'made in eastus and in westus3, and not the same (1)\n  environments/made-twice/1: that of eastus becomes version 2\n    what it consists of',
    );
    expect(output).toContain(
      'changed in eastus alone (1)\n  data/merchants/1: that of eastus counts\n    properties.description: "Merchants with their category and risk." → "edited in eastus"',
    );
    const { document } = await scene.document(['failback', '--plan']);
    const { differences, conflicts, same } = document as {
      differences: { item: string }[];
      conflicts: number;
      same: number;
    };
    expect(differences.map(({ item }) => item).filter((item) => !item.startsWith('jobs/'))).toEqual([
      'data/merchants/1',
      'environments/made-twice/1',
      'environments/only-there',
      'environments/only-there/1',
    ]);
    expect([conflicts, same > 20]).toEqual([0, true]);
  });
});

const draining = (text: string) => text.replace(/^jobs:$/m, 'jobs:\n  drain: { policy: cancel }');

interface Sealed {
  region: string;
  epoch: number;
  divergence?: boolean;
  summary: { jobs: Record<string, number> };
}

function group(scene: Scene, name: string): string {
  return `/subscriptions/${scene.cloud.subscriptionId}/resourceGroups/${name}`;
}

async function listContainers(url: string, credential: StorageSharedKeyCredential): Promise<number> {
  const service = new BlobServiceClient(url.replace(/\/$/, ''), credential, {
    retryOptions: { maxTries: 1 },
  });
  let count = 0;
  for await (const _container of service.listContainers()) count++;
  return count;
}

/** Seals of all recovery points, oldest first. */
async function sealed(scene: Scene): Promise<string[]> {
  const documents = await readControlStore(scene);
  return [...documents]
    .filter(([name]) => name.endsWith('/sealed.json'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text);
}
