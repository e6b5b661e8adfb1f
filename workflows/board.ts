/** The run as it stands: every step's state, kept by the workflow and shown by its query. Deterministic. */
import type { Step } from '../src/plan/plan.ts';
import { mayMove, type RunState } from '../src/plan/run-states.ts';
import type { StepRecord } from '../src/run/outcome.ts';
import type { RunProgress, StepProgress } from '../src/run/progress.ts';
import type { RunReference } from '../src/run/reference.ts';

export interface Board {
  readonly progress: RunProgress;
  move(state: RunState, reason?: string): void;
  step(id: string): StepProgress;
  settle(record: StepRecord): void;
}

export function makeBoard(
  run: RunReference,
  header: { from: string; to: string; triggeredAt: string },
  steps: Omit<Step, 'input'>[],
): Board {
  const progress: RunProgress = {
    runId: run.runId,
    operation: run.operation,
    topology: run.topology,
    from: header.from,
    to: header.to,
    state: 'pending',
    startedAt: header.triggeredAt,
    steps: steps.map((step) => ({
      id: step.id,
      ...(step.phase ? { phase: step.phase } : {}),
      class: step.class,
      title: step.title,
      state: 'pending',
    })),
  };
  const byId = new Map(progress.steps.map((step) => [step.id, step]));
  const find = (id: string): StepProgress => {
    const step = byId.get(id);
    if (!step) throw new Error(`step ${id} is not in the plan`);
    return step;
  };
  return {
    progress,
    move(state, reason) {
      if (!mayMove(progress.state, state))
        throw new Error(`a run cannot move from ${progress.state} to ${state}`);
      progress.state = state;
      if (reason === undefined) delete progress.reason;
      else progress.reason = reason;
    },
    step: find,
    settle(record) {
      const step = find(record.step);
      step.state = record.state;
      step.startedAt = record.startedAt;
      if (record.endedAt !== undefined) step.endedAt = record.endedAt;
      if (record.detail !== undefined) step.detail = record.detail;
      if (record.attempts > 1) step.attempt = record.attempts;
      if (record.owed?.length) step.owed = record.owed.length;
      if (record.lost?.length) step.lost = record.lost.length;
    },
  };
}
