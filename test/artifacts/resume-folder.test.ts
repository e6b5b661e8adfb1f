/**
 * A job that goes to and fro on the local Azure, while its origin runs on unseen: each successor goes on from exactly the checkpoint
 * of its predecessor, in a folder that nobody else writes to.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/provider.ts';
import { actions } from '../../src/actions.ts';
import { listBlobs } from '../../src/artifacts/blobs.ts';
import { replicaContainer } from '../../src/artifacts/manifest.ts';
import { openRecoveryPoint, readLedgerSnapshot, readPart } from '../../src/artifacts/recovery-point.ts';
import { resumeFolders } from '../../src/artifacts/resume-folder.ts';
import { apiVersions, type ArmResource, type BlobAccount } from '../../src/azure/azure.ts';
import { parseAzureMlUri } from '../../src/azure/ids.ts';
import { resumeFolder } from '../../src/jobs/checkpoint.ts';
import { successorName, type LedgerEntry } from '../../src/jobs/ledger.ts';
import type { JobRecord } from '../../src/jobs/resume-job.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepContext } from '../../src/run/step-context.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from './scene.ts';

const lineage = 'eastus.fraud-east.train';
const names = [1, 2, 3].map((hop) => successorName(lineage, hop)) as [string, string, string];
const hopPath = (hop: number) => `checkpoints/train/${names[hop - 1]}-hop-${hop}`;

let scene: Scene;
/** Of each move: the recovery point, and its run. */
const points: RecoveryPointRef[] = [];
const runs: TestRun[] = [];

