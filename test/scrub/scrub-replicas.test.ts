/**
 * Replicas that are damaged after they were made: found, repaired while the source lives, or marked and said, on the
 * local Azure.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownDamage } from '../../src/recovery-point/damage.ts';
import { folderOf, replicaContainer, type BlobLine } from '../../src/recovery-point/manifest.ts';
import { openRecoveryPoint, readPart } from '../../src/recovery-point/recovery-point.ts';
import { reportDamage } from '../../src/scrub/report-damage.ts';
import { changeScrubLedger } from '../../src/recovery-point/scrub-ledger.ts';
import { scrubReplicas } from '../../src/scrub/scrub-replicas.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
  await upload(scene.eastAccount, scene.eastContainer, 'loans/a.csv', 'the first loans');
  await upload(scene.eastAccount, scene.eastContainer, 'loans/deep/b.csv', 'the second loans');
  await upload(scene.eastAccount, scene.eastContainer, 'model/model.pkl', 'the weights');
  await scene.fixture.put(`${scene.east}/data/loans/versions/1`, {
    properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/loans' },
  });
  await scene.fixture.put(`${scene.east}/models/fraud/versions/1`, {
    properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/model' },
  });
}, 120_000);

afterAll(() => scene?.close());

/** Everything is read again each time; but for `calm`, nothing but what falls due. */
const always = { policies: { scrubPeriod: '1s' } };
const calm = { policies: { scrubPeriod: '365d' } };

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const contentOf = ({ replica }: BlobLine) => textOf(scene.westAccount, replicaContainer, replica);
const scrub = (run: TestRun) => run.step('scrub', 'scrubReplicas', scrubReplicas);

async function lineOf(id: string, path: string): Promise<BlobLine> {
  const { sealed } = await openRecoveryPoint(scene.store, id);
  for await (const line of readPart(scene.store, sealed, 'blobs')) if (line.path === path) return line;
  throw new Error(`recovery point ${id} has no ${path}`);
}

/** Writes over a replica, with one byte changed. */
async function flipByte(line: BlobLine): Promise<string> {
  const text = (await contentOf(line)) ?? '';
  const flipped = `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(text.length - 1) ^ 1)}`;
  await upload(scene.westAccount, replicaContainer, line.replica, flipped);
  return flipped;
}

/** The same, as decay does it: what the service says of the blob stays as it was. */
async function decay(line: BlobLine): Promise<string> {
  const flipped = await flipByte(line);
  await scene.westAccount
    .container(replicaContainer)
    .getBlobClient(line.replica)
    .setHTTPHeaders({ blobContentType: 'text/plain', blobContentMD5: Buffer.from(line.md5, 'base64') });
  return flipped;
}

