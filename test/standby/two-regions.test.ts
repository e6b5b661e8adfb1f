/**
 * Sharing while both regions answer: what is copied all the same, and what the fence leaves to the side that goes on.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { configureDatastores } from '../../src/secrets/configure-datastores.ts';
import { openByRef, readLedgerSnapshot, readPart } from '../../src/recovery-point/recovery-point.ts';
import { restoreAssets } from '../../src/assets/restore-assets.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { restoreOldWriters, shutOutOldWriters } from '../../src/fence/shut-out-writers.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';
import { attach, putData, putTrainingGround, shareAccount, type Lake } from './pair.ts';

let scene: Scene;
let lake: Lake;

beforeAll(async () => {
  scene = await startScene();
  await putTrainingGround(scene);
  lake = await shareAccount(scene, 'lake');
}, 120_000);

afterAll(() => scene?.close());

async function keysOf(id: string): Promise<unknown> {
  return scene.azure.arm.post(`${id}/listKeys`, apiVersions.storage);
}

async function assign(scope: string, name: string, principalId: unknown): Promise<string> {
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  const role = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe';
  await scene.azure.arm.put(id, apiVersions.roleAssignments, {
    properties: {
      roleDefinitionId: `${scene.fixture.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      principalId: principalId as string,
      principalType: 'ServicePrincipal',
    },
  });
  return id;
}

const principalOf = async (id: string) => {
  const { identity } = await scene.azure.arm.get(id, apiVersions.machineLearning);
  return (identity as { principalId?: string } | undefined)?.principalId;
};

const fenceStep = (run: TestRun) =>
  run.context({
    id: 'fence/platform/writers',
    class: 'platform',
    action: 'shutOutOldWriters',
    title: '',
    needs: [],
    input: {},
    undoable: true,
  });

describe('an account of which both have one container', () => {
  let ref: RecoveryPointRef;
  let failover: TestRun;

  beforeAll(async () => {
    const { east, fixture } = scene;
    await upload(lake.account, 'raw', 'daily/part-0.csv', 'of the active side alone');
    await attach(scene, east, 'raw', { ...lake, container: 'raw' });
    await putData(scene, 'curated', 'lake');
    await putData(scene, 'raw', 'raw');
    await fixture.put(`${east}/codes/shared-src/versions/1`, {
      properties: { codeUri: `${lake.account.endpoint}curated/daily` },
    });
    await upload(lake.account, 'curated', 'checkpoints/train-1/step-1.json', '{"step":1}');
    await fixture.put(`${east}/jobs/train-1`, {
      properties: {
        jobType: 'Command',
        command: 'python train.py --resume ${{inputs.resume_from}}',
        environmentId: `${east}/environments/sklearn/versions/1`,
        computeId: `${east}/computes/gpu`,
        inputs: {
          resume_from: {
            jobInputType: 'uri_folder',
            uri: 'azureml://datastores/workspaceblobstore/paths/start',
          },
        },
        outputs: {
          checkpoints: {
            jobOutputType: 'uri_folder',
            mode: 'ReadWriteMount',
            uri: 'azureml://datastores/lake/paths/checkpoints/${{name}}/',
          },
        },
        properties: { 'simulator.runSeconds': '36000' },
      } satisfies JsonObject,
    });
    ({ ref } = await replicate(scene.run()));
    failover = scene.run({ operation: 'failover', recoveryPoint: ref });
  });

  it('is copied but for that container, and for the checkpoints of jobs there', async () => {
    const { sealed } = await openByRef(scene.store, ref);
    const lines = await Array.fromAsync(readPart(scene.store, sealed, 'blobs'));
    expect(lines.map(({ container, path }) => `${container}/${path}`).toSorted()).toEqual([
      'curated/checkpoints/train-1/step-1.json',
      'raw/daily/part-0.csv',
    ]);
    const [job] = await Array.fromAsync(readLedgerSnapshot(scene.store, ref));
    expect(job?.checkpoint).toMatchObject({ datastore: 'lake', path: 'checkpoints/train-1' });
  });

  it('is restored with references to each as it is: in its place, or in the standby’s own storage', async () => {
    for (const name of ['platform', 'data'])
      await failover.step(`blobs-${name}`, 'restoreBlobs', restoreBlobs, { classes: [name] });
    const datastores = await failover.step('datastores', 'configureDatastores', configureDatastores);
    expect(datastores.counts?.[0]).toMatchObject({ expected: 2, done: 2 });
    const assets = await failover.step('assets', 'restoreAssets', restoreAssets);
    expect(assets.lost).toBeUndefined();
    const get = (path: string) => scene.azure.arm.get(`${scene.west}/${path}`, apiVersions.machineLearning);
    expect((await get('datastores/lake')).properties).toMatchObject({
      accountName: lake.name,
      containerName: 'curated',
    });
    expect((await get('codes/shared-src/versions/1')).properties['codeUri']).toBe(
      `${lake.account.endpoint}curated/daily`,
    );
    expect((await get('datastores/raw')).properties).toMatchObject({
      accountName: scene.westAccount.name,
      containerName: `${lake.name}-raw`,
    });
    expect(await textOf(scene.westAccount, `${lake.name}-raw`, 'daily/part-0.csv')).toBe('of the active side alone');
  });
});

describe('the fence', () => {
  it('takes the roles of the old side on what is its own, and touches nothing that both use', async () => {
    const account = scene.eastAccount.accountId;
    const [ours, theirs] = [await principalOf(scene.east), await principalOf(scene.west)];
    const gone = await assign(account, '00000000-0000-0000-0000-0000000000a1', ours);
    const stays = await assign(account, '00000000-0000-0000-0000-0000000000a2', theirs);
    const onLake = await assign(lake.id, '00000000-0000-0000-0000-0000000000a3', ours);
    const before = await keysOf(lake.id);
    const run = scene.run({ operation: 'failover' });
    const result = await shutOutOldWriters(fenceStep(run));
    expect(result.detail).toContain('removed 1 roles');
    const find = (id: string) => scene.azure.arm.find(id, apiVersions.roleAssignments);
    expect(await find(gone)).toBeUndefined();
    expect(await find(stays)).toBeDefined();
    expect(await find(onLake)).toBeDefined();
    expect(await keysOf(lake.id)).toEqual(before);
    await restoreOldWriters(fenceStep(run));
    expect(await find(gone)).toBeDefined();
  });

  it('leaves keys and roles of the old default account where the standby has a datastore on it', async () => {
    const { accountId, name } = scene.eastAccount;
    await attach(scene, scene.west, 'history', { id: accountId, name, container: scene.eastContainer });
    const before = await keysOf(accountId);
    const run = scene.run({ operation: 'failover' });
    const result = await shutOutOldWriters(fenceStep(run));
    expect(result).toMatchObject({
      state: 'completed',
      detail: expect.stringMatching(
        /^left the keys and roles of .* as they are: the other workspace uses it \(datastore history\)/,
      ) as string,
    });
    expect(await keysOf(accountId)).toEqual(before);
    expect(await restoreOldWriters(fenceStep(run))).toBe('nothing was rotated or removed');
  });
});
