/**
 * Copying while things go wrong: sources that change, workers that are killed, answers that are lost, copies that are
 * damaged.
 */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hashBlob, listBlobs, statBlob } from '../../src/azure/storage/blobs.ts';
import { createLimiter } from '../../src/run/work/bounded.ts';
import { copyBlob, type CopyLimits } from '../../src/blobs/copy-blob.ts';
import { copyBlobs } from '../../src/blobs/copy-blobs.ts';
import { copyUnit, type CopyUnit } from '../../src/blobs/copy-unit.ts';
import { listActive } from '../../src/inventory/list-active.ts';
import { replicaContainer, type BlobLine, type Unit } from '../../src/recovery-point/manifest.ts';
import { nothingOf } from '../../src/blobs/previous.ts';
import { listRecoveryPoints } from '../../src/recovery-point/list-points.ts';
import { openRecoveryPoint, readPart } from '../../src/recovery-point/recovery-point.ts';
import { reconcileAssets } from '../../src/assets/reconcile-assets.ts';
import { reconcileBlobs } from '../../src/blobs/reconcile-blobs.ts';
import { makeReplica } from '../../src/blobs/replica.ts';
import { restoreAssets } from '../../src/assets/restore-assets.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import { sealRecoveryPoint } from '../../src/inventory/seal-recovery-point.ts';
import { apiVersions, type BlobAccount } from '../../src/azure/azure.ts';
import { isUnderstudyError } from '../../src/errors/error.ts';
import type { ActionName } from '../../src/plan/actions.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { Action } from '../../src/run/work/step-context.ts';
import { artifacts, fill } from '../recovery-point/filled.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;
const signal = new AbortController().signal;
const quiet = { beat: () => Promise.resolve(), add: () => undefined, save: () => Promise.resolve() };

beforeAll(async () => {
  scene = await startScene();
  await scene.westAccount.container(replicaContainer).createIfNotExists();
}, 120_000);

afterEach(() => vi.restoreAllMocks());
afterAll(() => scene?.close());

function unitAt(path: string, growing = false): Unit {
  return {
    account: scene.eastAccount.name,
    container: scene.eastContainer,
    path,
    places: [{ asset: 'data/d/1', path, class: 'data', ...(growing ? { growing: true } : {}) }],
  };
}

/** Copies a unit, and reads what was spooled. */
async function copyOf(unit: Unit, more: Partial<CopyUnit> = {}) {
  const copied = await copyUnit({
    unit,
    epoch: 1,
    source: scene.eastAccount,
    standby: scene.westAccount,
    previous: nothingOf(unit),
    suspects: { has: () => false },
    attempts: 3,
    limit: createLimiter(4),
    heartbeat: quiet,
    signal,
    ...more,
  });
  const blobs = (await Array.fromAsync(copied.blobs)).map(({ line }) => line);
  const fuzzy = await Array.fromAsync(copied.fuzzy);
  await Promise.all([copied.blobs.discard(), copied.fuzzy.discard()]);
  return { blobs, fuzzy, empty: copied.empty };
}