async function later(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

const damage = (run: TestRun, more: Partial<StepContext> = {}) =>
  run.step('damage', 'reportDamage', (context) => reportDamage({ ...context, ...more }));

describe('a damaged replica', () => {
  it('is found by reading it in its turn, and repaired from its source', async () => {
    const { ref } = await replicate(scene.run({ topology: always }));
    const line = await lineOf(ref.id, 'loans/a.csv');
    await decay(line);
    await later();
    const run = scene.run({ topology: always });
    const result = await scrub(run);
    expect(result.detail).toMatch(/^3 copies \(\d+ B\) read: 2 as sealed, 1 repaired$/);
    expect(result.counts).toEqual([{ kind: 'copies', expected: 3, done: 3, skipped: [], failed: [] }]);
    expect(result.lost).toBeUndefined();
    expect(sha256((await contentOf(line)) ?? '')).toBe(line.sha256);
    expect((await damage(run)).detail).toBe('no copy is known to be damaged');
  });

  it('is repaired where it is gone', async () => {
    const { ref } = await replicate(scene.run({ topology: always }));
    const line = await lineOf(ref.id, 'loans/deep/b.csv');
    await scene.westAccount.container(replicaContainer).getBlobClient(line.replica).delete();
    await later();
    expect((await scrub(scene.run({ topology: always }))).detail).toContain('2 as sealed, 1 repaired');
    expect(await contentOf(line)).toBe('the second loans');
    const properties = await scene.westAccount.container(replicaContainer).getBlobClient(line.replica).getProperties();
    expect(properties).toMatchObject({ contentType: 'text/plain', metadata: { origin: 'test' } });
  });

  it('that was written over is not taken over by the next recovery point, whether it is its turn or not', async () => {
    const { ref } = await replicate(scene.run({ topology: calm }));
    const line = await lineOf(ref.id, 'model/model.pkl');
    await flipByte(line);
    const run = scene.run({ topology: calm });
    expect((await scrub(run)).detail).toMatch(/^0 copies/);
    const next = await replicate(run);
    expect(next.copy.detail).toMatch(/^1 blob copied \(11 B\), 2 in the standby already/);
    expect(await lineOf(next.ref.id, 'model/model.pkl')).toEqual(line);
    expect(await contentOf(line)).toBe('the weights');
  });

  it('is repaired with the headers that were sealed, where only those of its source have changed', async () => {
    const { ref } = await replicate(scene.run({ topology: always }));
    const line = await lineOf(ref.id, 'model/model.pkl');
    await decay(line);
    const source = scene.eastAccount.container(scene.eastContainer).getBlobClient('model/model.pkl');
    await source.setMetadata({ origin: 'somewhere else' });
    await later();
    expect((await scrub(scene.run({ topology: always }))).detail).toContain('1 repaired');
    const replica = scene.westAccount.container(replicaContainer).getBlobClient(line.replica);
    expect(await replica.getProperties()).toMatchObject({ metadata: { origin: 'test' } });
    expect(await contentOf(line)).toBe('the weights');
  });
});

describe('a damaged replica whose source has changed', () => {
  let line: BlobLine;
  let flipped: string;
  let first: string;

  beforeAll(async () => {
    first = (await replicate(scene.run({ topology: always }))).ref.id;
    line = await lineOf(first, 'loans/a.csv');
    flipped = await decay(line);
    await upload(scene.eastAccount, scene.eastContainer, 'loans/a.csv', 'quite other loans');
    await later();
  });

  it('is marked, and said first: what is wrong, why it stays so, and who relies on it', async () => {
    const run = scene.run({ topology: always });
    const result = await scrub(run);
    expect(result.counts?.[0]?.failed).toEqual([{ reason: 'damaged, and not repaired', count: 1 }]);
    const [said = ''] = result.lost ?? [];
    expect(said).toContain(`${scene.eastAccount.name}/${scene.eastContainer}/loans/a.csv (data/loans/1)`);
    expect(said).toContain(`sha256 ${sha256(flipped)}, expected sha256 ${line.sha256}`);
    expect(said).toContain(`its source has other content now (sha256 ${sha256('quite other loans')})`);
    expect(said).toContain(first);
    expect(await knownDamage(scene.store)).toMatchObject({
      replicas: { count: 1, accepted: 0 },
      examples: [{ line: { replica: line.replica, assets: ['data/loans/1'] }, recoveryPoints: { last: first } }],
    });
    const next = await replicate(run);
    expect(await contentOf(await lineOf(next.ref.id, 'loans/a.csv'))).toBe('quite other loans');
  });

  it('fails each later replication after its recovery point is sealed, until its loss is accepted', async () => {
    const run = scene.run({ topology: calm });
    await scrub(run);
    const { ref } = await replicate(run);
    await expect(damage(run)).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringContaining(`1 copy is damaged for good: copy of `) as string,
      details: {
        next: expect.stringContaining(`understudy retry ${run.runId} --accept-loss damage`) as string,
      },
    });
    expect((await openRecoveryPoint(scene.store, ref.id)).sealed.summary.blobs).toBe(3);
    const accepted = await damage(run, { acceptedLoss: { reason: 'loans of 2019', by: 'ana' } });
    expect(accepted.detail).toBe('1 copy is damaged for good: accepted as lost by ana: loans of 2019');
    expect(accepted.lost?.[0]).toContain('loans/a.csv');
    // An attempt that was killed once it had accepted says it again.
    const again = await damage(run, { acceptedLoss: { reason: 'loans of 2019', by: 'ana' } });
    expect(again.lost?.[0]).toMatch(/loans\/a\.csv.*accepted by ana: loans of 2019/);
    const later = scene.run({ topology: calm });
    expect(await scrub(later)).not.toHaveProperty('lost');
    expect((await damage(later)).detail).toContain('accepted as lost');
  });

  it('is marked no more once it is whole again', async () => {
    await upload(scene.westAccount, replicaContainer, line.replica, 'the first loans');
    const result = await scrub(scene.run({ topology: calm }));
    expect(result.detail).toMatch(/^1 copy \(15 B\) read: 1 as sealed, 0 repaired$/);
    expect(await knownDamage(scene.store)).toMatchObject({ replicas: { count: 0 }, points: [] });
  });
});

