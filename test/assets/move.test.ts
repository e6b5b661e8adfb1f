/**
 * A whole move on the local Azure: a recovery point is taken, the active region goes dark, and the standby is restored
 * from it alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureConnections } from '../../src/secrets/configure-connections.ts';
import { leftBehindUncounted } from '../../src/recovery-point/drafts.ts';
import { configureDatastores } from '../../src/secrets/configure-datastores.ts';
import { configureSchedules, enableAsBefore } from '../../src/schedules/configure-schedules.ts';
import { disableAgain, enableSchedules } from '../../src/schedules/enable-schedules.ts';
import { summarise } from '../../src/recovery-point/read-seal.ts';
import { openRecoveryPoint, readLedgerSnapshot, readPart } from '../../src/recovery-point/recovery-point.ts';
import { reconcileAssets } from '../../src/assets/reconcile-assets.ts';
import { reconcileBlobs } from '../../src/blobs/reconcile-blobs.ts';
import { restoreAssets } from '../../src/assets/restore-assets.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { artifacts, canary, fill } from '../recovery-point/filled.ts';
import { replicate, startScene, textField, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;
let ref: RecoveryPointRef;
let failover: TestRun;

beforeAll(async () => {
  scene = await startScene();
  await fill(scene);
}, 120_000);

afterAll(() => scene?.close());

const platform = { classes: ['platform'] };
const get = (path: string) => scene.azure.arm.get(`${scene.west}/${path}`, apiVersions.machineLearning);

describe('replicate', () => {
  it('seals a recovery point whose counts are those of the workspace', async () => {
    const made = await replicate(scene.run({ topology: { artifacts } }));
    ref = made.ref;
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    expect(summarise({ ref, sealed })).toMatchObject({
      epoch: 1,
      region: 'eastus',
      counts: {
        models: 4,
        data: 4,
        environments: 4,
        codes: 1,
        components: 2,
        connections: 1,
        schedules: 2,
        jobs: 1,
        datastores: 7,
      },
      computes: [{ name: 'gpu', type: 'AmlCompute', vmSize: expect.stringMatching(/DS3_v2/i) as string, maxNodes: 2 }],
      jobs: { Running: 1 },
      fuzzy: 0,
    });
    // 7 of transactions, 1 of merchants, 3 of code and context, 4 of models, 2 features, 1 further path, 1 input, 2
    // checkpoints.
    expect(sealed.summary.blobs).toBe(21);
    // `partner` is an account of another region: the standby reads it where it is.
    const reason = 'on storage that the standby reads where it is: shared, not copied';
    expect(made.copy.counts).toEqual([
      { kind: 'blobs', expected: 21, done: 21, skipped: [], failed: [] },
      {
        kind: 'folders and files',
        expected: 13,
        done: 12,
        skipped: [{ reason, count: 1 }],
        failed: [],
      },
    ]);
    expect(sealed.leftBehind).toContainEqual({
      kind: 'data',
      reason: 'excluded by the topology',
      chosen: true,
      count: 1,
      examples: ['scratch'],
    });
    expect(sealed.leftBehind).toContainEqual(expect.objectContaining({ kind: 'models', count: 1 }));
    // No step of a restore would say it.
    expect(leftBehindUncounted(sealed.leftBehind)).toEqual([
      '2 file shares left behind: their files are not copied: only blob containers are (workspacefilestore, workspaceworkingdirectory)',
    ]);
    expect(sealed.secrets.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual([
      'connection python-feed',
      'datastore lake',
      'datastore partner',
    ]);
  });

  it('says in the ledger which checkpoint of a job is copied', async () => {
    const [entry] = await Array.fromAsync(readLedgerSnapshot(scene.store, ref));
    expect(entry).toMatchObject({
      name: 'train-1',
      priority: 'high',
      checkpoint: {
        datastore: 'workspaceblobstore',
        path: 'checkpoints/train-1',
        lastFile: 'step-10.json',
        files: 2,
        recoveryPoint: ref.id,
      },
    });
  });

  it('copies nothing twice, and copies what has changed', async () => {
    await upload(scene.eastAccount, scene.eastContainer, 'data/transactions/part-3.csv', 'changed');
    const { copy, ref: second, escrow } = await replicate(scene.run({ topology: { artifacts } }));
    expect(copy.detail).toMatch(/^1 blob copied \(7 B\), 20 in the standby already; 21 blobs/);
    expect(escrow.counts?.[0]).toMatchObject({ done: 3 });
    const [before, after] = [
      await openRecoveryPoint(scene.store, ref.id),
      await openRecoveryPoint(scene.store, second.id),
    ];
    expect(after.sealed.secrets).toEqual(before.sealed.secrets);
    ref = second;
  });

  it('keeps secrets out of everything but the vault', async () => {
    for (const [name, { text }] of scene.store.documents) expect(text, name).not.toContain(canary);
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    const secret = sealed.secrets.find(({ kind }) => kind === 'connection')?.secret ?? '';
    expect(await scene.azure.vault(scene.vaults.westus3).get(secret)).toContain(`${canary}-pat`);
  });
});

describe('failover, with the active region dark', () => {
  beforeAll(async () => {
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    failover = scene.run({ operation: 'failover', recoveryPoint: ref, topology: { artifacts } });
  });

  it('restores datastores, blobs and assets from what is outside the dark region', async () => {
    const blobs = await failover.step('blobs-platform', 'restoreBlobs', restoreBlobs, platform);
    expect(blobs.counts).toEqual([{ kind: 'blobs', expected: 3, done: 3, skipped: [], failed: [] }]);
    let restored = 3;
    for (const name of ['data', 'inference', 'training']) {
      const result = await failover.step(`blobs-${name}`, 'restoreBlobs', restoreBlobs, { classes: [name] });
      restored += result.counts?.[0]?.done ?? 0;
    }
    // The checkpoints of the job are brought when that is resubmitted.
    expect(restored).toBe(19);
    const all = await failover.step('assets', 'restoreAssets', restoreAssets);
    const counts = Object.fromEntries((all.counts ?? []).map((each) => [each.kind, each]));
    for (const each of all.counts ?? []) expect(each.failed).toEqual([]);
    expect(counts).toMatchObject({
      models: { done: 4 },
      data: { done: 4 },
      codes: { done: 1 },
      environments: { done: 4 },
      components: { done: 2 },
    });
    const datastores = await failover.step('datastores', 'configureDatastores', configureDatastores);
    expect(datastores.counts).toEqual([{ kind: 'datastores', expected: 3, done: 3, skipped: [], failed: [] }]);
  });

  it('puts the bytes, headers and metadata where the standby looks for them', async () => {
    const { westAccount, westContainer } = scene;
    expect(await textOf(westAccount, westContainer, 'data/transactions/part-3.csv')).toBe('changed');
    expect(await textOf(westAccount, westContainer, 'data/merchants and more.csv')).toBe('merchant,risk\n');
    expect(await textOf(westAccount, westContainer, 'scratch/x.txt')).toBeUndefined();
    expect(await textOf(westAccount, westContainer, 'data/transactions-archive/old.csv')).toBeUndefined();
    const found = await westAccount.container(westContainer).getBlobClient('models/fraud-3/model.pkl').getProperties();
    expect(found).toMatchObject({ contentType: 'text/plain', metadata: { origin: 'test' } });
    const features = await get('datastores/features');
    expect(features.properties).toMatchObject({ accountName: westAccount.name, tags: { owner: 'platform' } });
    expect(await textOf(westAccount, textField(features.properties, 'containerName'), 'daily/deep/f2.parquet')).toBe(
      'features 2',
    );
  });

  it('rewrites every reference, and nothing else', async () => {
    const { west, westAccount, westContainer } = scene;
    expect((await get('codes/train-src/versions/1')).properties).toMatchObject({
      codeUri: `${westAccount.endpoint}${westContainer}/LocalUpload/src`,
      properties: { hash_sha256: 'abc' },
    });
    expect((await get('environments/built/versions/1')).properties['build']).toMatchObject({
      contextUri: `${westAccount.endpoint}${westContainer}/LocalUpload/context`,
    });
    expect((await get('environments/sklearn')).properties).toMatchObject({
      description: 'Environments for training',
      tags: { owner: 'ana' },
    });
    expect(textField((await get('data/transactions/versions/1')).properties, 'dataUri').toLowerCase()).toContain(
      '/workspaces/fraud-west/datastores/workspaceblobstore/paths/data/transactions/',
    );
    expect((await get('models/fraud/versions/3')).properties).toMatchObject({
      tags: { stage: 'production' },
      properties: { auc: '0.9' },
    });
    const long = `azureml://subscriptions/${west.split('/')[2]}/resourcegroups/ml-westus3/workspaces/fraud-west/datastores`;
    expect((await get('models/baseline/versions/1')).properties['modelUri']).toBe(
      `${long}/workspaceblobstore/paths/runs/baseline-1/model/best`,
    );
    expect((await get('models/tracked/versions/1')).properties['modelUri']).toBe(
      `${long}/workspaceartifactstore/paths/ExperimentRun/dcid.baseline-1/plots`,
    );
    expect(await textOf(westAccount, 'azureml', 'ExperimentRun/dcid.baseline-1/plots/roc.png')).toBe('a curve');
    expect((await get('datastores/partner')).properties).toMatchObject({ containerName: 'rates' });
    expect((await get('components/a_pipeline/versions/2')).properties['componentSpec']).toMatchObject({
      jobs: { train: { component: `azureml:${west}/components/z_train/versions/1.0.0` } },
    });
  });

  it('does nothing a second time', async () => {
    const again = await failover.step('blobs-data', 'restoreBlobs', restoreBlobs, { classes: ['data'] });
    expect(again.detail).toContain(': 0 restored');
    const assets = await failover.step('assets', 'restoreAssets', restoreAssets);
    expect(assets.detail).toContain('0 of models registered, 4 already there');
    const datastores = await failover.step('datastores', 'configureDatastores', configureDatastores);
    expect(datastores.detail).toContain('3 of them already there');
  });

  it('configures connections with their secrets, and schedules disabled; enables them at the switch', async () => {
    const connections = await failover.step('connections', 'configureConnections', configureConnections);
    expect(connections.counts?.[0]).toMatchObject({ expected: 1, done: 1 });
    const secrets = await scene.azure.arm.post(
      `${scene.west}/connections/python-feed/listsecrets`,
      apiVersions.machineLearning,
      {},
    );
    expect(JSON.stringify(secrets)).toContain(`${canary}-pat`);
    const lake = await scene.azure.arm.post(
      `${scene.west}/datastores/lake/listSecrets`,
      apiVersions.machineLearning,
      {},
    );
    expect(lake).toMatchObject({ clientSecret: `${canary}-sp` });

    await failover.step('schedules', 'configureSchedules', configureSchedules);
    const enabled = async () => [
      (await get('schedules/nightly')).properties['isEnabled'],
      (await get('schedules/paused')).properties['isEnabled'],
    ];
    expect(await enabled()).toEqual([false, false]);
    const switched = await failover.step('enable', 'enableSchedules', enableSchedules);
    expect(switched).toMatchObject({
      detail: '1 schedule enabled in westus3; eastus does not answer: what could not be stopped there is owed',
      counts: [{ kind: 'schedules enabled', expected: 2, done: 1, failed: [] }],
    });
    expect(await enabled()).toEqual([true, false]);
    const nightly = (await get('schedules/nightly')).properties['action'];
    expect(nightly).toMatchObject({
      jobDefinition: { computeId: `${scene.west}/computes/gpu`, queueSettings: { jobTier: 'Standard' } },
    });
    const step = failover.context({
      id: 'enable',
      class: 'training',
      action: 'enableSchedules',
      title: '',
      needs: [],
      input: {},
      undoable: true,
    });
    expect(await disableAgain(step, failover.undos.get('enable'))).toBe('1 schedule disabled again in westus3');
    expect(await enabled()).toEqual([false, false]);
    expect(await enableAsBefore(step, failover.undos.get('schedules'))).toBe('0 schedules enabled again in westus3');
  });

  it('finds everything there when it lists the standby afresh', async () => {
    const blobs = await failover.step('verify-blobs', 'reconcileBlobs', reconcileBlobs);
    expect(blobs.counts).toEqual([{ kind: 'blobs', expected: 19, done: 19, skipped: [], failed: [] }]);
    const assets = await failover.step('verify-assets', 'reconcileAssets', reconcileAssets);
    expect(assets.counts?.map(({ kind, expected, done }) => [kind, expected, done])).toEqual([
      ['codes', 1, 1],
      ['environments', 4, 4],
      ['models', 4, 4],
      ['data', 4, 4],
      ['components', 2, 2],
    ]);
  });

  it('finds headers and metadata that differ, names the blob and the field, and puts them right', async () => {
    const { westAccount, westContainer } = scene;
    const blob = (path: string) => westAccount.container(westContainer).getBlobClient(path);
    await blob('models/fraud-3/model.pkl').setHTTPHeaders({ blobContentType: 'application/json' });
    await blob('models/fraud-2/model.pkl').setMetadata({ origin: 'elsewhere' });
    const verify = () => failover.step('verify-headers', 'reconcileBlobs', reconcileBlobs, { classes: ['inference'] });
    await expect(verify()).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringMatching(
        /^2 of 4 blobs in westus3 .*fraud-2\/model\.pkl: metadata "origin" "elsewhere", expected "test" \(models\/fraud\/2\); .*fraud-3\/model\.pkl: content type "application\/json", expected "text\/plain"/,
      ) as string,
      details: {
        next: expect.stringContaining('--accept-loss verify-headers') as string,
      },
    });
    await blob('models/fraud-3/model.pkl').setHTTPHeaders({
      blobContentType: 'text/plain',
      blobCacheControl: 'no-store',
    });
    await blob('models/fraud-2/model.pkl').setMetadata({ Origin: 'test' });
    await expect(verify()).rejects.toThrow(
      /^1 of 4 blobs .*fraud-3\/model\.pkl: cache control "no-store", expected none/,
    );
    // What verifying finds, restoring puts right.
    const restored = await failover.step('blobs-inference', 'restoreBlobs', restoreBlobs, {
      classes: ['inference'],
    });
    expect(restored.counts?.[0]).toMatchObject({ expected: 4, done: 4, skipped: [], failed: [] });
    expect((await verify()).counts?.[0]).toMatchObject({ expected: 4, done: 4 });
  });

  it('finds a blob that differs, one that is missing, and an asset that is not there', async () => {
    const { westAccount, westContainer, azure, west, store } = scene;
    await upload(westAccount, westContainer, 'models/fraud-3/model.pkl', 'model 9');
    await westAccount.container(westContainer).getBlobClient('models/fraud-2/model.pkl').delete();
    const failing = failover.step('verify-models', 'reconcileBlobs', reconcileBlobs, {
      classes: ['inference'],
    });
    await expect(failing).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringMatching(
        /^2 of 4 blobs in westus3 .*fraud-2\/model\.pkl: missing \(models\/fraud\/2\); .*fraud-3\/model\.pkl: sha256/,
      ) as string,
    });
    const place = await failing.then(
      () => '',
      (error: { details: { place: string } }) => error.details.place,
    );
    expect(store.documents.get(place)?.text).toContain('fraud-3/model.pkl');

    await azure.arm.remove(`${west}/models/fraud/versions/2`, apiVersions.machineLearning);
    await expect(
      failover.step('verify-names', 'reconcileAssets', reconcileAssets, { types: ['models'] }),
    ).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringContaining('models/fraud/2: missing') as string,
    });
  });

  it('keeps what the standby has of its own, says so, and does not count it as lost by accident', async () => {
    const { westAccount, westContainer } = scene;
    const result = await failover.step('blobs-inference', 'restoreBlobs', restoreBlobs, {
      classes: ['inference'],
    });
    expect(result.counts?.[0]).toMatchObject({ expected: 4, done: 3, skipped: [{ count: 1 }], failed: [] });
    expect(result.lost?.[0]).toContain('models/fraud-3/model.pkl');
    expect(await textOf(westAccount, westContainer, 'models/fraud-3/model.pkl')).toBe('model 9');
    const verified = await failover.step('verify-models', 'reconcileBlobs', reconcileBlobs, {
      classes: ['inference'],
    });
    expect(verified.counts?.[0]).toMatchObject({ expected: 4, done: 3, skipped: [{ count: 1 }] });
  });

  it('replaces what an earlier restore left', async () => {
    const { westAccount, westContainer } = scene;
    // What the first recovery point had, and the second has no more.
    await upload(westAccount, westContainer, 'data/transactions/part-3.csv', 'row 3\n'.repeat(20));
    const result = await failover.step('blobs-data', 'restoreBlobs', restoreBlobs, { classes: ['data'] });
    expect(result.counts?.[0]?.skipped).toEqual([]);
    expect(await textOf(westAccount, westContainer, 'data/transactions/part-3.csv')).toBe('changed');
  });

  it('fails an asset that the standby has otherwise', async () => {
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    const models = await Array.fromAsync(readPart(scene.store, sealed, 'models'));
    expect(models.flatMap(({ name, version }) => (name === 'fraud' && version ? [version] : []))).toEqual(['3', '2']);
    await scene.azure.arm.put(`${scene.west}/models/fraud/versions/2`, apiVersions.machineLearning, {
      properties: {
        modelType: 'custom_model',
        modelUri: 'azureml://datastores/workspaceblobstore/paths/elsewhere',
      },
    });
    const result = await failover.step('assets-models', 'restoreAssets', restoreAssets, {
      types: ['models'],
    });
    expect(result.counts?.[0]).toMatchObject({
      kind: 'models',
      expected: 5,
      done: 3,
      skipped: [{ reason: 'not among those the topology includes', count: 1 }],
      failed: [{ count: 1 }],
    });
    expect(result.lost?.[0]).toContain('models/fraud/2: there is another one of this name: modelUri');
  });
});
