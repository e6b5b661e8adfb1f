/** The example run as its workflow would show it so many seconds after the trigger. */
import type { RunProgress, StepProgress } from '../../../src/run/progress.ts';
import { at, plan, records } from '../../report/example-run.ts';

export function progressAt(seconds: number): RunProgress {
  const over = seconds >= 215;
  return {
    runId: 'failover-20261121-100000-a1',
    operation: 'failover',
    topology: 'fraud-ml',
    from: 'eastus',
    to: 'westus3',
    state: over ? 'completed' : 'running',
    startedAt: at(0),
    ...(over && { endedAt: at(215), reason: 'every step is done' }),
    steps: plan.steps.map((step): StepProgress => {
      const base = {
        id: step.id,
        class: step.class,
        title: step.title,
        ...(step.phase && { phase: step.phase }),
      };
      const record = records.find((each) => each.step === step.id);
      if (!record?.endedAt || at(seconds) < record.startedAt) return { ...base, state: 'pending' };
      const { startedAt, endedAt } = record;
      if (at(seconds) < endedAt) {
        const work = step.action === 'restoreBlobs' && {
          progress: { unit: 'blobs', done: 53, total: 212, bytes: 6_020_000 },
        };
        return { ...base, state: 'running', startedAt, ...work };
      }
      return {
        ...base,
        state: record.state === 'skipped' ? 'skipped' : 'completed',
        startedAt,
        endedAt,
        ...(record.detail !== undefined && { detail: record.detail }),
        ...(record.lost && { lost: record.lost.length }),
        ...(record.owed && { owed: record.owed.length }),
      };
    }),
  };
}

/** Changes one step of a progress. */
export function withStep(progress: RunProgress, id: string, change: Partial<StepProgress>): RunProgress {
  return {
    ...progress,
    steps: progress.steps.map((step) => (step.id === id ? { ...step, ...change } : step)),
  };
}
