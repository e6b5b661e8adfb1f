/** What must be copied for whom: references read, merged into units, and selected. All pure. */
import { describe, expect, it } from 'vitest';
import type { ArmResource } from '../../src/azure/azure.ts';
import { placeOfDatastore, standbyContainer } from '../../src/workspace/datastores.ts';
import { covers, orderKey, type AssetLine } from '../../src/recovery-point/manifest.ts';
import { needsOf, type SourceStores } from '../../src/workspace/places.ts';
import { assetReference } from '../../src/workspace/references.ts';
import { replicaName } from '../../src/blobs/replica.ts';
import { dependenciesFirst } from '../../src/assets/restore-assets.ts';
import { withoutSecrets } from '../../src/workspace/without-secrets.ts';
import { secretName } from '../../src/secrets/secret-name.ts';
import { selectVersions } from '../../src/inventory/select.ts';
import { showBytes, showCount } from '../../src/topology/figures.ts';
import { indexUnit, mergeUnits, type NeededRoot } from '../../src/recovery-point/units.ts';

const workspace = {
  subscriptionId: 'S1',
  resourceGroup: 'ml-east',
  name: 'fraud-east',
  guid: '11111111-2222-3333-4444-555555555555',
  location: 'eastus',
  associated: {},
};
const other = '/subscriptions/S1/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/workspaces/other';
const own = other.replace('other', 'fraud-east');

const stores: SourceStores = {
  workspace,
  datastores: [
    {
      name: 'workspaceblobstore',
      type: 'AzureBlob',
      credentials: 'None',
      blob: { account: 'steast', container: 'blobs' },
    },
    {
      name: 'partner',
      type: 'AzureBlob',
      credentials: 'None',
      blob: { account: 'elsewhere', container: 'c' },
    },
    { name: 'share', type: 'AzureFile', credentials: 'None', unsupported: 'a file share' },
  ],
  shared: ['public'],
  accounts: [{ name: 'steast', id: '/a', endpoint: 'https://steast.blob.core.windows.net/', own: true }],
};

describe('references to blobs', () => {
  it.each([
    ['azureml://datastores/workspaceblobstore/paths/data/x/', 'data/x'],
    [
      `azureml://subscriptions/s1/resourcegroups/ML-EAST/workspaces/fraud-east/datastores/WorkspaceBlobStore/paths/a b`,
      'a b',
    ],
    [
      'azureml://locations/eastus/workspaces/11111111-2222-3333-4444-555555555555/datastores/workspaceblobstore/paths/q',
      'q',
    ],
    ['https://steast.blob.core.windows.net/blobs/LocalUpload/a%20b/src', 'LocalUpload/a b/src'],
    ['azureml://datastores/workspaceblobstore/paths/data/*/part-?.csv', 'data'],
  ])('%s is a folder of the account', (value, path) => {
    expect(needsOf({ deep: [{ uri: value }] }, stores)).toEqual({
      roots: [{ account: 'steast', container: 'blobs', path }],
      shared: [],
      jobOutputs: [],
      unreachable: [],
    });
  });

  it.each([
    'azureml://registries/shared/models/m/versions/1',
    'azureml://subscriptions/S1/resourcegroups/ml-east/workspaces/another/datastores/workspaceblobstore/paths/x',
    'https://other.blob.core.windows.net/blobs/x',
    'https://example.com/steast/blobs',
    'steast is a name like any other',
  ])('%s is none of ours', (value) => {
    expect(needsOf(value, stores)).toEqual({ roots: [], shared: [], jobOutputs: [], unreachable: [] });
  });

  it('are said to be out of reach where they are not copied', () => {
    const needs = needsOf(
      [
        'azureml://datastores/partner/paths/x',
        'azureml://datastores/share/paths/x',
        'azureml://datastores/none/paths/x',
      ],
      stores,
    );
    expect(needs.roots).toEqual([]);
    expect(needs.unreachable.map(({ reason }) => reason)).toEqual([
      'storage account "elsewhere" is not copied',
      'datastore "share" is a file share',
      'there is no datastore "none"',
    ]);
  });

  it('by way of a job are left to be looked up', () => {
    expect(
      needsOf(['azureml://jobs/j1/outputs/model/paths/m/', 'runs:/j2/artifacts/model'], stores).jobOutputs,
    ).toEqual([
      { job: 'j1', output: 'model', path: 'm' },
      { job: 'j2', output: 'artifacts', path: 'artifacts/model' },
    ]);
  });
});

