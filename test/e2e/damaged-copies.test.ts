/**
 * Copies that are altered after they were made: `replicate` repairs them, or ends with 1 and says which; a person can
 * accept that.
 */
import { createHash } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { readControlStore } from './judge.ts';

let scene: Scene;
let replicas: ContainerClient;
/** A replica, and what it is a copy of. */
let name: string;
let source: { container: ContainerClient; path: string };

const account = (group: string, of: string) =>
  `/subscriptions/${scene.cloud.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Storage/storageAccounts/${of}`;
const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const content = () => replicas.getBlobClient(name).downloadToBuffer();

/** One byte is another one, under the properties that the blob had. */
async function flipByte(): Promise<void> {
  const blob = replicas.getBlockBlobClient(name);
  const { contentMD5, contentType, metadata } = await blob.getProperties();
  const bytes = await content();
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await blob.upload(bytes, bytes.length, metadata ? { metadata } : {});
  await blob.setHTTPHeaders({
    ...(contentMD5 ? { blobContentMD5: contentMD5 } : {}),
    ...(contentType === undefined ? {} : { blobContentType: contentType }),
  });
}

async function seals(): Promise<number> {
  return [...(await readControlStore(scene)).keys()].filter((each) => each.endsWith('/sealed.json')).length;
}

beforeAll(async () => {
  // Everything is read each time.
  const topology = (text: string) => text.replace('policies:\n', 'policies:\n  scrubPeriod: 1s\n');
  scene = await Scene.open({ topology, workers: ['common'] });
  replicas = (await scene.azure.blobs(account('ml-west', 'fraudmlwestst'))).getContainerClient('understudy-replica');
  for await (const each of replicas.listBlobsFlat()) {
    if (/transactions.*\.csv\//.test(each.name)) name = each.name;
  }
  // `epochs/N/blobs/ACCOUNT/CONTAINER/PATH/VERSION`
  const [, , , , container = '', ...path] = name.split('/').slice(0, -1);
  const east = await scene.azure.blobs(account('ml-east', 'fraudmleastst'));
  source = { container: east.getContainerClient(container), path: path.join('/') };
});
afterAll(() => scene?.close());

it('are repaired while their source lives', async () => {
  const before = digest(await content());
  await flipByte();
  expect(digest(await content())).not.toBe(before);
  const { code, output } = await scene.run(['replicate']);
  expect(code, output).toBe(0);
  expect(output).toContain('1 repaired');
  expect(digest(await content())).toBe(before);
});

it('are named, and fail the run after its recovery point is sealed, where their source has changed', async () => {
  const sealed = await seals();
  await flipByte();
  const { container, path } = source;
  await container.getBlockBlobClient(path).upload('id\n1\n', 5);
  const { code, output } = await scene.run(['replicate']);
  expect(code, output).toBe(1);
  expect(output).toContain('1 copy is damaged for good');
  expect(output).toContain(path);
  expect(output).toContain('its source has other content now');
  expect(await seals()).toBe(sealed + 1);
  const run = /retry\s+(\S+)\s+--accept-loss\s+damage/.exec(output)?.[1] ?? '';
  expect(run, output).not.toBe('');
  const status = await scene.run(['status']);
  expect(status.output).toMatch(/DAMAGED {3}copy of .* is damaged/);
  expect(status.code, status.output).toBe(5);
  const retried = await scene.run(['retry', run, '--accept-loss', 'damage', '--reason', 'INC-4711']);
  expect(retried.output).toContain('INC-4711');
  const next = await scene.run(['replicate']);
  expect(next.code, next.output).toBe(0);
  expect((await scene.run(['status'])).output).not.toContain('DAMAGED');
});
