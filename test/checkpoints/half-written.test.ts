/**
 * A training that writes a checkpoint while a recovery point is taken, on the local Azure: half of one is nowhere taken
 * for one.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRecoveryPoint, readPart } from '../../src/recovery-point/recovery-point.ts';
import { copyCheckpoints } from '../../src/checkpoints/copy-checkpoints.ts';
import { openStandby } from '../../src/standby/standby.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { TopologyInput } from '../../src/topology/topology.ts';
import { replicate, upload, type Scene } from '../recovery-point/scene.ts';
import { digestsOf, entryOf, startTraining } from './training.ts';

const size = 20_000;

describe('a training in the midst of a checkpoint', () => {
  let scene: Scene;
  const write = async (step: number, ...files: string[]) => {
    for (const file of files)
      await upload(
        scene.eastAccount,
        scene.eastContainer,
        `checkpoints/train/checkpoint-${step}/${file}`,
        file.repeat(size),
      );
  };
  const point = async (
    more: Partial<NonNullable<NonNullable<TopologyInput['jobs']>['checkpoint']>> = {},
    onCheckpoint: () => Promise<void> = () => Promise.resolve(),
  ): Promise<{ ref: RecoveryPointRef; entry: LedgerEntry }> => {
    const { ref } = await replicate(scene.run({ topology: { jobs: { checkpoint: more } }, onCheckpoint }));
    const entry = await entryOf(scene, ref, 'train');
    if (!entry) throw new Error('the ledger has no job');
    return { ref, entry };
  };

  beforeAll(async () => {
    scene = await startTraining();
    await write(10, 'model.bin', 'optimizer.bin', 'state.json');
    await write(20, 'model.bin');
    // A request that a drain could not take back is no file of a checkpoint.
    await upload(scene.eastAccount, scene.eastContainer, 'checkpoints/train/checkpoint-now', '{}');
  }, 120_000);
  afterAll(() => scene?.close());

  it('has the one before in the ledger, and brings that alone to its successor', async () => {
    const { ref, entry } = await point();
    expect(entry).toMatchObject({
      gpus: 0,
      checkpoint: {
        name: 'checkpoint-10',
        lastFile: 'checkpoint-10/state.json',
        // Of checkpoint-10, and the three that are no part of any.
        files: 6,
        leave: ['checkpoint-20'],
      },
      passedOver: {
        name: 'checkpoint-20',
        why: expect.stringContaining('it lacks files that "checkpoint-10" has'),
      },
    });
    const written = Date.parse(entry.checkpoint?.writtenAt ?? '');
    expect(written).toBeLessThanOrEqual(Date.parse(ref.startedAt));
    const run = scene.run({ operation: 'failover', recoveryPoint: ref });
    const step = {
      id: 'x',
      class: 'training',
      action: 'resubmitJobs',
      title: '',
      needs: [],
      input: {},
      undoable: false,
    } as const;
    const context = run.context({ ...step, needs: [] });
    const bring = copyCheckpoints(context, await openStandby(context), [entry]);
    if (!entry.checkpoint) throw new Error('the ledger has no checkpoint');
    const brought = await bring({
      checkpoint: entry.checkpoint,
      successor: 'us-1',
      beat: () => Promise.resolve(),
    });
    expect(brought).toMatchObject({
      files: 6,
      uri: expect.stringContaining(checkpointFolder('us-1', ref.id)),
    });
    const there = await digestsOf(scene.westAccount, scene.westContainer, checkpointFolder('us-1', ref.id));
    expect(Object.keys(there).toSorted()).toEqual([
      'checkpoint-10/model.bin',
      'checkpoint-10/optimizer.bin',
      'checkpoint-10/state.json',
      'deep/optimizer.bin',
      'step-1.json',
      'step-2.json',
    ]);
  });

  it('has the new one once that is whole by its last file, by a quiet time, or because the next is begun', async () => {
    await write(20, 'optimizer.bin', 'state.json');
    expect((await point()).entry.checkpoint?.name).toBe('checkpoint-10');
    const { entry } = await point({ complete: '*/state.json' });
    expect(entry.checkpoint?.name).toBe('checkpoint-20');
    expect(entry).not.toHaveProperty('passedOver');
    await new Promise((done) => setTimeout(done, 2100));
    expect((await point({ quiet: '1s' })).entry.checkpoint?.name).toBe('checkpoint-20');
    await write(30, 'model.bin');
    expect((await point()).entry.checkpoint).toMatchObject({
      name: 'checkpoint-20',
      leave: ['checkpoint-30'],
    });
  });

  it('that adds a file to one while its folder is copied is not taken at its word, and the file is named', async () => {
    await write(30, 'optimizer.bin', 'state.json');
    let written = 0;
    // Every sign of life is given, however soon it follows the one before.
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 2000));
    const { ref, entry } = await point({ quiet: '1s' }, async () => {
      if (written < 50) await write(30, `shard-${written++}.bin`);
    });
    clock.mockRestore();
    expect(entry.checkpoint?.name).toBe('checkpoint-20');
    expect(entry.passedOver).toEqual({
      name: 'checkpoint-30',
      why: 'it was being written while it was copied',
    });
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    const lines = await Array.fromAsync(readPart(scene.store, sealed, 'fuzzy'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every(({ late, path }) => late && path.includes('/checkpoint-30/'))).toBe(true);
    expect(sealed.summary.fuzzy).toBe(0);
  });
});
