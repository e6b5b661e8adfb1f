import { describe, expect, it } from 'vitest';
import { changeDescriber } from '../../../src/cli/view/lines.ts';
import { at } from '../../report/example-run.ts';
import { progressAt, withStep } from './example-progress.ts';

const pointer = 'fence/platform/takePointer';

describe('plain lines', () => {
  it('say each change once, however often it is looked at', () => {
    const describeChanges = changeDescriber();
    const lines: string[] = [];
    for (let second = 0; second <= 220; second += 1)
      lines.push(...describeChanges(progressAt(second), new Date(at(second))));
    expect(new Set(lines).size).toBe(lines.length);
    // The run twice at its start and once at its end; 13 steps that were seen to run and to end.
    expect(lines).toHaveLength(3 + 13 * 2);
    expect(lines.at(-1)).toBe(' +3m 35s  failover of fraud-ml, eastus → westus3: completed: every step is done');
    expect(describeChanges(progressAt(300), new Date(at(300)))).toEqual([]);
  });

  it('carry the time at which it happened, not the time at which it was seen', () => {
    const lines = changeDescriber()(progressAt(30), new Date(at(30)));
    expect(lines).toContain('   +1.0s  fence/platform/takePointer: Take the region pointer with epoch 2: running');
    expect(lines).toContain(
      '  +23.4s  fence/platform/stopOldJobs: Stop the jobs of fraud-east: completed in 20.2s: fraud-east did not answer within 20s [1 owed]',
    );
    const times = lines.map((line) => Number.parseFloat(line.trim().slice(1)));
    expect(times).toEqual(times.toSorted((left, right) => left - right));
  });

  it('say what a step waits for, each time that it changes', () => {
    const describeChanges = changeDescriber();
    describeChanges(progressAt(2), new Date(at(2)));
    const waiting = (done: number, waitsFor: string) =>
      withStep(progressAt(2), pointer, { progress: { unit: 'jobs', done, total: 2, waitsFor } });
    expect(describeChanges(waiting(0, 'for job "a" to end'), new Date(at(2.5)))).toEqual([
      '   +2.5s  fence/platform/takePointer: Take the region pointer with epoch 2: 0 of 2 jobs; waits for job "a" to end',
    ]);
    expect(describeChanges(waiting(0, 'for job "a" to end'), new Date(at(3)))).toEqual([]);
    expect(describeChanges(waiting(1, 'for job "b" to end'), new Date(at(3)))).toHaveLength(1);
  });

  it('say another attempt, and what went wrong before it, once', () => {
    const describeChanges = changeDescriber();
    describeChanges(progressAt(2), new Date(at(2)));
    const again = withStep(progressAt(2), pointer, {
      attempt: 2,
      lastError: 'the control store did not answer',
    });
    expect(describeChanges(again, new Date(at(2.5)))).toEqual([
      '   +2.5s  fence/platform/takePointer: Take the region pointer with epoch 2: attempt 2 after: the control store did not answer',
    ]);
    expect(describeChanges(again, new Date(at(3)))).toEqual([]);
  });

  it('say each thing a step waits for', () => {
    const describeChanges = changeDescriber();
    const waiting = (detail: string) => withStep(progressAt(2), pointer, { state: 'waiting', detail });
    expect(describeChanges(waiting('for approval by ml-oncall'), new Date(at(2))).at(-1)).toContain(
      'waiting: for approval by ml-oncall',
    );
    expect(describeChanges(waiting('for the lease to end'), new Date(at(3))).at(-1)).toContain(
      'waiting: for the lease to end',
    );
    expect(describeChanges(waiting('for the lease to end'), new Date(at(4)))).toEqual([]);
  });

  it('say a pause and its end, and a step that will not run', () => {
    const describeChanges = changeDescriber();
    describeChanges(progressAt(2), new Date(at(2)));
    expect(describeChanges({ ...progressAt(2), paused: true }, new Date(at(3)))).toEqual([
      expect.stringContaining('+3.0s  failover of fraud-ml, eastus → westus3: paused, running'),
    ]);
    expect(describeChanges(progressAt(2), new Date(at(4)))).toEqual([expect.stringMatching(/\+4\.0s .*: running$/)]);
    const held = withStep(progressAt(2), 'resume/training/resubmitJobs', {
      detail: 'not run: needs switch/training/rewriteConfigs',
    });
    expect(describeChanges(held, new Date(at(5)))).toEqual([expect.stringContaining('not run: needs')]);
  });

  it('say how a step failed and was undone', () => {
    const describeChanges = changeDescriber();
    describeChanges(progressAt(2), new Date(at(2)));
    const failed = withStep(progressAt(2), pointer, {
      state: 'failed',
      endedAt: at(2.5),
      detail: 'somebody holds the epoch',
    });
    expect(describeChanges(failed, new Date(at(3)))).toEqual([
      expect.stringContaining(
        '+2.5s  fence/platform/takePointer: Take the region pointer with epoch 2: failed in 1.5s: somebody holds the epoch',
      ),
    ]);
    const states = (['undoing', 'undone'] as const).flatMap((state) =>
      describeChanges(withStep(progressAt(4), pointer, { state }), new Date(at(9))).filter((line) =>
        line.includes(pointer),
      ),
    );
    expect(states).toEqual([expect.stringMatching(/\+9\.0s .*: undoing/), expect.stringMatching(/\+9\.0s .*: undone/)]);
  });
});
