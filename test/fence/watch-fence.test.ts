/** Jobs that are resumed while the fence still ends others: each as soon as it is settled, and none before. */
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { beginStopping, changeStopping, StoppedRecord, type StoppingEnd } from '../../src/fence/stopped-jobs.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { recordStep } from '../../src/run/journal.ts';
import { command, scene, topologyWith, type Scene } from '../jobs/scene.ts';

const began = { region: 'eastus', progressAt: '2026-11-21T10:11:00.000Z', attempt: 1 };
const canceledAt = '2026-11-21T10:12:00.000Z';
const stopId = 'fence/platform/jobs';

let made: Scene;
let record: StoppedRecord;

/** A fence that has listed three jobs and asked them to end. */
beforeEach(async () => {
  made = scene();
  for (const name of ['one', 'two', 'three']) await made.addJob(name, command());
  record = await StoppedRecord.open(made.store, 'run-1');
  const stopped = Object.fromEntries(
    made.ledger.map(({ name, lineageRoot, hop }) => [name, { status: 'Running', lineageRoot, hop }]),
  );
  await record.add({ stopped, ended: {} });
  await beginStopping(made.store, 'run-1', began);
  await changeStopping(made.store, 'run-1', 1, { found: 3 });
});

async function confirm(name: string): Promise<void> {
  const job = record.stopped[name];
  if (job) await record.add({ stopped: { [name]: { ...job, canceledAt } }, ended: {} });
}
const end = (as: StoppingEnd['as'], reason = 'for a reason') =>
  changeStopping(made.store, 'run-1', 1, { end: { as, reason } });
const resume = () => made.resubmit(made.fencing());
const origins = () =>
  made
    .successors()
    .map(
      ({ properties }) => (properties['tags'] as Record<string, string>)['understudy.origin']?.split('/').at(-1) ?? '',
    )
    .toSorted();

describe('a job', () => {
  it('has a successor once it has ended, and waits for no other', async () => {
    const resumed = resume();
    await wait(1500);
    expect(origins()).toEqual([]);
    await confirm('two');
    await vi.waitFor(() => expect(origins()).toEqual(['two']), { timeout: 5000 });
    await confirm('one');
    await confirm('three');
    await vi.waitFor(() => expect(origins()).toEqual(['one', 'three', 'two']), { timeout: 5000 });
    await end('stopped');
    expect(await resumed).toMatchObject({ state: 'completed', counts: [{ expected: 3, done: 3 }] });
  });

  it('that may run on has none where its region answers: it is owed, and said first', async () => {
    await confirm('two');
    await end('unconfirmed', '2 of 3 jobs are still being cancelled');
    expect(await resume()).toMatchObject({
      state: 'owed',
      detail: expect.stringContaining('2 owed: eastus has not confirmed that they ended'),
      counts: [{ expected: 3, done: 1, skipped: [{ reason: 'owed: its end is not confirmed', count: 2 }] }],
      lost: [
        expect.stringMatching(/^job "one" of ana has no successor: .*2 of 3 jobs are still being cancelled/),
        expect.stringMatching(/^job "three" of ana has no successor/),
        expect.stringMatching(/^job "two" of ana starts again/),
      ],
    });
    expect(origins()).toEqual(['two']);
  });

  it.each(['silent', 'gone'] as const)('has one where the region is %s', async (as) => {
    await confirm('two');
    await end(as);
    expect(await resume()).toMatchObject({ state: 'completed', counts: [{ expected: 3, done: 3 }] });
  });

  it('is not taken for lost by what an earlier execution found: the region may answer by now', async () => {
    await end('silent');
    await note(stopId, 'wf-1', 'running');
    await note('resume/training/jobs', 'wf-2', 'running');
    const resumed = resume();
    await wait(1500);
    expect(origins()).toEqual([]);
    await note(stopId, 'wf-2', 'running', 2);
    await beginStopping(made.store, 'run-1', { ...began, attempt: 2 });
    await expect(end('silent')).rejects.toMatchObject({ code: 'FencedError' });
    for (const name of ['one', 'two', 'three']) await confirm(name);
    await changeStopping(made.store, 'run-1', 2, { end: { as: 'stopped', reason: 'all' } });
    expect(await resumed).toMatchObject({ state: 'completed', counts: [{ expected: 3, done: 3 }] });
  });

  it('is not resumed twice by an attempt that is killed while it waits', async () => {
    await confirm('two');
    const killed = new AbortController();
    const first = made.resubmit(made.fencing({ signal: killed.signal }));
    await vi.waitFor(() => expect(origins()).toEqual(['two']), { timeout: 5000 });
    killed.abort();
    await expect(first).rejects.toThrow();
    for (const name of ['one', 'three']) await confirm(name);
    await end('stopped');
    const cursor = made.progress.at(-1)?.cursor;
    const again = await made.resubmit(made.fencing({ cursor }));
    expect(again.counts).toMatchObject([{ expected: 3, done: 3 }]);
    expect(origins()).toEqual(['one', 'three', 'two']);
  });
});

