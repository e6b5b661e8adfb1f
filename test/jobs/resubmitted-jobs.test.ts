/** What a resubmission has written down of its jobs, read again by a second attempt. */
import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../src/jobs/job-record.ts';
import { ResubmittedJobs } from '../../src/jobs/resubmitted-jobs.ts';
import { scene } from './scene.ts';

const record: JobRecord = {
  old: 'train',
  new: 'understudy-train',
  class: 'resubmit',
  outcome: 'submitted',
  reason: 'it goes on from its last checkpoint',
  group: 'resumed',
  type: 'Command',
  status: 'Running',
  hop: 1,
  files: { expected: 3, done: 3 },
  passedOver: { name: 'step-4', why: 'it was being written' },
  lost: { since: '2026-11-21T10:00:00.000Z', from: 'checkpoint', ms: 60_000 },
  changes: [{ place: 'properties.computeId', from: 'a', to: 'b' }],
};
const place = 'runs/run-1/evidence/jobs-0001.json';

async function written() {
  const made = scene();
  await new ResubmittedJobs(made.context(), 1).add([record], 1);
  const again = () => new ResubmittedJobs(made.context({ cursor: { batches: 1 } }), 1);
  return { store: made.store, again };
}

describe('a second attempt', () => {
  it('takes over what is written, as it is', async () => {
    const { store, again } = await written();
    const jobs = again();
    expect(await jobs.writtenBefore()).toEqual(new Map([['train', record]]));
    expect(jobs.tally.result(1, 'eastus')).toMatchObject({ facts: { resumed: 1 } });
    expect((await store.read(place))?.value).toEqual([record]);
  });

  it.each([
    ['another outcome', [{ ...record, outcome: 'lost' }], '0.outcome: Invalid option'],
    ['a job without its name', [record, { ...record, old: undefined }], '1.old: Invalid input'],
    ['no list', { jobs: [record] }, 'Invalid input: expected array'],
  ])('refuses what was altered, and names it: %s', async (_what, value, says) => {
    const { store, again } = await written();
    await store.write(place, JSON.stringify(value), 'application/json');
    await expect(again().writtenBefore()).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining(`list of resubmitted jobs "${place}": ${says}`) as string,
      details: { place, next: expect.stringContaining('Damaged documents') as string },
    });
  });
});
