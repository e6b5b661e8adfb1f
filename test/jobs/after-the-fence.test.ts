/** What the fence saw of the old jobs decides what becomes of them. */
import { describe, expect, it } from 'vitest';
import { ledgerName, successorName, type LedgerDocument } from '../../src/ledger/ledger.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { command, eastId, scene, topologyWith } from './scene.ts';

const checkpoint = {
  datastore: 'workspaceblobstore',
  path: 'azureml/train/checkpoints',
  lastFile: 'step-3.json',
  files: 3,
  recoveryPoint: '2026-11-21T10-00-00.000Z-e1',
};

const rootOf = (name: string) => `eastus.fraud-east.${name}`;

describe('what the fence saw', () => {
  it('a job that completed is not run again, one that failed is left for a person, one that was cancelled goes on', async () => {
    const made = scene();
    await made.addJob('done', command());
    await made.addJob('broke', command(), checkpoint);
    await made.addJob('train', command(), checkpoint);
    const end = (name: string, status: string) => {
      const job = made.arm.resources.get(`${eastId}/jobs/${name}`.toLowerCase());
      if (job) job.properties['status'] = status;
    };
    end('done', 'Completed');
    end('broke', 'Failed');
    const stopped = await stopOldJobs(made.context(), made.readLedger);
    expect(stopped.detail).toBe('1 unfinished job of workspace "fraud-east" cancelled');
    // Killed and run again: the job that we cancelled did not end by itself.
    await stopOldJobs(made.context(), made.readLedger);
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({
      done: 1,
      skipped: [
        { reason: 'completed before the fence', count: 1 },
        { reason: 'left for a person: failed before the fence', count: 1 },
      ],
    });
    expect(result.lost).toEqual([
      expect.stringMatching(
        /^job "broke" of ana is left for a person: it was Running at .* and had ended Failed at .*; its last checkpoint is in /,
      ),
    ]);
    const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
    expect(document?.value.successors[0]?.settled).toMatchObject({
      as: 'cancelled',
      reason: 'the fence of run run-1 saw it canceled at 2026-11-21T10:12:00.000Z',
    });
  });

  it('a job that was only asked to end, by a region that has fallen silent, is not said to be cancelled', async () => {
    const made = scene(topologyWith({ policies: { fenceDeadline: '1s' } }));
    await made.addJob('train', command(), checkpoint);
    made.arm.start = () => {
      for (const method of ['GET', 'LIST'] as const)
        made.arm.faults.push({ method, path: /ml-east/, kind: 'silent', times: 99 });
      return Promise.resolve();
    };
    const fence = made.fencing();
    expect((await stopOldJobs(fence, made.readLedger)).state).toBe('owed');
    await made.resubmit(fence);
    const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
    expect(document?.value.successors[0]?.settled).toMatchObject({
      as: 'lost',
      reason: 'the fence of run run-1 set out to cancel it, and has not seen that it ended',
    });
  });

  it('a job that failed while the fence was ending all is resumed: it lost what it wrote with', async () => {
    const made = scene();
    await made.addJob('train', command(), checkpoint);
    made.arm.start = (path) => {
      const job = made.arm.resources.get(path.replace(/\/cancel$/, '').toLowerCase());
      if (job) job.properties['status'] = 'Failed';
      return Promise.resolve();
    };
    const fence = made.fencing();
    await stopOldJobs(fence, made.readLedger);
    expect((await made.resubmit(fence)).counts?.[0]).toMatchObject({ done: 1 });
    const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
    expect(document?.value.successors[0]?.settled).toMatchObject({
      as: 'finished',
      reason: `the fence of run run-1 was ending it, and saw it Failed at 2026-11-21T10:12:00.000Z`,
    });
  });
});

describe('a successor that an earlier run had submitted, and that was then cancelled', () => {
  const first = successorName(rootOf('train'), 1);
  const second = successorName(rootOf('train'), 2);

  /** A later failover of the same job, whose first successor is in this state by then. */
  async function later(status: string) {
    const made = scene();
    await made.addJob('train', command(), checkpoint);
    await made.resubmit();
    const [successor] = made.successors();
    if (successor) successor.properties['status'] = status;
    const context = { ...made.context(), run: { ...made.context().run, runId: 'run-2' } };
    const resubmit = () => made.resubmit(context);
    return { made, result: await resubmit(), again: resubmit };
  }

  it('is the successor still, where it runs', async () => {
    const { made, result } = await later('Running');
    expect(made.successors().map(({ name }) => name)).toEqual([first]);
    expect(result.counts?.[0]).toMatchObject({ done: 1 });
  });

  it.each(['Canceled', 'CancelRequested'])(
    'has a successor itself, once, where a person ended it (%s)',
    async (status) => {
      const { made, again } = await later(status);
      await again();
      expect(
        made
          .successors()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual([first, second].toSorted());
      const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
      expect(document?.value.successors.map(({ hop, state, predecessor }) => [hop, state, predecessor])).toEqual([
        [1, 'cancelled', 'train'],
        [2, 'submitted', first],
      ]);
    },
  );

  it('has done the work, where it completed; where it failed, a person decides', async () => {
    const completed = await later('Completed');
    expect(completed.result.counts?.[0]).toMatchObject({
      done: 0,
      skipped: [{ reason: 'its successor completed', count: 1 }],
    });
    const { made, result } = await later('Failed');
    expect(made.successors()).toHaveLength(1);
    expect(result.lost).toEqual([
      `job "train" of ana is left for a person: its successor "${first}", which run run-1 had submitted, is Failed`,
    ]);
  });
});
