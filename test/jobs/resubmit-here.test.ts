/**
 * Jobs that an outage has failed go on where they ran, on the local Azure: found, once each, from their last
 * checkpoint.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { actions } from '../../src/actions.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { linesOf } from '../../src/cli/commands/jobs.ts';
import { findInterrupted } from '../../src/jobs/in-place/find-interrupted.ts';
import type { JobRecord } from '../../src/jobs/job-record.ts';
import { lastSuccessor, successorName } from '../../src/ledger/ledger.ts';
import { openByRef } from '../../src/recovery-point/recovery-point.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import { replicate, stepOf, upload, type Scene } from '../recovery-point/scene.ts';
import { digestsOf, sha256, startTraining } from '../checkpoints/training.ts';

const name = successorName('eastus.fraud-east.train', 1);
const resubmitStep = stepOf('resubmit', 'resubmitHere', { class: 'training' });
let scene: Scene;
let ref: RecoveryPointRef;

beforeAll(async () => {
  scene = await startTraining();
  ({ ref } = await replicate(scene.run()));
}, 120_000);
afterAll(() => scene?.close());

const found = async (names: string[] = []) => {
  const context = scene.run().context(resubmitStep);
  const point = await openByRef(scene.store, ref);
  return findInterrupted({
    azure: context.azure,
    store: scene.store,
    side: context.from,
    point,
    names,
    policy: scene.topology.jobs,
  });
};

it('a job that runs, or that a person cancelled, was not interrupted', async () => {
  expect(await found()).toEqual([]);
  await expect(found(['train'])).rejects.toMatchObject({
    code: 'UsageError',
    message: expect.stringContaining('Running'),
  });
  await expect(found(['nobody'])).rejects.toMatchObject({ code: 'UsageError' });
});

it('one that does not go on by itself is found with the reason, and nothing is promised of it', async () => {
  const environmentId = `${scene.east}/environments/e/versions/1`;
  for (const [name, wish] of Object.entries({ 'of-never': 'never', 'of-manual': 'manual', doomed: 'always' }))
    await scene.fixture.put(`${scene.east}/jobs/${name}`, {
      properties: {
        jobType: 'Command',
        command: 'x',
        environmentId,
        tags: { 'understudy.resume': wish },
        properties: {
          'simulator.prepareSeconds': '0',
          'simulator.queueSeconds': '0',
          'simulator.runSeconds': '1',
          'simulator.outcome': 'Failed',
        },
      },
    });
  const names = ['of-never', 'of-manual', 'doomed'];
  const all = () => found(names).catch(() => []);
  await expect.poll(async () => (await all()).length, { timeout: 30_000 }).toBe(3);
  const jobs = await all();
  expect(jobs.map(({ name, left, lastSeenAt }) => [name, left?.class, lastSeenAt])).toEqual([
    ['of-never', 'skip', undefined],
    ['of-manual', 'manual', undefined],
    ['doomed', undefined, undefined],
  ]);
  expect(linesOf(jobs, 'eastus')).toEqual([
    '1 job of eastus would go on there:',
    expect.stringMatching(/^ {2}job "doomed".*: Failed$/),
    '2 jobs would not:',
    expect.stringMatching(/^ {2}job "of-never".*: Failed; not resubmitted: its tag understudy.resume says "never"$/),
    expect.stringMatching(
      /^ {2}job "of-manual".*: Failed; left for a person: its tag understudy.resume says "manual"$/,
    ),
  ]);
});

it('one that has failed goes on from what it had written, once', async () => {
  await upload(scene.eastAccount, scene.eastContainer, 'checkpoints/train/step-3.json', 'step 3');
  await scene.azure.arm.start(`${scene.east}/jobs/train/cancel`, apiVersions.machineLearning);
  const ended = async () => (await found(['train']))[0];
  await expect.poll(async () => (await ended().catch(() => undefined))?.endedAs, { timeout: 30_000 }).toBe('Canceled');
  const planned = await ended();
  for (const attempt of [1, 2]) {
    const run = scene.run();
    const context = run.context(resubmitStep);
    const { raw: _raw, ...job } = planned ?? { raw: undefined };
    const result = await actions.resubmitHere({ ...context, step: { ...context.step, input: { jobs: [job] } } });
    expect(result.counts?.[0], `attempt ${attempt}`).toEqual({
      kind: 'jobs',
      expected: 1,
      done: 1,
      skipped: [],
      failed: [],
    });
    const [evidence] = result.evidence ?? [];
    const [record] = JSON.parse(scene.store.documents.get(evidence?.blob ?? '')?.text ?? '[]') as JobRecord[];
    expect(record).toMatchObject({
      old: 'train',
      new: name,
      class: 'resubmit',
      files: { expected: 4, done: attempt === 1 ? 4 : 0 },
    });
  }
  expect((await lastSuccessor(scene.store, { lineageRoot: 'eastus.fraud-east.train', hop: 0 }))?.settled).toMatchObject(
    {
      as: 'cancelled',
      reason: expect.stringMatching(/^it had ended \(Canceled\) when run run-\d+ looked, at /) as string,
    },
  );
  await expect(found(['train'])).rejects.toMatchObject({
    code: 'UsageError',
    message: expect.stringContaining(`goes on already as ${name}`),
  });
  const successor = await scene.azure.arm.get(`${scene.east}/jobs/${name}`, apiVersions.machineLearning);
  const uri = (successor.properties as { inputs: { resume_from: { uri: string } } }).inputs.resume_from.uri;
  const folder = /paths\/(understudy\/resume\/[^/]+\/[^/]+)\/$/.exec(uri)?.[1] ?? '';
  expect(folder.startsWith(checkpointFolder(name, ''))).toBe(true);
  expect(await digestsOf(scene.eastAccount, scene.eastContainer, folder)).toMatchObject({
    'step-3.json': sha256('step 3'),
  });
});
