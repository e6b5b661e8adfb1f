/**
 * Failovers from recovery points of which replicas are damaged, with the active region dark: nothing damaged passes for
 * whole.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { actions } from '../../src/actions.ts';
import { lossTag } from '../../src/assets/archive-asset.ts';
import { replicaContainer, type BlobLine } from '../../src/recovery-point/manifest.ts';
import { openRecoveryPoint, readPart } from '../../src/recovery-point/recovery-point.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import type { ActionName } from '../../src/plan/actions.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import { replicate, startScene, textOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;
let earlier: RecoveryPointRef;
let ref: RecoveryPointRef;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const acceptedLoss = { by: 'ana', reason: 'INC-4711' };
const datastore = 'azureml://datastores/workspaceblobstore/paths';

beforeAll(async () => {
  scene = await startScene();
  await fillBlobs();
  await fillAssets();
  await fillJobs();
  earlier = (await replicate(scene.run())).ref;
  await put('model/model.pkl', 'the weights, better');
  ref = (await replicate(scene.run())).ref;
}, 120_000);

afterAll(() => scene?.close());

const put = (path: string, content: string) => upload(scene.eastAccount, scene.eastContainer, path, content);

async function fillBlobs(): Promise<void> {
  await put('loans/a.csv', 'the first loans');
  await put('loans/b.csv', 'the second loans');
  await put('cards/c.csv', 'the cards');
  await put('model/model.pkl', 'the weights');
  await put('other/model.pkl', 'other weights');
  await put('start/weights.bin', 'to start from');
}

async function fillAssets(): Promise<void> {
  const { fixture, east } = scene;
  const add = (path: string, properties: JsonObject) => fixture.put(`${east}/${path}`, { properties });
  await add('data/loans/versions/1', { dataType: 'uri_folder', dataUri: `${datastore}/loans` });
  await add('data/cards/versions/1', { dataType: 'uri_folder', dataUri: `${datastore}/cards` });
  await add('models/fraud/versions/1', { modelUri: `${datastore}/model`, modelType: 'mlflow_model' });
  await add('models/fraud/versions/2', { modelUri: `${datastore}/other`, modelType: 'mlflow_model' });
  await add('environments/e/versions/1', { image: 'mcr.microsoft.com/azureml/base:1' });
  const endpoint = `${east}/onlineEndpoints/score`;
  const body = (more: JsonObject) => ({ location: 'eastus', properties: { authMode: 'Key', ...more } });
  await fixture.put(endpoint, body({}));
  for (const [name, version] of [
    ['blue', '1'],
    ['green', '2'],
  ])
    await fixture.put(`${endpoint}/deployments/${name}`, {
      location: 'eastus',
      sku: { name: 'Default', capacity: 1 },
      properties: {
        endpointComputeType: 'Managed',
        instanceType: 'Standard_DS3_v2',
        model: `${east}/models/fraud/versions/${version}`,
      },
    });
  await fixture.put(endpoint, body({ traffic: { blue: 70, green: 30 } }));
}

async function fillJobs(): Promise<void> {
  const { fixture, east, west } = scene;
  for (const [workspace, location] of [
    [east, 'eastus'],
    [west, 'westus3'],
  ] as const)
    await fixture.put(`${workspace}/computes/gpu`, {
      location,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } },
      },
    });
  const reading = (uri: string): JsonObject => ({
    jobType: 'Command',
    command: 'python train.py',
    environmentId: `${east}/environments/e/versions/1`,
    computeId: `${east}/computes/gpu`,
    inputs: { data: { jobInputType: 'uri_folder', uri } },
    properties: {
      'simulator.prepareSeconds': '0',
      'simulator.queueSeconds': '0',
      'simulator.runSeconds': '360000',
    },
  });
  for (const [name, uri] of [
    ['reads-loans', `azureml:${east}/data/loans/versions/1`],
    ['reads-cards', `azureml:${east}/data/cards/versions/1`],
    ['reads-a-path', `${datastore}/start`],
  ] as const)
    await fixture.put(`${east}/jobs/${name}`, { properties: reading(uri) });
}

async function lineOf(path: string): Promise<BlobLine> {
  const { sealed } = await openRecoveryPoint(scene.store, ref.id);
  for await (const line of readPart(scene.store, sealed, 'blobs')) if (line.path === path) return line;
  throw new Error(`no ${path}`);
}

/** Another content under what the service says of the old one. */
async function decay(container: string, path: string, md5: string): Promise<string> {
  const text = (await textOf(scene.westAccount, container, path)) ?? '';
  const flipped = `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(text.length - 1) ^ 1)}`;
  const blob = scene.westAccount.container(container).getBlockBlobClient(path);
  await blob.upload(flipped, flipped.length, {
    blobHTTPHeaders: { blobContentType: 'text/plain' },
    metadata: { origin: 'test' },
  });
  await blob.setHTTPHeaders({ blobContentType: 'text/plain', blobContentMD5: Buffer.from(md5, 'base64') });
  return flipped;
}

