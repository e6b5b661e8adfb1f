/**
 * A datastore on a second account, there and back on the local Azure: the way back knows the name that the way out has
 * given its copy.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actions } from '../../src/actions.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { placeOfDatastore } from '../../src/workspace/datastores.ts';
import { fill } from '../recovery-point/filled.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;
let out: TestRun;
let back: TestRun;
beforeAll(async () => {
  scene = await startScene();
  await fill(scene);
  out = await move(false);
  // Written while the other region is the active one.
  const there = await placeIn(scene.west);
  await upload(scene.westAccount, there?.container ?? '', 'daily/f1.parquet', 'features 1, newer');
  await upload(scene.westAccount, there?.container ?? '', 'daily/f3.parquet', 'features 3');
  back = await move(true);
}, 240_000);
afterAll(() => scene?.close());

async function move(isBack: boolean): Promise<TestRun> {
  const paths = [{ datastore: 'features', path: 'daily' }];
  const topology = { artifacts: { paths } };
  const { ref } = await replicate(scene.run({ back: isBack, topology }));
  const run = scene.run({ back: isBack, topology, operation: 'failover', recoveryPoint: ref });
  for (const name of ['restoreBlobs', 'configureDatastores', 'reconcileBlobs'] as const)
    await run.step(name, name, actions[name]);
  return run;
}

async function placeIn(workspace: string) {
  const datastore = await scene.azure.arm.get(`${workspace}/datastores/features`, apiVersions.machineLearning);
  return placeOfDatastore(datastore).blob;
}

const outcome = (run: TestRun) => run.outcomes.get('configureDatastores');

describe('a datastore on a second account', () => {
  it('is on the own account of the region that takes over, its container renamed', async () => {
    expect(outcome(out)?.counts?.[0]).toMatchObject({ failed: [] });
    const place = await placeIn(scene.west);
    expect(place?.account).toBe(scene.westAccount.name);
    expect(place?.container).toMatch(/^feat\w+-features$/);
  });

  it('comes back, with what was written meanwhile', async () => {
    expect(outcome(back)?.counts?.[0]).toMatchObject({ failed: [] });
    const place = await placeIn(scene.east);
    expect(place?.account).toBe(scene.eastAccount.name);
    const read = (path: string) => textOf(scene.eastAccount, place?.container ?? '', path);
    expect(await read('daily/f1.parquet')).toBe('features 1, newer');
    expect(await read('daily/f3.parquet')).toBe('features 3');
  });

  it('is said to have moved: the second account is left as it is', () => {
    expect(outcome(back)?.lost).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^datastore features is on "\w+" now, where its blobs were restored; feat\w+\/features, where it was before, is unchanged$/,
        ),
      ]),
    );
    expect(outcome(out)?.lost ?? []).not.toContainEqual(expect.stringContaining('is left as it is'));
  });

  it('stays there when it is looked at again', async () => {
    const again = await back.step('again', 'configureDatastores', actions.configureDatastores);
    expect(again.counts?.[0]).toMatchObject({ failed: [] });
    expect((await placeIn(scene.east))?.account).toBe(scene.eastAccount.name);
  });
});

it('a datastore that a person has pointed elsewhere is left to them', async () => {
  const path = `${scene.east}/datastores/features`;
  const { properties } = await scene.azure.arm.get(path, apiVersions.machineLearning);
  const key = await scene.azure.arm.post(`${scene.eastAccount.accountId}/listKeys`, apiVersions.storage);
  const [{ value = '' } = {}] = (key as { keys: { value?: string }[] }).keys;
  const credentials = { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: value } };
  await scene.fixture.put(path, {
    properties: { ...properties, accountName: 'somebodyelses', containerName: 'other', credentials },
  });
  const result = await back.step('theirs', 'configureDatastores', actions.configureDatastores);
  expect(result.lost?.join('\n')).toMatch(/points to somebodyelses\/other, expected /);
  expect((await placeIn(scene.east))?.account).toBe('somebodyelses');
});
