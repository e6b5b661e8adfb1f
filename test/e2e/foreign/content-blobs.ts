/**
 * Blobs as strangers have them: names that must be encoded, headers, metadata, empty ones, folder markers, large ones
 * without MD5.
 */
import type { BlobAccount } from '../../../src/azure/azure.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

interface Blob {
  path: string;
  content: Buffer | string;
  metadata?: Record<string, string>;
  /** In blocks of so many bytes: the service then has no MD5 of the whole. */
  blockBytes?: number;
  headers?: {
    blobContentType?: string;
    blobCacheControl?: string;
    blobContentEncoding?: string;
    blobContentLanguage?: string;
    blobContentDisposition?: string;
  };
}

const awkward = [
  'with space.csv',
  'per%20cent.csv',
  'plus+sign.csv',
  'hash#tag.csv',
  'question?mark.csv',
  "quote'and&amp;.csv",
  'ünï/цёдё/表.parquet',
  'tilde~(paren)[bracket].txt',
  'semi;colon,comma=equals.txt',
  'UPPER/lower.TXT',
  'upper/lower.txt',
  'double//slash.txt',
  'dot.d/..hidden/.x',
  'a',
  'a/b',
  'a/b/c',
  'a-b',
  'a.b',
];

export async function writeBlobs(world: World, random: Random): Promise<void> {
  const { account, container, artifacts } = world.east;
  const many = Array.from({ length: 120 }, (_, index): Blob => ({
    path: `data/big/part-${String(index).padStart(4, '0')}-${random.word().replaceAll(/[^A-Za-z0-9]/g, '')}.csv`,
    content: random.bytes(random.int(300)),
  }));
  const odd = awkward.map((name): Blob => ({
    path: `data/odd/${name}`,
    content: `${name}\n${random.word()}`,
    metadata: { Author: 'Ana', camelCase: random.word().replaceAll(/[^\w]/g, 'x') },
    headers: {
      blobContentType: random.pick(['text/csv', 'application/x-parquet', 'text/plain; charset=utf-8']),
    },
  }));
  const named: Blob[] = [
    {
      path: 'data/single file.csv',
      content: 'a,b\n1,2\n',
      metadata: { Owner: 'Team-A', CamelCase: 'Kept' },
      headers: {
        blobContentType: 'text/csv',
        blobCacheControl: 'max-age=60, no-transform',
        blobContentEncoding: 'identity',
        blobContentLanguage: 'de-CH',
        blobContentDisposition: 'attachment; filename="x y.csv"',
      },
    },
    { path: 'data/empty.csv', content: '' },
    { path: 'data/odd/empty.bin', content: '', metadata: { why: 'empty' } },
    { path: 'data/hns/sub', content: '', metadata: { hdi_isfolder: 'true' } },
    { path: 'data/hns/sub/file.txt', content: 'in a marked folder' },
    { path: 'data/hns/alone', content: '', metadata: { hdi_isfolder: 'true' } },
    {
      path: 'data/large/blocks.bin',
      content: random.bytes(5 * 1024 * 1024 + 7),
      blockBytes: 2 * 1024 * 1024,
      metadata: { Blocks: '3' },
    },
    { path: 'data/nested/a/1.txt', content: 'nested a' },
    { path: 'data/nested/a/b/2.txt', content: 'nested b' },
    { path: 'data/table/MLTable', content: 'paths:\n  - folder: ../big\n' },
    { path: 'data/not-carried/secret.txt', content: 'no asset names it' },
    { path: 'LocalUpload/abc/code/train.py', content: 'print(1)\n' },
    { path: 'LocalUpload/abc/code/lib/__init__.py', content: '' },
    { path: 'LocalUpload/with space/code/x.py', content: 'print(2)\n' },
    { path: 'context/one/Dockerfile', content: 'FROM scratch\n' },
    { path: 'azureml/train-done/model/MLmodel', content: 'flavors: {}\n' },
    { path: 'azureml/train-done/model/model.pkl', content: random.bytes(2000) },
    { path: 'checkpoints/long/step-2.pt', content: 'two' },
    { path: 'checkpoints/long/step-10.pt', content: 'ten' },
  ];
  for (let version = 1; version <= 3; version++)
    named.push({ path: `models/m/${version}/model.bin`, content: random.bytes(100 + version) });
  await writeAll(account, container, [...many, ...odd, ...named]);
  await writeAll(account, artifacts, [
    { path: 'ExperimentRun/dcid.train-done/model/MLmodel', content: 'flavors: {}\n' },
    { path: 'ExperimentRun/dcid.train-done/model/data/model.pkl', content: random.bytes(500) },
  ]);
  await writeAll(world.third.account, 'Shared'.toLowerCase(), [
    { path: 'lake/one.txt', content: 'third one', metadata: { Zone: 'raw' } },
    { path: 'lake/sub dir/two.txt', content: 'third two' },
  ]);
  await writeAll(world.partner.account, 'partner', [{ path: 'p/1.txt', content: 'of a partner' }]);
  await writeAll(world.other.account, world.other.container, [{ path: 'theirs/1.txt', content: 'theirs' }]);
}

async function writeAll(account: BlobAccount, container: string, blobs: readonly Blob[]): Promise<void> {
  const client = account.container(container);
  await client.createIfNotExists();
  for (let at = 0; at < blobs.length; at += 8) {
    await Promise.all(
      blobs.slice(at, at + 8).map(async ({ path, content, metadata, headers, blockBytes }) => {
        const blob = client.getBlockBlobClient(path);
        const bytes = Buffer.from(content);
        const options = {
          ...(metadata ? { metadata } : {}),
          ...(headers ? { blobHTTPHeaders: headers } : {}),
        };
        if (blockBytes === undefined) {
          await blob.upload(bytes, bytes.length, options);
          return;
        }
        const ids: string[] = [];
        for (let offset = 0; offset < bytes.length; offset += blockBytes) {
          const id = Buffer.from(String(offset).padStart(12, '0')).toString('base64');
          const block = bytes.subarray(offset, offset + blockBytes);
          await blob.stageBlock(id, block, block.length);
          ids.push(id);
        }
        await blob.commitBlockList(ids, options);
      }),
    );
  }
}