describe('references to assets', () => {
  it.each([
    [`${own}/environments/e/versions/3`, { type: 'environments', name: 'e', version: '3' }],
    [`azureml:${own.toUpperCase()}/codes/c/versions/1`, { type: 'codes', name: 'c', version: '1' }],
    ['azureml:train:1.2.0', { name: 'train', version: '1.2.0' }],
    ['azureml:train@latest', undefined],
    [`${other}/environments/e/versions/3`, undefined],
    [`${own}/computes/gpu`, undefined],
    ['azureml://registries/r/environments/e/versions/3', undefined],
  ])('%s', (value, expected) => {
    expect(assetReference(value, workspace)).toEqual(expected);
  });

  it('order pipelines, those they are made of first', () => {
    const pipeline = (name: string, ...parts: string[]): AssetLine => ({
      type: 'components',
      name,
      version: '1',
      resource: {
        id: '',
        name,
        type: '',
        properties: {
          componentSpec: {
            type: 'pipeline',
            jobs: parts.map((part) => `azureml:${own}/components/${part}/versions/1`),
          },
        },
      },
    });
    const lines = [
      pipeline('top', 'middle', 'plain'),
      pipeline('bottom'),
      pipeline('middle', 'bottom'),
      pipeline('circle', 'circle'),
    ];
    expect(dependenciesFirst(lines, workspace).map(({ name }) => name)).toEqual(['bottom', 'middle', 'top', 'circle']);
  });
});

describe('units', () => {
  const root = (path: string, asset = path, more: Partial<NeededRoot> = {}): NeededRoot => ({
    account: 'a',
    container: 'c',
    path,
    asset,
    class: 'data',
    ...more,
  });

  it('do not overlap, and stand in the order of their blobs', () => {
    const units = mergeUnits([
      root('p-x'),
      root('p/a/b'),
      root('p'),
      root('q/z'),
      root('p/a'),
      { ...root('p'), container: 'd' },
    ]);
    expect(units.map(({ container, path, places }) => [container, path, places.length])).toEqual([
      ['c', 'p', 3],
      ['c', 'p-x', 1],
      ['c', 'q/z', 1],
      ['d', 'p', 1],
    ]);
    const blobs = ['p/a/b/1', 'p/z', 'p-x', 'p-x/1', 'q/z'].map((path) => orderKey('a', 'c', path));
    expect(blobs).toEqual(blobs.toSorted());
  });

  it('of a whole container cover everything in it', () => {
    expect(mergeUnits([root('x'), root('')])).toHaveLength(1);
    expect(covers('', 'x/y')).toBe(true);
    expect(covers('x', 'xy')).toBe(false);
  });

  it('know the assets and classes of each blob', () => {
    const [unit] = mergeUnits([
      root('m', 'data/all/1'),
      root('m/1', 'models/m/1', { class: 'inference' }),
      root('m/1', 'jobs/j', { class: 'training', growing: true }),
      root('m/2', 'jobs/k', { class: 'training' }),
    ]);
    if (!unit) throw new Error('no unit');
    const index = indexUnit(unit);
    expect(index.assetsOf('m/1/x')).toEqual(['data/all/1', 'models/m/1', 'jobs/j']);
    expect(index.classesOf('m/1/x')).toEqual(['data', 'inference']);
    expect(index.assetsOf('m/10')).toEqual(['data/all/1']);
    const [alone] = mergeUnits([
      root('c', 'jobs/j', { class: 'training', growing: true }),
      root('c', 'jobs/j', { class: 'training' }),
    ]);
    expect(alone?.places).toEqual([{ asset: 'jobs/j', path: 'c', class: 'training' }]);
    expect(alone && indexUnit(alone).classesOf('c/1')).toEqual(['training']);
  });

  it('restore a checkpoint to its own path only for those who read it there', () => {
    const [unit] = mergeUnits([
      root('c', 'jobs/j', { class: 'training', growing: true }),
      root('c/start', 'jobs/j', { class: 'training' }),
      root('c/best', 'models/m/1', { class: 'inference' }),
    ]);
    const index = unit && indexUnit(unit);
    expect(['c/step-1', 'c/start/w', 'c/best/w'].map((path) => index?.classesOf(path))).toEqual([
      [],
      ['training'],
      ['inference'],
    ]);
  });
});

