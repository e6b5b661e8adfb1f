/** Jobs that a fence cancelled for a run that was then cancelled itself. */
import { beforeEach, describe, expect, it } from 'vitest';
import { collectJobs } from '../../src/inventory/collect.ts';
import { jobsLeftCancelled, jobsTouched, leftCancelledBy } from '../../src/fence/left-cancelled.ts';
import { planSuccessor, markSubmitted, successorName } from '../../src/ledger/ledger.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { changeRun, openRun } from '../../src/run/journal.ts';
import { command, east, eastId, scene, type Scene } from '../jobs/scene.ts';

const settled = { as: 'cancelled', at: '2026-11-21T10:12:00.000Z', reason: 'test' } as const;

let made: Scene;

/** A failover whose fence has cancelled two jobs, and that was cancelled then. */
beforeEach(async () => {
  made = scene();
  await made.addJob('train', command());
  await made.addJob('queued', command({ status: 'Queued', tags: {} }));
  await made.addJob('done', command({ status: 'Completed' }));
  await openRun(made.store, made.context().run);
  await stopOldJobs(made.context(), made.readLedger);
  await changeRun(made.store, 'run-1', { state: 'cancelled' });
});

async function collected(): Promise<string[]> {
  const leftCancelled = await jobsLeftCancelled(made.store, 'eastus');
  const jobs = await Array.fromAsync(collectJobs({ arm: made.arm, workspace: east, leftCancelled }));
  return jobs.map(({ name }) => name).toSorted();
}

function change(name: string, properties: Record<string, string | Record<string, string>>): void {
  Object.assign(made.arm.resources.get(`${eastId}/jobs/${name}`.toLowerCase())?.properties ?? {}, properties);
}

describe('a later recovery point', () => {
  it('does not forget them', async () => {
    expect(await jobsLeftCancelled(made.store, 'eastus')).toEqual({ train: 'run-1', queued: 'run-1' });
    expect(await jobsLeftCancelled(made.store, 'westus3')).toEqual({});
    expect(await collected()).toEqual(['queued', 'train']);
  });

  it('has not those of a run that went on to its end', async () => {
    await changeRun(made.store, 'run-1', { state: 'completed' });
    expect(await collected()).toEqual([]);
  });

  it('has not one that has a successor, that is gone, or whose owner wants no more of it', async () => {
    const [train] = made.ledger;
    await planSuccessor(made.store, { entry: train!, to: 'westus3', run: 'run-2', settled });
    change('queued', { tags: { 'understudy.resume': 'never' } });
    expect(await collected()).toEqual(['train']);
    await markSubmitted(made.store, train!.lineageRoot, 1);
    expect(await collected()).toEqual([]);
    made.arm.resources.delete(`${eastId}/jobs/queued`.toLowerCase());
    expect(await collected()).toEqual([]);
  });

  it('takes one that runs on for a job like any other', async () => {
    change('train', { status: 'Running' });
    const left = await jobsLeftCancelled(made.store, 'eastus');
    const jobs = await Array.fromAsync(collectJobs({ arm: made.arm, workspace: east, leftCancelled: left }));
    expect(jobs.map((job) => [job.name, leftCancelledBy(job, left)])).toEqual([
      ['train', undefined],
      ['queued', 'run-1'],
    ]);
  });
});

describe('a later failover', () => {
  const later = () => ({ ...made.context(), run: { ...made.context().run, runId: 'run-2' } });

  it('resumes them from a recovery point of before, once', async () => {
    await stopOldJobs(later(), made.readLedger);
    const result = await made.resubmit(later());
    expect(result.counts?.[0]).toMatchObject({ expected: 3, done: 2 });
    expect(made.successors()).toHaveLength(2);
    // With successors they are no more to be listed, whatever becomes of that run.
    await openRun(made.store, { ...later().run });
    await changeRun(made.store, 'run-2', { state: 'cancelled' });
    expect(await jobsLeftCancelled(made.store, 'eastus')).toEqual({});
  });

  it('leaves them for a person from a recovery point of after: they may have been submitted again', async () => {
    const left = await jobsLeftCancelled(made.store, 'eastus');
    for (const entry of made.ledger) {
      const by = left[entry.name];
      if (by !== undefined) Object.assign(entry, { status: 'Canceled', cancelledBy: by });
    }
    await stopOldJobs(later(), made.readLedger);
    const result = await made.resubmit(later());
    expect(made.successors()).toEqual([]);
    expect(result.lost).toEqual([
      expect.stringMatching(/^job "(train|queued)" of ana is left for a person: the fence of run run-1/),
      expect.stringMatching(/^job "(train|queued)" of ana is left for a person: the fence of run run-1/),
    ]);
  });
});

describe('what the cancelled run says of them', () => {
  const touched = (resumed: boolean) => {
    const { plan } = made.context();
    // The scene has no recovery point in its control store: what the fence saw is enough.
    const { recoveryPoint: _point, ...rest } = plan;
    return jobsTouched(made.store, { runId: 'run-1', plan: rest, point: undefined, resumed });
  };

  it('names each, its owner and what to do', async () => {
    expect(await touched(false)).toEqual([
      {
        name: 'queued',
        owner: 'ana',
        status: 'Queued',
        situation: 'the fence cancelled it, and it runs nowhere',
        action: 'submit it again in eastus',
        reason: 'the fence cancelled it, and it runs nowhere: submit it again in eastus',
        twice: false,
      },
      {
        name: 'train',
        owner: 'ana',
        status: 'Running',
        situation: 'the fence cancelled it, and it runs nowhere',
        action: 'submit it again in eastus',
        reason: 'the fence cancelled it, and it runs nowhere: submit it again in eastus',
        twice: false,
      },
    ]);
  });

  it('names the successor that was submitted and that nothing undoes', async () => {
    const [train] = made.ledger;
    await planSuccessor(made.store, { entry: train!, to: 'westus3', run: 'run-1', settled });
    expect((await touched(true)).map(({ reason }) => reason)).toEqual([
      'the fence cancelled it, and it runs nowhere: submit it again in eastus',
      expect.stringContaining('may have been submitted in westus3: leave it, or cancel it'),
    ]);
    await markSubmitted(made.store, train!.lineageRoot, 1);
    const name = successorName(train!.lineageRoot, 1);
    expect((await touched(true))[1]).toMatchObject({
      name: 'train',
      successor: name,
      reason: `the fence cancelled it, and its successor "${name}" was submitted in westus3 and is not cancelled: leave it, or cancel it and submit the job again in eastus`,
    });
  });
});