/** Calls `change` at each beat: while the unit is listed, and while it is copied. */
function changing(change: (time: number) => Promise<void>): CopyUnit['heartbeat'] {
  let time = 0;
  const beat = () => (++time > 20 ? Promise.resolve() : change(time));
  return { ...quiet, beat };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const put = (path: string, content: string) => upload(scene.eastAccount, scene.eastContainer, path, content);

describe('a unit that changes while it is copied', () => {
  it('is copied again until two listings agree', async () => {
    await put('u1/a', 'first');
    let changed = false;
    const heartbeat = changing(async () => {
      if (changed) return;
      changed = true;
      await put('u1/a', 'second');
    });
    const copied = await copyOf(unitAt('u1'), { heartbeat });
    expect(copied.fuzzy).toEqual([]);
    expect(copied.blobs).toMatchObject([{ path: 'u1/a', sha256: sha256('second'), sizeBytes: 6 }]);
    expect(await textOf(scene.westAccount, replicaContainer, copied.blobs[0]?.replica ?? '')).toBe('second');
  });

  it('is fuzzy after so many attempts, with what was copied and the etag that was last seen', async () => {
    await put('u2/steady', 'steady');
    await put('u2/busy', '0');
    const copied = await copyOf(unitAt('u2'), { heartbeat: changing((time) => put('u2/busy', `${time}`)) });
    expect(copied.fuzzy).toMatchObject([{ path: 'u2/busy', assets: ['data/d/1'] }]);
    expect(copied.blobs.map(({ path }) => path)).toContain('u2/steady');
    // A manifest never refers to what is not copied.
    for (const line of copied.blobs) {
      const content = await textOf(scene.westAccount, replicaContainer, line.replica);
      expect(sha256(content ?? '')).toBe(line.sha256);
    }
  });

  it('is not fuzzy because a blob is added to a folder that only grows', async () => {
    await put('u3/step-1', '1');
    const heartbeat = changing((time) => put(`u3/step-${time + 1}`, `${time}`));
    const copied = await copyOf(unitAt('u3', true), { heartbeat });
    // Named, so that nobody takes the checkpoint that they belong to for whole; no more than that.
    expect(copied.fuzzy.length).toBeGreaterThan(0);
    expect(copied.fuzzy.every(({ late, copied: has }) => late && !has)).toBe(true);
    expect(copied.blobs.map(({ path }) => path)).toContain('u3/step-1');
    await put('u4/a', '1');
    const steady = await copyOf(unitAt('u4'), {
      attempts: 1,
      heartbeat: changing((time) => put(`u4/more-${time}`, '')),
    });
    expect(steady.fuzzy.length).toBeGreaterThan(0);
  });

  it('says which places have nothing in them', async () => {
    expect((await copyOf(unitAt('u5'))).empty).toEqual([
      `data/d/1: nothing at ${scene.eastAccount.name}/${scene.eastContainer}/u5`,
    ]);
    expect((await copyOf(unitAt('u5', true))).empty).toEqual([]);
  });
});

describe('one blob', () => {
  const limits: CopyLimits = { wholeBytes: 10, blockBytes: 8 };
  const address = (account: BlobAccount, container: string, path: string) => ({ account, container, path });

  it('goes in blocks where it is large, keeping headers and metadata, and goes on where it was cut short', async () => {
    const content = 'a large blob, as large ones go here';
    await put('large', content);
    const source = address(scene.eastAccount, scene.eastContainer, 'large');
    const target = address(scene.westAccount, replicaContainer, 'large');
    const listed = await statBlob(source, signal);
    if (!listed) throw new Error('the blob is not there');
    let blocks = 0;
    const cut = new Error('killed');
    const request = { source, listed, target, signal, limits };
    await expect(
      copyBlob({ ...request, onBlock: () => (++blocks === 3 ? Promise.reject(cut) : Promise.resolve()) }),
    ).rejects.toThrow();
    expect(await textOf(scene.westAccount, replicaContainer, 'large')).toBeUndefined();
    let more = 0;
    const copied = await copyBlob({ ...request, onBlock: () => Promise.resolve(void more++) });
    expect([copied, more]).toEqual(['copied', Math.ceil(content.length / 8) - 3]);
    expect(await textOf(scene.westAccount, replicaContainer, 'large')).toBe(content);
    expect(await statBlob(target, signal)).toMatchObject({
      contentType: 'text/plain',
      metadata: { origin: 'test' },
    });
    expect(await copyBlob(request)).toBe('exists');
  });

  it('is not copied at another etag than the one listed, whole or in blocks', async () => {
    await put('moved', 'as it was listed');
    const source = address(scene.eastAccount, scene.eastContainer, 'moved');
    const listed = await statBlob(source, signal);
    if (!listed) throw new Error('the blob is not there');
    await put('moved', 'as it is now at last');
    const target = address(scene.westAccount, replicaContainer, 'moved');
    expect(await copyBlob({ source, listed, target, signal })).toBe('changed');
    expect(await copyBlob({ source, listed, target, signal, limits })).toBe('changed');
    expect(await statBlob(target, signal)).toBeUndefined();
  });

  it('is compared with its source, and removed where it is not equal', async () => {
    await put('precious', 'the truth');
    const source = address(scene.eastAccount, scene.eastContainer, 'precious');
    const listed = await statBlob(source, signal);
    if (!listed) throw new Error('the blob is not there');
    await upload(scene.westAccount, replicaContainer, 'damaged', 'the trash');
    const request = {
      source,
      listed,
      account: scene.westAccount,
      name: 'damaged',
      present: true,
      signal,
      beat: quiet.beat,
    };
    await expect(makeReplica(request)).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringContaining('is not equal to') as string,
    });
    expect(await textOf(scene.westAccount, replicaContainer, 'damaged')).toBeUndefined();
    expect(await makeReplica({ ...request, present: false })).toMatchObject({ sha256: sha256('the truth') });
  });

  it('is compared by reading the source where the service has no MD5 of it', async () => {
    const client = scene.eastAccount.container(scene.eastContainer).getBlockBlobClient('no-md5');
    await client.stageBlock(btoa('1'), 'some content', 12);
    await client.commitBlockList([btoa('1')]);
    const copied = await copyOf(unitAt('no-md5'));
    expect(copied.blobs).toMatchObject([
      { sha256: sha256('some content'), md5: createHash('md5').update('some content').digest('base64') },
    ]);
    expect(await hashBlob(address(scene.eastAccount, scene.eastContainer, 'no-md5'), { signal, etag: '0x0' })).toBe(
      'changed',
    );
    expect(await hashBlob(address(scene.eastAccount, scene.eastContainer, 'none'), { signal })).toBe('gone');
  });
});