/** Dies at the n-th write. */
function killing(store: StepContext['store'], writes: number, before: boolean): StepContext['store'] {
  let left = writes;
  const at = async <T>(work: () => Promise<T>): Promise<T> => {
    const dies = --left === 0;
    if (dies && before) throw new Error('killed');
    const result = await work();
    if (dies) throw new Error('killed');
    return result;
  };
  return {
    ...store,
    swap: (...given) => at(() => store.swap(...given)),
    seal: (...given) => at(() => store.seal(...given)),
  };
}

describe('the scrub', () => {
  it('goes on where it was killed before or after a write to the control store, and counts each copy once', async () => {
    const { ref } = await replicate(scene.run({ topology: always }));
    const line = await lineOf(ref.id, 'model/model.pkl');
    await later();
    for (let writes = 1; ; writes++) {
      await decay(line);
      const run = scene.run({ topology: always });
      const killed = await run
        .step('scrub', 'scrubReplicas', (context) =>
          scrubReplicas({
            ...context,
            store: killing(context.store, Math.ceil(writes / 2), writes % 2 === 0),
          }),
        )
        .then(
          () => false,
          () => true,
        );
      const result = await scrub(run);
      // Two versions of two blobs, and one more.
      expect(result.counts).toEqual([{ kind: 'copies', expected: 5, done: 5, skipped: [], failed: [] }]);
      expect(await contentOf(line)).toBe('the weights');
      await later();
      if (!killed) break;
    }
  });

  it('finds parts of manifests that are missing or altered', async () => {
    const { ref } = await replicate(scene.run({ topology: always }));
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    await scrub(scene.run({ topology: always }));
    const part = sealed.parts.find(({ kind }) => kind === 'datastores');
    const name = `${folderOf(sealed.epoch, sealed.id)}/${part?.name}`;
    const text = (await scene.store.readText(name)) ?? '';
    await scene.store.write(name, text.replace('workspaceblobstore', 'workspaceblobsture'), '');
    await later();
    const run = scene.run({ topology: always });
    const result = await scrub(run);
    expect(result.lost).toEqual([
      expect.stringContaining(`recovery point ${ref.id} is damaged: part "${part?.name}"`) as string,
    ]);
    expect((await knownDamage(scene.store)).points).toMatchObject([{ id: ref.id, accepted: false }]);
    await expect(damage(run)).rejects.toThrow('parts of 1 recovery point are missing or altered');
    await scene.store.write(name, text, '');
    await later();
    expect(await scrub(scene.run({ topology: always }))).not.toHaveProperty('lost');
    expect((await knownDamage(scene.store)).points).toEqual([]);
  });

  it('begins again where its ledger is altered, and says so', async () => {
    const ledger = 'replicas/scrub.json';
    await scene.store.write(ledger, '{"version":1,"points":[],"lists":[]}', 'application/json');
    const result = await scrub(scene.run({ topology: always }));
    expect(result.lost?.[0]).toContain(`ledger of the scrub "${ledger}"`);
    expect((await scrub(scene.run({ topology: always }))).detail).toMatch(/^5 copies .* 5 as sealed/);
  });

  it('begins again where a list of another release is in its ledger, and says so', async () => {
    await scrub(scene.run({ topology: always }));
    await later();
    const { store } = scene;
    const other = await store.seal('replicas/lists', { lines: [], version: 9, release: '0.9.0' });
    await changeScrubLedger(store, ({ lists }) => {
      for (const each of lists) each.digest = other;
    });
    const { lost } = await scrub(scene.run({ topology: always }));
    expect(lost?.[0]).toContain(`list of copies "replicas/lists/${other}.json": expected version 1`);
    expect((await scrub(scene.run({ topology: always }))).detail).toMatch(/^5 copies .* 5 as sealed/);
  });

  it('is not done where the topology says so', async () => {
    const off = await scrub(scene.run({ topology: { policies: { scrubPeriod: 'off' } } }));
    expect(off).toEqual({ state: 'skipped', detail: expect.stringContaining('"off"') as string });
  });

  it('stops after its time, and says what it leaves', async () => {
    await later();
    const run = scene.run({ topology: always });
    let now = Date.now();
    const slow = await run.step('scrub', 'scrubReplicas', (context) =>
      scrubReplicas({ ...context, now: () => new Date((now += 20 * 60_000)) }),
    );
    expect(slow.detail).toMatch(/left to the next time/);
    expect(slow.lost?.join()).toContain('longer ago than policies.scrubPeriod');
  });
});
