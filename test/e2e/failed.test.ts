/**
 * A failover that fails half-way is no dead end: it is undone by `cancel`, and another goes on from an earlier recovery
 * point.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, judgeTraffic, pointerOf, readClients, originalClients, readControlStore } from './judge.ts';

let scene: Scene;
let earlier: string;

const account = (group: string, name: string) =>
  `/subscriptions/${scene.cloud.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Storage/storageAccounts/${name}`;

/** Names of the replicas in the standby. */
async function replicas(): Promise<Set<string>> {
  const blobs = await scene.azure.blobs(account('ml-west', 'fraudmlwestst'));
  const names = new Set<string>();
  for await (const { name } of blobs.getContainerClient('understudy-replica').listBlobsFlat()) names.add(name);
  return names;
}

async function seals(): Promise<string[]> {
  const names = [...(await readControlStore(scene)).keys()].filter((name) => name.endsWith('/sealed.json'));
  return names.toSorted().map((name) => name.split('/').at(-2) ?? '');
}

beforeAll(async () => {
  scene = await Scene.open();
  earlier = (await seals()).at(-1) ?? '';
  const east = await scene.azure.blobs(account('ml-east', 'fraudmleastst'));
  for await (const { name: container } of east.listContainers({ prefix: 'azureml-blobstore-' }))
    for await (const { name } of east.getContainerClient(container).listBlobsFlat()) {
      if (!/transactions.*\.csv$/.test(name)) continue;
      const beside = name.replace(/[^/]+$/, 'late.csv');
      await east.getContainerClient(container).getBlockBlobClient(beside).upload('late\n', 5);
      break;
    }
  const before = await replicas();
  const replicate = await scene.run(['replicate']);
  expect(replicate.code, replicate.output).toBe(0);
  const late = [...(await replicas())].filter((name) => !before.has(name) && name.includes('late.csv'));
  expect(late).toHaveLength(1);
  const west = await scene.azure.blobs(account('ml-west', 'fraudmlwestst'));
  await west.getContainerClient('understudy-replica').deleteBlob(late[0] ?? '');
  await scene.outage('eastus', 'dark');
});
afterAll(() => scene?.close());

it('fails, and says what to do', async () => {
  const { code, output } = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
  expect(code).toBe(1);
  expect(output).toContain('late.csv');
  expect(output).toContain('understudy cancel');
  const status = await scene.run(['status']);
  expect(status.output).toMatch(/^FAILED .*failover.*eastus → westus3/m);
});

it('is undone by cancel, though the region is still dark', async () => {
  const { code, output } = await scene.run(['cancel']);
  expect(code, output).toBe(0);
  const documents = await readControlStore(scene);
  expect(pointerOf(documents)).toMatchObject({ writer: 'eastus', epoch: { number: 3 } });
  expect(journals(documents, 'failover')[0]?.run.state).toBe('cancelled');
  expect(await readClients(scene)).toEqual(await originalClients(scene));
  const again = await scene.run(['cancel']);
  expect(again.code).toBe(1);
  expect(again.output).toContain('there is nothing to cancel');
  expect((await scene.run(['status'])).output).not.toMatch(/^FAILED/m);
});

it('gives way to a failover from the recovery point before', async () => {
  const args = ['failover', '--to', 'westus3', '--yes', '--recovery-point', earlier, '--reason', 'what we have'];
  const { code, output } = await scene.run(args);
  expect(code, output).toBe(0);
  expect(pointerOf(await readControlStore(scene))).toMatchObject({ writer: 'westus3', epoch: { number: 4 } });
  await judgeTraffic(scene, 'westus3');
});