describe('a run whose worker is killed again and again', () => {
  beforeAll(() => fill(scene), 60_000);

  const killed = new Error('killed');

  /**
   * Kills each attempt a few checkpoints later than the one before; time flies, so that there is a checkpoint at every
   * turn.
   */
  async function throughKills(
    run: KillableRun,
    id: string,
    action: ActionName,
    implementation: Action,
    input = {},
  ): Promise<{ result: StepResult; kills: number }> {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 20_000));
    for (let kills = 0; ; kills++) {
      run.checkpointsLeft = kills * 3;
      try {
        return { result: await run.test.step(id, action, implementation, input), kills };
      } catch (error) {
        if (error !== killed) throw error;
      }
    }
  }

  interface KillableRun {
    test: TestRun;
    checkpointsLeft: number;
  }

  function killable(options: Parameters<Scene['run']>[0]): KillableRun {
    const self: KillableRun = {
      checkpointsLeft: 0,
      test: scene.run({
        ...options,
        onCheckpoint: () => {
          if (self.checkpointsLeft-- <= 0) throw killed;
        },
      }),
    };
    return self;
  }

  it('seals the same recovery point as one that is left in peace, and restores it whole', async () => {
    const topology = { artifacts: { ...artifacts, concurrency: 2 } };
    const replicating = killable({ topology });
    const kills: number[] = [];
    for (const [id, action, implementation] of [
      ['list', 'listActive', listActive],
      ['copy', 'copyBlobs', copyBlobs],
    ] as const) {
      kills.push((await throughKills(replicating, id, action, implementation)).kills);
    }
    vi.restoreAllMocks();
    replicating.checkpointsLeft = Number.POSITIVE_INFINITY;
    const { ref } = await replicate(replicating.test);
    const peaceful = await replicate(scene.run({ topology }));
    expect(Math.min(...kills)).toBeGreaterThan(3);

    const lines = await linesOf(ref.id);
    expect(new Set(lines.map(({ path, container }) => `${container}/${path}`)).size).toBe(lines.length);
    const expected = await linesOf(peaceful.ref.id);
    expect(lines.map(({ path, sha256: digest }) => [path, digest])).toEqual(
      expected.map(({ path, sha256: digest }) => [path, digest]),
    );
    expect(peaceful.copy.detail).toMatch(/^0 blobs copied/);

    const failing = killable({ operation: 'failover', recoveryPoint: ref, topology });
    const blobs = await throughKills(failing, 'blobs', 'restoreBlobs', restoreBlobs);
    expect(blobs.result.counts).toEqual([{ kind: 'blobs', expected: 19, done: 19, skipped: [], failed: [] }]);
    const assets = await throughKills(failing, 'assets', 'restoreAssets', restoreAssets, {
      types: ['codes', 'environments', 'models'],
    });
    expect(assets.result.counts?.map(({ kind, done, expected: all }) => [kind, done, all])).toContainEqual([
      'models',
      4,
      5, // one is beyond the topology's number of versions
    ]);
    const verified = await throughKills(failing, 'verify', 'reconcileBlobs', reconcileBlobs);
    expect(verified.result.counts?.[0]).toMatchObject({ expected: 19, done: 19 });
    expect(Math.min(blobs.kills, assets.kills, verified.kills)).toBeGreaterThan(1);
  });

  it('ends right although answers fail and are lost on both sides', async () => {
    const { faults } = scene.fixture.running;
    const test = scene.run({ topology: { artifacts } });
    const steady = async (id: string, action: ActionName, implementation: Action, input = {}): Promise<StepResult> => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await test.step(id, action, implementation, input);
        } catch (error) {
          if (attempt >= 40 || !isUnderstudyError(error) || !error.retryable) throw error;
        }
      }
    };
    await put('data/transactions/part-5.csv', 'new');
    faults.set('eastus', { errorRate: 0.04 });
    faults.set('westus3', {
      errorRate: 0.04,
      dropNextAnswer: [{ method: 'PUT', path: 'understudy-replica/epochs' }],
    });
    await steady('list', 'listActive', listActive);
    await steady('copy', 'copyBlobs', copyBlobs);
    faults.set('eastus', {});
    faults.set('westus3', {});
    const { ref } = await replicate(test);
    expect((await linesOf(ref.id)).find(({ path }) => path.endsWith('part-5.csv'))?.sha256).toBe(sha256('new'));

    const failover = scene.run({ operation: 'failover', recoveryPoint: ref, topology: { artifacts } });
    faults.set('westus3', {
      dropNextAnswer: [
        { method: 'PUT', path: 'data/transactions/part-5' },
        { method: 'PUT', path: '/models/fraud/versions/' },
      ],
    });
    const retrying = async (id: string, action: ActionName, implementation: Action, input = {}) => {
      try {
        return await failover.step(id, action, implementation, input);
      } catch (error) {
        expect(error).toMatchObject({ code: 'AzureUnavailable' });
        return failover.step(id, action, implementation, input);
      }
    };
    expect((await retrying('blobs', 'restoreBlobs', restoreBlobs)).counts?.[0]).toMatchObject({
      done: 19,
      failed: [],
      skipped: [],
    });
    expect((await retrying('assets', 'restoreAssets', restoreAssets, { types: ['models'] })).counts?.[0]).toMatchObject(
      { done: 4, failed: [] },
    );
    faults.set('westus3', {});
    await failover.step('verify', 'reconcileBlobs', reconcileBlobs);
    await failover.step('verify-assets', 'reconcileAssets', reconcileAssets, { types: ['models'] });
  });

  it('seals once: a late writer alters nothing', async () => {
    const late = scene.run({ topology: { artifacts } });
    const { ref } = await replicate(late);
    const before = await openRecoveryPoint(scene.store, ref.id);
    await put('models/fraud-3/model.pkl', 'model 3, trained again');
    // The same run again, as a worker does that has not heard that it is over.
    await late.step('list', 'listActive', listActive);
    await late.step('copy', 'copyBlobs', copyBlobs);
    await late.step('seal', 'sealRecoveryPoint', sealRecoveryPoint);
    expect(await openRecoveryPoint(scene.store, ref.id)).toEqual(before);
    const line = (await linesOf(ref.id)).find(({ path }) => path === 'models/fraud-3/model.pkl');
    expect(await textOf(scene.westAccount, replicaContainer, line?.replica ?? '')).toBe('model 3');
  });

  it('writes under its own epoch, which a newer one comes before', async () => {
    const { ref: second } = await replicate(scene.run({ topology: { artifacts }, epoch: 2 }));
    const { ref: fenced } = await replicate(scene.run({ topology: { artifacts }, epoch: 1 }));
    const { sealed } = await listRecoveryPoints(scene.store);
    expect(sealed[0]?.ref).toEqual(second);
    expect(sealed.findIndex(({ ref }) => ref.id === fenced.id)).toBeGreaterThan(0);
    const names = await Array.fromAsync(listBlobs(scene.westAccount, replicaContainer, 'epochs/2', signal));
    // What an earlier epoch has copied is used: only what has changed since is copied.
    expect(names.map(({ path }) => path.split('/').slice(-3, -1).join('/'))).toEqual(['fraud-3/model.pkl']);
  });

  it('refuses to replicate into a workspace that is not there', async () => {
    await scene.azure.arm.remove(`${scene.west}?forceToPurge=true`, apiVersions.machineLearning);
    const test = scene.run({ topology: { artifacts } });
    await test.step('list', 'listActive', listActive);
    await expect(test.step('copy', 'copyBlobs', copyBlobs)).rejects.toMatchObject({
      code: 'PreconditionError',
      message: 'workspace "fraud-west" in westus3 does not exist',
    });
  });
});

async function linesOf(id: string): Promise<BlobLine[]> {
  const { sealed } = await openRecoveryPoint(scene.store, id);
  return Array.fromAsync(readPart(scene.store, sealed, 'blobs'));
}