/** A step of a plan's own name, by the product's own table. */
function step(
  run: TestRun,
  id: string,
  action: ActionName,
  { accept = false, ...input }: { accept?: boolean } & Record<string, unknown> = {},
): Promise<StepResult> {
  return run.step(id, action, (context) => actions[action](accept ? { ...context, acceptedLoss } : context), input);
}

const blobs = (run: TestRun, name: string, accept = false) =>
  step(run, `restore/${name}/blobs`, 'restoreBlobs', { classes: [name], accept });
const compared = (run: TestRun, name: string, accept = false) =>
  step(run, `verify/${name}/blobs`, 'reconcileBlobs', { classes: [name], accept });
const assets = (run: TestRun, types: string[]) => step(run, `restore/${types[0]}`, 'restoreAssets', { types });
const verified = (run: TestRun, types: string[]) => step(run, `verify/${types[0]}`, 'reconcileAssets', { types });
const held = (path: string) => scene.azure.arm.find(`${scene.west}/${path}`, apiVersions.machineLearning);
const countsOf = ({ counts = [] }: StepResult, kind: string) => counts.find((each) => each.kind === kind);

describe('replicas that are damaged when a failover restores them', () => {
  let failover: TestRun;
  let flipped: string;

  beforeAll(async () => {
    const model = await lineOf('model/model.pkl');
    flipped = await decay(replicaContainer, model.replica, model.md5);
    const client = scene.westAccount.container(replicaContainer);
    await client.getBlobClient((await lineOf('loans/b.csv')).replica).delete();
    await upload(scene.westAccount, replicaContainer, (await lineOf('start/weights.bin')).replica, 'elsewhere');
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    failover = scene.run({ operation: 'failover', recoveryPoint: ref });
    await step(failover, 'restore/platform/datastores', 'configureDatastores');
    await assets(failover, ['environments', 'codes']);
  });

  it('fail the step once everything else is restored: which blob, of which asset, what is there and what to do', async () => {
    const error: unknown = await blobs(failover, 'inference').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringContaining(
        `${scene.westContainer}/model/model.pkl: its copy is sha256 ${sha256(flipped)}, expected sha256 ${sha256('the weights, better')} (models/fraud/1)`,
      ) as string,
      details: {
        next: expect.stringMatching(
          new RegExp(
            `retry ${failover.runId} --accept-loss restore/inference/blobs --reason "…".*failover --recovery-point ${earlier.id}`,
          ),
        ) as string,
      },
    });
    expect(String(error)).toContain('1 of 2 blobs');
    expect(await textOf(scene.westAccount, scene.westContainer, 'other/model.pkl')).toBe('other weights');
    expect(await textOf(scene.westAccount, scene.westContainer, 'model/model.pkl')).toBeUndefined();
    await expect(blobs(failover, 'data')).rejects.toMatchObject({
      message: expect.stringContaining('loans/b.csv: its copy is missing') as string,
      details: { next: expect.stringContaining('none has another copy of it') as string },
    });
    expect(await textOf(scene.westAccount, scene.westContainer, 'loans/a.csv')).toBe('the first loans');
  });

  it('whose loss is accepted are counted, named with who accepted it, and the step is done', async () => {
    const result = await blobs(failover, 'inference', true);
    expect(result.counts).toEqual([
      {
        kind: 'blobs',
        expected: 2,
        done: 1,
        skipped: [{ reason: 'its copy is damaged or missing; accepted as lost by ana: INC-4711', count: 1 }],
        failed: [],
      },
    ]);
    expect(result.lost).toHaveLength(1);
    expect(result.lost?.[0]).toContain('models/fraud/1');
    await blobs(failover, 'data', true);
    await blobs(failover, 'training', true);
  });

  it('leave no asset registered as if it were whole', async () => {
    const models = await assets(failover, ['models']);
    expect(countsOf(models, 'models')).toMatchObject({ expected: 2, done: 1, failed: [] });
    expect(models.lost?.join()).toContain('models/fraud/1: it is not registered, since it is not whole');
    const data = await assets(failover, ['data']);
    expect(countsOf(data, 'data')).toMatchObject({ expected: 2, done: 1, failed: [] });
    expect(await held('models/fraud/versions/1')).toBeUndefined();
    expect(await held('models/fraud/versions/2')).toBeDefined();
    expect(await held('data/loans/versions/1')).toBeUndefined();
    expect(await held('data/cards/versions/1')).toBeDefined();
  });

  it('leave no deployment to serve them', async () => {
    const result = await step(failover, 'configure/inference/endpoints', 'configureEndpoints');
    expect(countsOf(result, 'endpoints and deployments')).toMatchObject({ expected: 3, done: 2, failed: [] });
    expect(result.lost?.join()).toContain('deployment score/blue: what it serves is not whole');
    expect((await held('onlineEndpoints/score'))?.properties['traffic']).toEqual({ green: 100 });
  });

  it('hold up no verification: what was accepted stays counted, and nothing else is missing', async () => {
    for (const name of ['inference', 'data', 'training']) {
      const result = await compared(failover, name);
      expect(countsOf(result, 'blobs')?.skipped).toEqual([
        { reason: 'accepted as lost when it was restored', count: 1 },
      ]);
    }
    const models = await verified(failover, ['models']);
    expect(countsOf(models, 'models')).toMatchObject({
      expected: 2,
      done: 1,
      skipped: [{ reason: 'not whole, since blobs of it are lost', count: 1 }],
    });
    await verified(failover, ['data']);
    const scored = await step(failover, 'verify/inference/score', 'scoreEndpoints', { endpoints: ['score'] });
    expect(scored.counts?.[0]).toMatchObject({ expected: 1, done: 1 });
  });

  it('leave the jobs that read them to a person, and no others', async () => {
    const result = await step(failover, 'resume/training/jobs', 'resubmitJobs');
    expect(countsOf(result, 'jobs')).toMatchObject({ expected: 3, done: 1 });
    const lost = result.lost?.join('\n') ?? '';
    expect(lost).toMatch(/"reads-loans".* is left for a person: .*data\/loans\/1/);
    expect(lost).toMatch(/"reads-a-path".* is left for a person: what it reads is not whole/);
    expect(lost).not.toMatch(/"reads-cards".* is left for a person/);
  });
});

