/** What the fence saw of the old jobs decides what becomes of them. */
import { describe, expect, it } from 'vitest';
import { ledgerName, type LedgerDocument } from '../../src/jobs/ledger.ts';
import { makeResubmitJobs } from '../../src/jobs/resubmit.ts';
import { stopOldJobs } from '../../src/jobs/stop-old-jobs.ts';
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
    const stopped = await stopOldJobs(made.context(), made.sources.readLedger);
    expect(stopped.detail).toBe('1 unfinished job of workspace "fraud-east" cancelled');
    // Killed and run again: the job that we cancelled did not end by itself.
    await stopOldJobs(made.context(), made.sources.readLedger);
    const result = await makeResubmitJobs(made.sources)(made.context());
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

  it('a job that was only asked to end is not said to be cancelled', async () => {
    const made = scene(topologyWith({ policies: { fenceDeadline: '1s' } }));
    await made.addJob('train', command(), checkpoint);
    made.arm.post = () => Promise.resolve(null);
    await stopOldJobs(made.context(), made.sources.readLedger);
    await makeResubmitJobs(made.sources)(made.context());
    const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
    expect(document?.value.successors[0]?.settled).toMatchObject({
      as: 'lost',
      reason: 'the fence of run run-1 asked it to end, and has not seen that it did',
    });
  });
});
