/** Jobs that ran on in a lost region: ended, compared and named, on the local Azure, whatever is killed. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { endZombies } from '../../src/drain/end-zombies.ts';
import { markSubmitted, planSuccessor, successorName } from '../../src/ledger/ledger.ts';
import type { Progress, StepContext } from '../../src/run/work/step-context.ts';
import type { TopologyInput } from '../../src/topology/topology.ts';
import { entryOf } from '../checkpoints/training.ts';
import { replicate, stepOf, type TestRun } from '../recovery-point/scene.ts';
import { startDraining, until, type Draining } from './draining.ts';

type Zombies = NonNullable<NonNullable<TopologyInput['jobs']>['zombies']>;

const step = stepOf('zombies', 'endZombies');

let scene: Draining;
beforeEach(async () => {
  scene = await startDraining();
  await scene.submit('score');
  await until(async () => (await scene.statuses('train', 'score')).every((status) => status === 'Running'));
}, 120_000);
afterEach(() => scene?.close());

const reprotection = (zombies: Zombies = {}, onCheckpoint?: (progress: Progress) => void) =>
  scene.run({
    operation: 'reprotect',
    back: true,
    topology: { jobs: { zombies }, policies: { fenceDeadline: '5s', requestTimeout: '5s' } },
    ...(onCheckpoint ? { onCheckpoint } : {}),
  });
const end = (run: TestRun, more: Partial<StepContext> = {}) => endZombies({ ...run.context(step), ...more });

/** A failover has given a job a successor. */
async function moved(name = 'train'): Promise<void> {
  const { ref } = await replicate(scene.run());
  const entry = await entryOf(scene, ref, name);
  if (!entry) throw new Error('the ledger has no job');
  const settled = { as: 'lost', at: new Date().toISOString(), reason: 'a test' } as const;
  await planSuccessor(scene.store, { entry, to: 'westus3', run: 'run-moved', settled });
  await markSubmitted(scene.store, entry.lineageRoot, 1);
}

describe('jobs that ran on', () => {
  it('are all named by the attempt that reports, whichever has cancelled them', async () => {
    const run = reprotection();
    const cut = new AbortController();
    const killed = expect(end(run, { signal: cut.signal })).rejects.toThrow();
    await until(async () => (await scene.statuses('train', 'score')).every((status) => status !== 'Running'));
    cut.abort();
    await killed;
    await until(async () => (await scene.statuses('train', 'score')).every((status) => status === 'Canceled'));
    for (const _attempt of [2, 3]) {
      const result = await end(run);
      expect(result.counts).toEqual([{ kind: 'jobs that ran on', expected: 2, done: 2, skipped: [], failed: [] }]);
      expect(result.lost?.toSorted()).toEqual([
        'job "score" of ana: it ran on in eastus (Running), and is Canceled; it has no successor: submit it again in westus3, if it is needed',
        'job "train" of ana: it ran on in eastus (Running), and is Canceled; it has no successor: submit it again in westus3, if it is needed',
      ]);
    }
  });

  it('are a loss without a successor, or with two results', async () => {
    await moved();
    expect((await end(reprotection())).lost).toEqual([expect.stringMatching(/^job "score" .* it has no successor/)]);
  });

  it('that ended by themselves are a loss if they completed, although a successor counts', async () => {
    await scene.cancelByHand('train');
    await scene.cancelByHand('score');
    await scene.submit('short', { run: 8 });
    await moved('short');
    const { lost, counts } = await end(reprotection({ policy: 'finish', deadline: '1h' }));
    expect(counts).toMatchObject([{ skipped: [{ reason: 'ended by itself', count: 1 }] }]);
    const successor = successorName('eastus.fraud-east.short', 1);
    expect(lost).toContain(
      `job "short" of ana: it ran on in eastus (Running), and is Completed; its successor "${successor}" in westus3 is gone, and is the one that counts; what it wrote stays in the storage of eastus`,
    );
  });

  it('are compared with a heartbeat', async () => {
    let beats = 0;
    let isSlow = false;
    const run = reprotection({}, () => void (isSlow && beats++));
    const find: Azure['arm']['find'] = async (...args) => {
      const found = await scene.azure.arm.find(...args);
      isSlow = found?.properties['status'] === 'Canceled';
      if (isSlow) await wait(1100);
      return found;
    };
    await moved();
    await end(run, { azure: { ...scene.azure, arm: { ...scene.azure.arm, find } } });
    expect(beats).toBeGreaterThan(0);
  });
});