const note = (step: string, holder: string, state: 'failed' | 'running', attempts = 1) =>
  recordStep(made.store, 'run-1', step, () => ({ step, holder, state, attempts, startedAt: canceledAt }));

describe('a fence that fails', () => {
  it('leaves no job waiting for ever: those that have ended are resumed, and the step says how many are not', async () => {
    await confirm('two');
    await note(stopId, 'wf-1', 'failed');
    await note('resume/training/jobs', 'wf-1', 'running');
    await expect(resume()).rejects.toMatchObject({
      code: 'PreconditionError',
      message: `2 of 3 jobs have no successor: step ${stopId} failed, and they may run on in eastus`,
    });
    expect(origins()).toEqual(['two']);
  });

  it('in an earlier execution of the run says nothing: it is tried again', async () => {
    await note(stopId, 'wf-1', 'failed');
    await note('resume/training/jobs', 'wf-2', 'running');
    const resumed = resume();
    const stopping = stopOldJobs(made.fencing(), made.readLedger);
    expect((await stopping).state).toBe('completed');
    expect(await resumed).toMatchObject({ counts: [{ expected: 3, done: 3 }] });
  });
});

describe('the jobs of a fence', () => {
  it('are ended in the order in which they are resumed', async () => {
    const urgent = scene(topologyWith({ jobs: { priority: ['high', 'normal'] } }));
    for (const [name, priority] of [
      ['a', 'normal'],
      ['b', 'high'],
      ['c', 'none'],
      ['d', 'high'],
    ] as const)
      await urgent.addJob(name, command({ tags: { priority } }));
    await stopOldJobs(urgent.fencing(), urgent.readLedger);
    const asked = urgent.arm.requests.filter((each) => each.startsWith('POST'));
    expect(asked.map((each) => each.split('/').at(-2))).toEqual(['b', 'd', 'a', 'c']);
  });

  it('are all written down in parts of some size, whoever writes them', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1200 }, (_, index) => [
        `job-${index}`,
        { status: 'Running', lineageRoot: `r${index}`, hop: 0 },
      ]),
    );
    const [mine, theirs] = await Promise.all([1, 2].map(() => StoppedRecord.open(made.store, 'run-9')));
    await Promise.all([
      mine?.add({ stopped: many, ended: {} }),
      theirs?.add({ stopped: {}, ended: { other: { status: 'Completed', seenAt: canceledAt } } }),
    ]);
    const parts = [...made.store.documents].filter(([name]) => name.startsWith('runs/run-9/stopped-jobs/'));
    expect(parts).toHaveLength(4);
    for (const [, { text }] of parts) expect(text.length).toBeLessThan(100_000);
    const { stopped, ended } = await StoppedRecord.open(made.store, 'run-9');
    expect([Object.keys(stopped).length, Object.keys(ended)]).toEqual([1200, ['other']]);
  });
});