beforeAll(async () => {
  scene = await startScene();
  const { fixture, east, west } = scene;
  for (const [workspace, location] of [
    [east, 'eastus'],
    [west, 'westus3'],
  ] as const) {
    await fixture.put(`${workspace}/computes/gpu`, {
      location,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } },
      },
    });
  }
  await fixture.put(`${east}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  await fixture.put(`${east}/jobs/train`, { properties: training() });
  await inEast('checkpoints/train/step-1.json', 'step 1');
  await inEast('checkpoints/train/step-2.json', 'step 2');
  await inEast('checkpoints/train/deep/optimizer.bin', 'o'.repeat(5000));
}, 120_000);

afterAll(() => scene?.close());

/** The simulator writes none of its checkpoints: the test says what is where. */
function training(): JsonObject {
  return {
    jobType: 'Command',
    command: 'python train.py --resume ${{inputs.resume_from}}',
    environmentId: `${scene.east}/environments/e/versions/1`,
    computeId: `${scene.east}/computes/gpu`,
    inputs: {
      resume_from: {
        jobInputType: 'uri_folder',
        mode: 'Download',
        uri: 'azureml://datastores/workspaceblobstore/paths/start',
      },
    },
    outputs: {
      checkpoints: {
        jobOutputType: 'uri_folder',
        mode: 'ReadWriteMount',
        uri: 'azureml://datastores/workspaceblobstore/paths/checkpoints/train',
      },
    },
    properties: {
      'simulator.prepareSeconds': '0',
      'simulator.queueSeconds': '0',
      'simulator.runSeconds': '360000',
    },
    tags: { owner: 'ana' },
  };
}

const inEast = (path: string, content: string) =>
  upload(scene.eastAccount, scene.eastContainer, path, content);
const inWest = (path: string, content: string) =>
  upload(scene.westAccount, scene.westContainer, path, content);

/** sha256 of each blob below a folder, by path below it. */
async function digestsOf(
  account: BlobAccount,
  container: string,
  folder: string,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { path } of listBlobs(account, container, folder, new AbortController().signal)) {
    const text = (await textOf(account, container, path)) ?? '';
    found[path.slice(folder.length + 1)] = sha256(text);
  }
  return found;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

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
const entryOf = async (ref: RecoveryPointRef, name: string) =>
  (await Array.fromAsync(readLedgerSnapshot<LedgerEntry>(scene.store, ref))).find(
    (each) => each.name === name,
  );

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
  const copied = {
    'step-1.json': sha256('step 1'),
    'step-2.json': sha256('step 2'),
    'deep/optimizer.bin': sha256('o'.repeat(5000)),
  };

  it('the successor goes on from what the recovery point has', async () => {
    const ref = await takePoint(false);
    await inEast('checkpoints/train/step-2.json', 'step 2 of the fork');
    await inEast('checkpoints/train/step-3.json', 'step 3 of the fork');
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    const [record] = await move(false, ref);
    const folder = resumeFolder(names[0], ref.id);
    expect(record).toMatchObject({
      old: 'train',
      new: names[0],
      class: 'resubmit',
      files: { expected: 3, done: 3 },
    });
    expect(record?.checkpoint).toContain(`/datastores/workspaceblobstore/paths/${folder}/`);
    expect(pathsOf(await job(scene.west, names[0]))).toEqual({ from: folder, to: hopPath(1) });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folder)).toEqual(copied);
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
    expect((await entryOf(ref, names[0]))?.checkpoint).toMatchObject({
      path: hopPath(1),
      lastFile: 'step-4.json',
      files: 2,
    });
    const [record] = await move(true, ref);
    const folder = resumeFolder(names[1], ref.id);
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
    const given = resumeFolder(names[1], points[1]?.id ?? '');
    expect((await entryOf(ref, names[1]))?.checkpoint).toMatchObject({
      path: given,
      lastFile: 'step-4.json',
      files: 2,
    });
    expect((await entryOf(ref, 'train'))?.checkpoint?.path).toBe('checkpoints/train');
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    const records = await move(false, ref);
    expect(records.map(({ old, new: to, class: of }) => [old, to, of]).toSorted()).toEqual([
      ['train', undefined, 'skip'],
      [names[1], names[2], 'resubmit'],
    ]);
    const folder = resumeFolder(names[2], ref.id);
    expect(pathsOf(await job(scene.west, names[2]))).toEqual({ from: folder, to: hopPath(3) });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folder)).toEqual({
      'step-3.json': sha256('step 3 of hop 1'),
      'step-4.json': sha256('step 4 of hop 1'),
    });
    // Given back to the standby at its old path too, it would be there twice.
    expect(await digestsOf(scene.westAccount, scene.westContainer, given)).toEqual({});
  });
});

describe('while it is copied', () => {
  let context: StepContext;
  let entry: LedgerEntry;
  const bringTo = async (successor: string, beat: () => Promise<void> = () => Promise.resolve()) => {
    if (!entry.checkpoint) throw new Error('the ledger has no checkpoint');
    return resumeFolders(context, [entry])({ checkpoint: entry.checkpoint, successor, beat });
  };
  const folderOf = (successor: string) => resumeFolder(successor, points[0]?.id ?? '');

  beforeAll(async () => {
    const [ref] = points;
    const found = ref && (await entryOf(ref, 'train'));
    if (!ref || !found) throw new Error('no recovery point');
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
  });

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
      missing: `extra.json: somebody else put it into ${folderOf('us-taken')} (and 1 more)`,
    });
    expect(await textOf(scene.westAccount, scene.westContainer, `${folderOf('us-taken')}/step-1.json`)).toBe(
      'step x',
    );
  });

  it('a replica that was altered or is gone is found out', async () => {
    const { sealed } = await openRecoveryPoint(scene.store, points[0]?.id ?? '');
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
    const result = await resumeFolders(context, [less])({
      checkpoint: less.checkpoint,
      successor: 'us-less',
      beat: () => Promise.resolve(),
    });
    expect(result).toEqual({ files: 0, missing: `recovery point ${points[0]?.id} has 3 of its 4 files` });
    expect(await digestsOf(scene.westAccount, scene.westContainer, folderOf('us-less'))).toEqual({});
  });
});