describe('versions', () => {
  const versions = ['1', '2', '9', '10'].map((name, index): ArmResource => ({
    id: '',
    name,
    type: '',
    properties: {},
    systemData: { createdAt: `2026-01-0${Math.min(index, 2) + 1}` },
  }));
  const select = (more = {}) =>
    selectVersions('models', 'fraud', versions, { include: ['**'], exclude: [], versions: 2, ...more });

  it('are the newest, by when they were made and then by number', () => {
    expect(select().carried.map(({ name }) => name)).toEqual(['10', '9']);
    expect(select()).toMatchObject({ beyond: [{}, {}], excluded: 0 });
  });

  it('are chosen by globs', () => {
    expect(select({ exclude: ['models/fraud/1*'] })).toMatchObject({
      excluded: 2,
      carried: [{ name: '9' }, { name: '2' }],
    });
    expect(select({ include: ['models/other/**', 'models/fraud/2'] })).toMatchObject({
      carried: [{ name: '2' }],
      beyond: [{}, {}, {}],
    });
    expect(select({ include: ['data/**'] }).carried).toEqual([]);
  });
});

describe('names', () => {
  it('of replicas say epoch, source and version, and are never too long', () => {
    const blob = { account: 'a', container: 'c', path: 'p/x', etag: '0x1' };
    expect(replicaName(3, blob)).toMatch(/^epochs\/3\/blobs\/a\/c\/p\/x\/[0-9a-f]{16}$/);
    expect(replicaName(3, blob)).not.toBe(replicaName(3, { ...blob, etag: '0x2' }));
    const long = replicaName(3, { ...blob, path: 'x'.repeat(1024) });
    expect(long.length).toBeLessThan(200);
    expect(long).not.toBe(replicaName(3, { ...blob, path: `${'x'.repeat(1023)}y` }));
  });

  it('of containers of other accounts cannot meet', () => {
    expect(standbyContainer({ name: 'own', own: true }, 'data')).toBe('data');
    expect(standbyContainer({ name: 'acct', own: false }, 'data')).toBe('acct-data');
    const long = standbyContainer({ name: 'a'.repeat(24), own: false }, 'c'.repeat(63));
    expect(long).toHaveLength(63);
    expect(long).not.toBe(standbyContainer({ name: 'a'.repeat(24), own: false }, `${'c'.repeat(62)}d`));
  });

  it('of secrets are what Key Vault takes, and differ where resources do', () => {
    const feed = {
      topology: 'fraud',
      region: 'eastus',
      kind: 'connection',
      resource: 'python_feed',
    } as const;
    const name = secretName(feed);
    expect(name).not.toBe(secretName({ ...feed, resource: 'python-feed' }));
    // One vault may keep the secrets of both regions.
    expect(name).not.toBe(secretName({ ...feed, region: 'westus3' }));
    const longest = { topology: 't'.repeat(40), region: 'r'.repeat(31), resource: 'x'.repeat(255) };
    for (const each of [name, secretName({ ...longest, kind: 'connection' })])
      expect(each).toMatch(/^[0-9a-zA-Z-]{1,127}$/);
  });

  it('of datastores lead to containers, or say why not', () => {
    const datastore = (properties: ArmResource['properties']) =>
      placeOfDatastore({ id: '', name: 'd', type: '', properties });
    expect(datastore({ datastoreType: 'AzureDataLakeGen2', accountName: 'a', filesystem: 'f' }).blob).toEqual({
      account: 'a',
      container: 'f',
    });
    expect(datastore({ datastoreType: 'AzureFile', accountName: 'a', fileShareName: 's' }).unsupported).toContain(
      'file share',
    );
    expect(datastore({ datastoreType: 'OneLake' }).unsupported).toContain('OneLake');
  });
});

it('leaves secrets out, at any depth, and nothing else', () => {
  const resource: ArmResource = {
    id: '',
    name: 'd',
    type: '',
    properties: {
      accountName: 'a',
      credentials: { credentialsType: 'AccountKey', secrets: { key: 'x' } },
      list: [{ Password: 'x', user: 'u' }],
      keys: null,
    },
  };
  expect(withoutSecrets(resource).properties).toEqual({
    accountName: 'a',
    credentials: { credentialsType: 'AccountKey' },
    list: [{ user: 'u' }],
  });
});

it('writes sizes and numbers as people read them', () => {
  expect([showBytes(999), showBytes(24_100_000), showCount(1, 'blob'), showCount(0, 'blob')]).toEqual([
    '999 B',
    '24.1 MB',
    '1 blob',
    '0 blobs',
  ]);
});