describe('a blob that is found damaged only when it is verified', () => {
  let failover: TestRun;

  beforeAll(async () => {
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'none' });
    const run = scene.run({ topology: { policies: { scrubPeriod: '1s' } } });
    await run.step('scrub', 'scrubReplicas', actions.scrubReplicas);
    ref = (await replicate(run)).ref;
    await scene.fixture.running.faults.setOutage('eastus', { mode: 'dark' });
    failover = scene.run({ operation: 'failover', recoveryPoint: ref });
    for (const name of ['inference', 'data', 'training']) await blobs(failover, name);
    await assets(failover, ['environments', 'codes']);
    await assets(failover, ['models']);
    await assets(failover, ['data']);
    await step(failover, 'configure/inference/endpoints', 'configureEndpoints');
    for (const path of ['other/model.pkl', 'cards/c.csv'])
      await decay(scene.westContainer, path, (await lineOf(path)).md5);
  });

  it('was repaired before in what it is a copy of', async () => {
    expect(await held('models/fraud/versions/1')).toBeDefined();
    expect(await textOf(scene.westAccount, scene.westContainer, 'model/model.pkl')).toBe('the weights, better');
  });

  it('fails the verification, and names the ways on', async () => {
    await expect(compared(failover, 'inference')).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringMatching(/other\/model.pkl: sha256 .*, expected sha256 .* \(models\/fraud\/2\)/) as string,
      details: { next: expect.stringContaining('--accept-loss verify/inference/blobs') as string },
    });
  });

  it('whose loss is accepted has its asset archived, and nobody sent to what serves it', async () => {
    const accepted = await compared(failover, 'inference', true);
    expect(countsOf(accepted, 'blobs')).toMatchObject({ expected: 2, done: 1, failed: [] });
    await compared(failover, 'data', true);
    const models = await verified(failover, ['models']);
    expect(models.lost?.join()).toContain('models/fraud/2: it is archived, since it is not whole');
    const archived = await held('models/fraud/versions/2');
    expect(archived?.properties).toMatchObject({ isArchived: true });
    expect(archived?.properties['tags']).toHaveProperty([lossTag]);
    await step(failover, 'verify/inference/score', 'scoreEndpoints', { endpoints: ['score'] });
    expect((await held('onlineEndpoints/score'))?.properties['traffic']).toEqual({ blue: 100 });
    await verified(failover, ['data']);
    const jobs = await step(failover, 'resume/training/jobs', 'resubmitJobs');
    expect(jobs.lost?.join('\n')).toMatch(/"reads-cards".* is left for a person: .*data\/cards\/1/);
  });
});
