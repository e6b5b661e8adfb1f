/**
 * A job that goes to and fro on the local Azure, while its origin runs on unseen: each successor goes on from exactly
 * the checkpoint of its predecessor, in a folder that nobody else writes to.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actions } from '../../src/actions.ts';
import { listBlobs } from '../../src/azure/storage/blobs.ts';
import { apiVersions, type ArmResource } from '../../src/azure/azure.ts';
import { parseAzureMlUri } from '../../src/azure/ids.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import { successorName } from '../../src/ledger/ledger.ts';
import type { JobRecord } from '../../src/jobs/job-record.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { replicate, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';
import { digestsOf, entryOf, firstCheckpoint, sha256, startTraining } from './training.ts';

const lineage = 'eastus.fraud-east.train';
const names = [1, 2, 3].map((hop) => successorName(lineage, hop)) as [string, string, string];
const hopPath = (hop: number) => `checkpoints/train/${names[hop - 1]}-hop-${hop}`;

let scene: Scene;
/** Of each move: the recovery point, and its run. */
const points: RecoveryPointRef[] = [];
const runs: TestRun[] = [];

beforeAll(async () => {
  scene = await startTraining();
}, 120_000);

afterAll(() => scene?.close());

const inEast = (path: string, content: string) => upload(scene.eastAccount, scene.eastContainer, path, content);
const inWest = (path: string, content: string) => upload(scene.westAccount, scene.westContainer, path, content);

/** Takes a recovery point of one side, and moves to the other as a plan would. */
async function takePoint(back: boolean): Promise<RecoveryPointRef> {
  const { ref } = await replicate(scene.run({ back }));
  points.push(ref);
  return ref;
}

async function move(back: boolean, recoveryPoint: RecoveryPointRef): Promise<JobRecord[]> {
  const run = scene.run({ back, operation: 'failover', recoveryPoint });
  runs.push(run);
  for (const name of ['restoreBlobs', 'restoreAssets', 'reconcileBlobs', 'resubmitJobs'] as const)
    await run.step(name, name, actions[name]);
  const [evidence] = run.outcomes.get('resubmitJobs')?.evidence ?? [];
  return JSON.parse(scene.store.documents.get(evidence?.blob ?? '')?.text ?? '[]') as JobRecord[];
}

const outcome = (id: string) => runs.at(-1)?.outcomes.get(id);
const job = (workspace: string, name: string): Promise<ArmResource> =>
  scene.azure.arm.get(`${workspace}/jobs/${name}`, apiVersions.machineLearning);
/** Paths below the default container that a job reads its checkpoint from, and writes it to. */
function pathsOf({ properties }: ArmResource): { from: string; to: string } {
  const { inputs, outputs } = properties as {
    inputs: { resume_from: { uri: string } };
    outputs: { checkpoints: { uri: string } };
  };
  const pathOf = (uri: string) => {
    const target = parseAzureMlUri(uri)?.target;
    return target?.kind === 'datastore' ? target.path.replace(/\/$/, '') : uri;
  };
  return { from: pathOf(inputs.resume_from.uri), to: pathOf(outputs.checkpoints.uri) };
}

