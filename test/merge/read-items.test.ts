/** Recovery points as items: the same thing of two regions is the same item, whatever its region calls its places. */
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { readItems } from '../../src/merge/read-items.ts';
import type { AssetLine, BlobLine, PartKind, PartLines } from '../../src/recovery-point/manifest.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { seal } from '../recovery-point/sealed.ts';

type Lines = { [K in PartKind]?: readonly PartLines[K][] };

const asset = (type: AssetLine['type'], name: string, properties: JsonObject): AssetLine => ({
  type,
  name,
  version: '1',
  resource: { id: `/${type}/${name}/versions/1`, name: '1', type, properties },
});
const blob = (path: string, sha256: string, more: Partial<BlobLine> = {}): BlobLine => ({
  assets: [],
  classes: ['data'],
  unit: 'u',
  account: 'acc',
  container: 'con',
  path,
  etag: 'e',
  sizeBytes: 1,
  sha256,
  md5: 'm',
  replica: sha256,
  ...more,
});
const unit = (path: string, of: string) => ({
  account: 'acc',
  container: 'con',
  path,
  places: [{ asset: of, path, class: 'data' as const }],
});

async function itemsOf(more: Lines, workspace = 'fraud-east') {
  const store = fakeControlStore();
  const sealed = await seal(store, '2026-11-21T10:00:00.000Z', {
    more,
    change: (content) => ({ ...content, workspace: { ...content.workspace, name: workspace } }),
  });
  return readItems(store, sealed);
}

it('a model is what its files are, wherever they were uploaded', async () => {
  const of = (folder: string, files: BlobLine[]) =>
    itemsOf({
      models: [asset('models', 'm', { modelUri: `azureml://datastores/d/paths/${folder}/`, modelType: 'custom' })],
      units: [unit(folder, 'models/m/1')],
      blobs: files,
    }).then((items) => items.get('models/m/1')?.content);
  const one = await of('LocalUpload/aaa', [blob('LocalUpload/aaa/x', '1'), blob('LocalUpload/aaa/y', '2')]);
  expect(await of('up/b', [blob('up/b/y', '2'), blob('up/b/x', '1')])).toBe(one);
  expect(await of('up/b', [blob('up/b/y', '1'), blob('up/b/x', '2')])).not.toBe(one);
  expect(await of('up/b', [blob('up/b/x', '1')])).not.toBe(one);
});

it('two assets of one folder each have its files', async () => {
  const items = await itemsOf({
    data: [asset('data', 'a', { dataType: 'uri_folder' }), asset('data', 'b', { dataType: 'uri_folder' })],
    units: [{ ...unit('p', 'data/a/1'), places: [...unit('p', 'data/a/1').places, ...unit('p/q', 'data/b/1').places] }],
    blobs: [blob('p/q/x', '1')],
  });
  expect(items.get('data/a/1')?.content).not.toBe(items.get('data/b/1')?.content);
  expect([...items.keys()].filter((name) => name.startsWith('files/'))).toEqual([]);
});

it('a component is the same although each region has its own ids', async () => {
  const of = (workspace: string, other = workspace) => {
    const id = workspaceId({ subscriptionId: 's', resourceGroup: 'g', name: other });
    const code = `azureml:${id}/codes/c/versions/1`;
    return itemsOf({ components: [asset('components', 'train', { componentSpec: { code } })] }, workspace).then(
      (items) => items.get('components/train/1')?.content,
    );
  };
  expect(await of('fraud-west')).toBe(await of('fraud-east'));
  expect(await of('fraud-west', 'somebody-else')).not.toBe(await of('fraud-east'));
});

it('what changed while it was copied is not known', async () => {
  const items = await itemsOf({
    data: [asset('data', 'a', {})],
    units: [unit('p', 'data/a/1')],
    blobs: [blob('p/x', '1')],
    fuzzy: [{ assets: ['data/a/1'], account: 'acc', container: 'con', path: 'p/x', copied: true }],
  });
  expect(items.get('data/a/1')?.content).toBeNull();
});

it('a file of no asset is named by its datastore; a checkpoint is none', async () => {
  const datastore = {
    id: '/datastores/d',
    name: 'd',
    type: 'datastores',
    properties: { accountName: 'acc', containerName: 'con' },
  };
  const items = await itemsOf({
    datastores: [datastore],
    units: [unit('raw', 'paths/d/raw')],
    blobs: [blob('raw/x', '1'), blob('checkpoints/y', '2', { classes: [] })],
  });
  expect([...items].filter(([name]) => name.startsWith('files/'))).toEqual([
    ['files/d/raw/x', { fields: new Map(), content: '1' }],
  ]);
});

it('a resource is compared by what people set, not by its state', async () => {
  const of = (properties: JsonObject) =>
    itemsOf({
      deployments: [{ id: '/w/onlineEndpoints/score/deployments/blue', name: 'blue', type: 'deployments', properties }],
    }).then((items) => items.get('deployments/score/blue'));
  const one = await of({ provisioningState: 'Succeeded', model: { uri: 'a', list: [1, 2] } });
  expect(one).toEqual(await of({ provisioningState: 'Failed', model: { uri: 'a', list: [1, 2] } }));
  expect([...(one?.fields ?? [])]).toEqual([
    ['properties.model.uri', '"a"'],
    ['properties.model.list', '[1,2]'],
  ]);
});
