/** The copying of a checkpoint to the folder of a successor, on the local Azure: killed, doubled and misled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBlobs } from '../../src/azure/storage/blobs.ts';
import { replicaContainer } from '../../src/recovery-point/manifest.ts';
import { openRecoveryPoint, readPart } from '../../src/recovery-point/recovery-point.ts';
import { copyCheckpoints } from '../../src/checkpoints/copy-checkpoints.ts';
import { openStandby } from '../../src/standby/standby.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { replicate, textOf, upload, type Scene } from '../recovery-point/scene.ts';
import { digestsOf, entryOf, sha256, startTraining } from './training.ts';

describe('the copying of a checkpoint', () => {
  let scene: Scene;
  let ref: RecoveryPointRef;
  let context: StepContext;
  let entry: LedgerEntry;
  const bringTo = async (successor: string, beat: () => Promise<void> = () => Promise.resolve()) => {
    if (!entry.checkpoint) throw new Error('the ledger has no checkpoint');
    return copyCheckpoints(context, await openStandby(context), [entry])({
      checkpoint: entry.checkpoint,
      successor,
      beat,
    });
  };
  const folderOf = (successor: string) => checkpointFolder(successor, ref.id);

  const inWest = (path: string, content: string) => upload(scene.westAccount, scene.westContainer, path, content);

  beforeAll(async () => {
    scene = await startTraining();
    ({ ref } = await replicate(scene.run()));
    const found = await entryOf(scene, ref, 'train');
    if (!found) throw new Error('the ledger has no job');
    entry = found;
    const run = scene.run({ operation: 'failover', recoveryPoint: ref });
    context = run.context({
      id: 'x',
      class: 'training',
      action: 'resubmitJobs',
      title: '',
      needs: [],
      input: {},
      undoable: false,
    });
  }, 120_000);
  afterAll(() => scene?.close());

  it('a kill at any moment leaves nothing doubled, and the next attempt ends it', async () => {
    let kills = 0;
    const etags = new Map<string, string>();
    for (let at = 1; at < 40; at++) {
      let beats = 0;
      const result = await bringTo('us-killed', () =>
        ++beats === at ? Promise.reject(new Error('killed')) : Promise.resolve(),
      ).catch((error: Error) => error.message);
      for await (const { path, etag } of listBlobs(
        scene.westAccount,
        scene.westContainer,
        folderOf('us-killed'),
        context.signal,
      )) {
        // What an earlier attempt has copied is never written again.
        expect(etags.get(path) ?? etag).toBe(etag);
        etags.set(path, etag);
      }
      if (result !== 'killed') break;
      kills++;
    }
    expect(kills).toBeGreaterThan(5);
    expect(await bringTo('us-killed')).toMatchObject({
      files: 3,
      uri: expect.stringContaining(folderOf('us-killed')) as string,
    });
    expect(etags.size).toBe(3);
  });

  it('two at once agree', async () => {
    const both = await Promise.all([bringTo('us-both'), bringTo('us-both')]);
    expect(both[0]).toEqual(both[1]);
    expect(both[0]).toMatchObject({ files: 3 });
  });

  it('other content in the folder is neither used nor replaced', async () => {
    await inWest(`${folderOf('us-taken')}/step-1.json`, 'step x');
    await inWest(`${folderOf('us-taken')}/extra.json`, 'x');
    const result = await bringTo('us-taken');
    expect(result).toEqual({
      files: 2,
      missing: `extra.json: another process put it into ${folderOf('us-taken')} (and 1 more)`,
    });
    expect(await textOf(scene.westAccount, scene.westContainer, `${folderOf('us-taken')}/step-1.json`)).toBe('step x');
  });

  it('a replica that was altered or is gone is found out', async () => {
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    const lines = await Array.fromAsync(readPart(scene.store, sealed, 'blobs'));
    const replicaOf = (end: string) => lines.find(({ path }) => path.endsWith(end))?.replica ?? '';
    await upload(scene.westAccount, replicaContainer, replicaOf('step-1.json'), 'step 7');
    const altered = await bringTo('us-altered');
    expect(altered).toMatchObject({
      files: 2,
      missing: `step-1.json: sha256 ${sha256('step 7')}, expected ${sha256('step 1')}`,
    });
    await scene.westAccount.container(replicaContainer).getBlobClient(replicaOf('step-2.json')).delete();
    expect(await bringTo('us-gone')).toMatchObject({
      files: 1,
      missing: `step-1.json: sha256 ${sha256('step 7')}, expected ${sha256('step 1')} (and 1 more)`,
    });
  });

  it('a checkpoint of which the recovery point has too little is not brought at all', async () => {
    const less = {
      ...entry,
      checkpoint: { ...(entry.checkpoint as NonNullable<LedgerEntry['checkpoint']>), files: 4 },
    };
    const result = await copyCheckpoints(context, await openStandby(context), [less])({
      checkpoint: less.checkpoint,
      successor: 'us-less',
      beat: () => Promise.resolve(),
    });
    expect(result).toEqual({ files: 0, missing: `recovery point ${ref.id} has 3 of its 4 files` });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folderOf('us-less'))).toEqual({});
  });
});