describe('out, with the origin running on unseen', () => {
  it('the successor goes on from what the recovery point has', async () => {
    const ref = await takePoint(false);
    await inEast('checkpoints/train/step-2.json', 'step 2 of the fork');
    await inEast('checkpoints/train/step-3.json', 'step 3 of the fork');
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    const [record] = await move(false, ref);
    const folder = checkpointFolder(names[0], ref.id);
    expect(record).toMatchObject({
      old: 'train',
      new: names[0],
      class: 'resubmit',
      files: { expected: 3, done: 3 },
    });
    expect(record?.checkpoint).toContain(`/datastores/workspaceblobstore/paths/${folder}/`);
    expect(pathsOf(await job(scene.west, names[0]))).toEqual({ from: folder, to: hopPath(1) });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folder)).toEqual(firstCheckpoint);
  });

  it('nothing is brought to the path of the origin, and counts say no more than was done', async () => {
    expect(await digestsOf(scene.westAccount, scene.westContainer, 'checkpoints')).toEqual({});
    expect(outcome('restoreBlobs')?.state).toBe('skipped');
    expect(outcome('reconcileBlobs')?.state).toBe('skipped');
    expect(outcome('resubmitJobs')?.counts).toEqual([
      { kind: 'jobs', expected: 1, done: 1, skipped: [], failed: [] },
      { kind: 'checkpoint files', expected: 3, done: 3, skipped: [], failed: [] },
    ]);
  });

  it('run again, it copies and submits nothing', async () => {
    const etags = async () =>
      (
        await Array.fromAsync(
          listBlobs(scene.westAccount, scene.westContainer, 'understudy', new AbortController().signal),
        )
      ).map(({ path, etag }) => `${path} ${etag}`);
    const before = await etags();
    const first = runs.at(-1)?.outcomes.get('resubmitJobs');
    const again = await runs.at(-1)?.step('resubmitJobs', 'resubmitJobs', actions.resubmitJobs);
    expect(again).toEqual(first);
    expect(await etags()).toEqual(before);
  });
});

describe('back, where the origin has written another history', () => {
  it('the successor of the successor goes on from exactly what that wrote', async () => {
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'none' });
    await inWest(`${hopPath(1)}/step-3.json`, 'step 3 of hop 1');
    await inWest(`${hopPath(1)}/step-4.json`, 'step 4 of hop 1');
    await inEast('checkpoints/train/step-9.json', 'step 9 of the fork');
    const ref = await takePoint(true);
    expect((await entryOf(scene, ref, names[0]))?.checkpoint).toMatchObject({
      path: hopPath(1),
      lastFile: 'step-4.json',
      files: 2,
    });
    const [record] = await move(true, ref);
    const folder = checkpointFolder(names[1], ref.id);
    expect(record).toMatchObject({ old: names[0], new: names[1], class: 'resubmit', hop: 2 });
    expect(pathsOf(await job(scene.east, names[1]))).toEqual({ from: folder, to: hopPath(2) });
    expect(await digestsOf(scene.eastAccount, scene.eastContainer, folder)).toEqual({
      'step-3.json': sha256('step 3 of hop 1'),
      'step-4.json': sha256('step 4 of hop 1'),
    });
  });

  it('the other history stays as it is', async () => {
    expect(
      Object.keys(await digestsOf(scene.eastAccount, scene.eastContainer, 'checkpoints/train')).toSorted(),
    ).toEqual(['deep/optimizer.bin', 'step-1.json', 'step-2.json', 'step-3.json', 'step-9.json']);
    for (const step of ['restoreBlobs', 'reconcileBlobs', 'resubmitJobs'])
      expect(outcome(step)?.lost ?? []).toEqual([]);
  });
});

describe('out again, before the successor has written anything', () => {
  it('no progress is lost: it goes on from what that was given, and the origin is not run beside it', async () => {
    const ref = await takePoint(false);
    const given = checkpointFolder(names[1], points[1]?.id ?? '');
    expect((await entryOf(scene, ref, names[1]))?.checkpoint).toMatchObject({
      path: given,
      lastFile: 'step-4.json',
      files: 2,
    });
    expect((await entryOf(scene, ref, 'train'))?.checkpoint?.path).toBe('checkpoints/train');
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    const records = await move(false, ref);
    expect(new Map(records.map(({ old, new: to, class: of }) => [old, [to, of]]))).toEqual(
      new Map([
        ['train', [undefined, 'skip']],
        [names[1], [names[2], 'resubmit']],
      ]),
    );
    const folder = checkpointFolder(names[2], ref.id);
    expect(pathsOf(await job(scene.west, names[2]))).toEqual({ from: folder, to: hopPath(3) });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folder)).toEqual({
      'step-3.json': sha256('step 3 of hop 1'),
      'step-4.json': sha256('step 4 of hop 1'),
    });
    // Given back to the standby at its old path too, it would be there twice.
    expect(await digestsOf(scene.westAccount, scene.westContainer, given)).toEqual({});
  });
});
