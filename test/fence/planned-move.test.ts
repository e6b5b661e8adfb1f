/**
 * A planned move on the local Azure, away from a region that answers, in a subscription that Azure throttles: no job
 * runs on both sides at any moment, and nothing but the jobs waits for the jobs.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GLOBAL } from '../../simulator/faults/faults.ts';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { lifeOf, statusAt } from '../../simulator/machinelearning/job-life/job-life.ts';
import type { Azure } from '../../src/azure/azure.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { successorName } from '../../src/ledger/ledger.ts';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import type { Progress } from '../../src/run/work/step-context.ts';
import { replicate, startScene, type Scene } from '../recovery-point/scene.ts';
import { openFailover, runPlan } from '../run/run-plan.ts';

const count = 60;
const names = Array.from({ length: count }, (_, index) => `train-${index}`);
const slowest = `train-${count - 1}`;
const stopId = 'fence/platform/jobs';

let scene: Scene;
let records: Map<string, StepRecord>;
const told: Progress[] = [];
const failures: string[] = [];
const served: string[] = [];

const compute: JsonObject = {
  computeType: 'AmlCompute',
  properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } },
};

beforeAll(async () => {
  scene = await startScene();
  const { fixture, east, west } = scene;
  await fixture.put(`${east}/computes/cpu`, { location: 'eastus', properties: compute });
  await fixture.put(`${west}/computes/cpu`, { location: 'westus3', properties: compute });
  await fixture.put(`${east}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  for (const name of names) {
    const properties = {
      jobType: 'Command',
      command: 'python train.py',
      environmentId: `${east}/environments/e/versions/1`,
      computeId: `${east}/computes/cpu`,
      properties: { 'simulator.runSeconds': '36000' },
      tags: { owner: 'ana' },
    };
    const { status, body } = await fixture.arm('PUT', `${east}/jobs/${name}`, { properties });
    if (status !== 201) throw new Error(JSON.stringify(body));
  }
  await ensurePointer(scene.store, { topology: scene.topology, who: 'a test', now: new Date() });
  const { ref } = await replicate(scene.run());
  // Others ask, too: far less is left than we keep ourselves below.
  fixture.running.faults.set(GLOBAL, { throttle: { perSecond: 22, burst: 40 } });
  const run = await openFailover(withSlowJob(scene.azure), scene.store, scene.topology, ref.id);
  records = await runPlan(run, {
    progress: (step, progress) => void (step === stopId && told.push(progress)),
    ended: (step, end) => {
      if (end instanceof Error) failures.push(`${step}: ${end.message}`);
      else if (isServing(step)) served.push(step);
    },
  });
}, 300_000);

const isServing = (step: string) => /^switch\/.*\/serving$/.test(step);

/**
 * One job is not asked to end before every class serves and some job has a successor; without that nothing here could
 * end.
 */
function withSlowJob(azure: Azure): Azure {
  const start: Azure['arm']['start'] = async (path, ...more) => {
    while (path.endsWith(`/${slowest}/cancel`) && !(served.length === 4 && successors().length > 0)) await wait(20);
    return azure.arm.start(path, ...more);
  };
  return { ...azure, arm: { ...azure.arm, start } };
}

afterAll(() => scene?.close());

const stored = (workspace: string, name: string) => {
  const found = scene.fixture.running.cloud.store.get(`${workspace}/jobs/${name}`);
  if (!found) throw new Error(`no job "${name}" in ${workspace}`);
  return found;
};
const successors = () =>
  names.filter((name) => scene.fixture.running.cloud.store.get(`${scene.west}/jobs/${successorOf(name)}`));
const successorOf = (name: string) => successorName(`eastus.fraud-east.${name}`, 1);

describe('a planned move away from a region that answers', () => {
  it('ends every job there before its successor begins', () => {
    const { clock } = scene.fixture.running;
    for (const name of names) {
      const old = lifeOf(stored(scene.east, name));
      const successor = lifeOf(stored(scene.west, successorOf(name)));
      // Some fail first: they have lost what they write with.
      expect(['Canceled', 'Failed'], name).toContain(statusAt(old, successor.submittedAt));
      expect(['Canceled', 'Failed'], name).toContain(statusAt(old, clock.now()));
    }
  });

  it('lets every class serve before the last job has ended', () => {
    const stoppedAt = records.get(stopId)?.endedAt ?? '';
    const serving = [...records].filter(([step]) => isServing(step));
    expect(serving.map(([step]) => step.split('/')[1] ?? '').toSorted()).toEqual([
      'data',
      'inference',
      'platform',
      'training',
    ]);
    for (const [step, { endedAt = '' }] of serving) expect(endedAt < stoppedAt, step).toBe(true);
  });

  it('submits the first successors while others are still being stopped', () => {
    const first = Math.min(...names.map((name) => lifeOf(stored(scene.west, successorOf(name))).submittedAt));
    expect(first).toBeLessThan(Date.parse(records.get(stopId)?.endedAt ?? ''));
  });

  it('accounts for every job, and owes nothing, though Azure threw requests back', () => {
    const { requests } = scene.fixture.running;
    expect(requests.since(0).some(({ status }) => status === 429)).toBe(true);
    expect(records.get(stopId)).toMatchObject({
      state: 'completed',
      counts: [{ kind: 'old jobs', expected: count, done: count }],
    });
    expect(records.get('resume/training/jobs')).toMatchObject({
      state: 'completed',
      counts: [{ kind: 'jobs', expected: count, done: count }],
    });
    expect([...records.values()].flatMap(({ owed }) => owed ?? [])).toEqual([]);
  });

  it('tells how many it has stopped, and writes no document whole for each', () => {
    expect(told.filter(({ total, done }) => total === count && done > 0 && done < count)).not.toEqual([]);
    const parts = [...scene.store.documents].filter(([name]) => name.includes('/stopped-jobs/'));
    expect(parts.length).toBeLessThan(20);
  });
});
