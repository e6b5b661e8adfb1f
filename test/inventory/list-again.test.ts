/**
 * What comes to the active workspace after the last recovery point of a switchover, on the local Azure: each thing is
 * named, and nothing else is.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { listAgain } from '../../src/inventory/list-again.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { startTraining } from '../checkpoints/training.ts';
import { replicate, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

let scene: Scene;
let run: TestRun;
let ref: RecoveryPointRef;

beforeAll(async () => {
  scene = await startTraining();
  await put('computes/cpu', cluster());
  await put('onlineEndpoints/score', endpoint());
  await put('onlineEndpoints/old', endpoint());
  await upload(scene.eastAccount, scene.eastContainer, 'loans/january.csv', 'january');
  await upload(scene.eastAccount, scene.eastContainer, 'loans/february.csv', 'february');
  await putData('1');
  await put('schedules/nightly', schedule());
  await put('jobs/done', job('1'));
  await ended('done');
}, 120_000);
afterAll(() => scene?.close());

beforeEach(async () => {
  run = scene.run({ operation: 'switchover' });
  ({ ref } = await replicate(run));
}, 60_000);

const put = (path: string, body: JsonObject) => scene.fixture.put(`${scene.east}/${path}`, body);
const putData = (version: string) =>
  put(`data/loans/versions/${version}`, {
    properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/loans/' },
  });
const again = () => run.step('again', 'listAgain', listAgain);
const ended = (name: string) =>
  vi.waitUntil(
    async () => {
      const { body } = await scene.fixture.arm('GET', `${scene.east}/jobs/${name}`);
      return (body.properties as JsonObject).status === 'Completed';
    },
    { timeout: 20_000, interval: 100 },
  );

function cluster(): JsonObject {
  const scaleSettings = { minNodeCount: 0, maxNodeCount: 2 };
  return {
    location: 'eastus',
    properties: { computeType: 'AmlCompute', properties: { vmSize: 'Standard_DS3_v2', scaleSettings } },
  };
}

function endpoint(): JsonObject {
  return { location: 'eastus', identity: { type: 'SystemAssigned' }, properties: { authMode: 'Key' } };
}

function job(runSeconds: string): JsonObject {
  return {
    properties: {
      jobType: 'Command',
      command: 'python score.py',
      environmentId: `${scene.east}/environments/e/versions/1`,
      computeId: `${scene.east}/computes/cpu`,
      properties: {
        'simulator.prepareSeconds': '0',
        'simulator.queueSeconds': '0',
        'simulator.runSeconds': runSeconds,
      },
      tags: { owner: 'ana' },
    },
  };
}

function schedule(): JsonObject {
  return {
    properties: {
      isEnabled: false,
      trigger: { triggerType: 'Cron', expression: '0 3 * * *', timeZone: 'UTC' },
      action: { actionType: 'CreateJob', jobDefinition: job('1').properties ?? null },
    },
  };
}

describe('what came after the last recovery point', () => {
  it('is nothing: the step is completed', async () => {
    expect(await again()).toEqual({
      state: 'completed',
      detail: `nothing has come in eastus since recovery point ${ref.id}`,
    });
  });

  it.each<[what: string, named: string, come: () => Promise<unknown>]>([
    [
      'a job that runs',
      'job "late" of ana (Running)',
      async () => {
        await put('jobs/late', job('36000'));
        await vi.waitUntil(async () => {
          const { body } = await scene.fixture.arm('GET', `${scene.east}/jobs/late`);
          return (body.properties as JsonObject).status === 'Running';
        });
      },
    ],
    [
      'a job that has ended already',
      'job "brief" of ana (Completed)',
      async () => {
        await put('jobs/brief', job('0'));
        await ended('brief');
      },
    ],
    ['a version of an asset', 'data/loans/2', () => putData('2')],
    ['a compute', 'compute late', () => put('computes/late', cluster())],
    ['an endpoint', 'endpoint late', () => put('onlineEndpoints/late', endpoint())],
    ['a schedule', 'schedule late', () => put('schedules/late', schedule())],
    [
      'a deployment',
      'deployment score/blue',
      () =>
        put('onlineEndpoints/score/deployments/blue', {
          location: 'eastus',
          sku: { name: 'Default', capacity: 1 },
          properties: {
            endpointComputeType: 'Managed',
            instanceType: 'Standard_DS3_v2',
            environmentId: `${scene.east}/environments/e/versions/1`,
            scaleSettings: { scaleType: 'Default' },
          },
        }),
    ],
    [
      'a blob below an asset',
      '/loans/march.csv',
      () => upload(scene.eastAccount, scene.eastContainer, 'loans/march.csv', 'march'),
    ],
    [
      'a blob that was written once more',
      '/loans/january.csv',
      () => upload(scene.eastAccount, scene.eastContainer, 'loans/january.csv', 'january, corrected'),
    ],
  ])('is %s: it is named', async (_what, named, come) => {
    await come();
    await expect(again()).rejects.toMatchObject({
      code: 'ReconciliationError',
      message: expect.stringMatching(
        /^1 thing came in eastus after the last recovery point, and would stay behind: [^;]*$/,
      ) as string,
      details: { next: expect.stringContaining('--accept-loss again') as string },
    });
    await expect(again()).rejects.toThrow(named);
  });

  it('is not what was there before: written a moment ago, gone since, ended since, or a checkpoint', async () => {
    await upload(scene.eastAccount, scene.eastContainer, 'loans/april.csv', 'april');
    await put('jobs/short', job('3'));
    run = scene.run({ operation: 'switchover' });
    await replicate(run);
    await ended('short');
    await upload(scene.eastAccount, scene.eastContainer, 'checkpoints/train/step-9.json', 'step 9');
    await scene.eastAccount.container(scene.eastContainer).getBlobClient('loans/february.csv').delete();
    await scene.fixture.settle(await scene.fixture.arm('DELETE', `${scene.east}/onlineEndpoints/old`));
    expect(await again()).toMatchObject({ state: 'completed' });
  });
});
