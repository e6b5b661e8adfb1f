/**
 * The current state of the run: every step's state, maintained by the workflow and shown by its query. Deterministic.
 */
import { mayMove, type RunState } from '../src/plan/run-states.ts';
import type { BegunRun, PlanStep } from '../src/run/begin-run.ts';
import type { StepOutcome } from '../src/run/work/outcome.ts';
import type { RunProgress, StepProgress } from '../src/run/progress.ts';
import type { RunReference } from '../src/run/reference.ts';

/** The run's progress, and the changes that the workflow makes to it. */
export interface Board {
  readonly progress: RunProgress;
  move(state: RunState, reason?: string): void;
  /** Adds steps of an earlier execution, if this one was cancelled as it began and does not show them yet. */
  show(steps: readonly PlanStep[]): void;
  step(id: string): StepProgress;
  /** A gate waits for people, and the run with it. */
  ask(id: string, what: string): void;
  /** It no longer does; nothing happens if it did not. */
  answered(id: string): void;
  record(outcome: StepOutcome): void;
}

/** What a board is made from. */
interface Begun extends Pick<BegunRun, 'steps'> {
  header: Pick<BegunRun['header'], 'from' | 'to' | 'triggeredAt'>;
}

/** The board of a run that begins: every step is pending until its outcome is recorded. */
export function makeBoard(run: RunReference, { header, steps }: Begun): Board {
  const { from, to, triggeredAt } = header;
  const progress: RunProgress = {
    runId: run.runId,
    operation: run.operation,
    topology: run.topology,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    state: 'pending',
    startedAt: triggeredAt,
    steps: steps.map(shownOf),
  };
  const byId = new Map(progress.steps.map((step) => [step.id, step]));
  const asking = new Map<string, string>();
  const find = (id: string): StepProgress => {
    const step = byId.get(id);
    if (!step) throw new Error(`step ${id} is not in the plan`);
    return step;
  };
  const board: Board = {
    progress,
    move(state, reason) {
      if (!mayMove(progress.state, state)) throw new Error(`a run cannot move from ${progress.state} to ${state}`);
      progress.state = state;
      if (reason === undefined) delete progress.reason;
      else progress.reason = reason;
    },
    show(more) {
      for (const step of more.filter(({ id }) => !byId.has(id)).map(shownOf)) {
        progress.steps.push(step);
        byId.set(step.id, step);
      }
    },
    step: find,
    ask(id, what) {
      asking.set(id, what);
      Object.assign(find(id), { state: 'waiting', detail: what });
      board.move('waiting', what);
    },
    answered(id) {
      if (!asking.delete(id)) return;
      const [next] = asking.values();
      if (progress.state === 'waiting') board.move(next === undefined ? 'running' : 'waiting', next);
    },
    record(outcome) {
      const step = byId.get(outcome.step);
      if (!step) return;
      step.state = outcome.state;
      step.startedAt = outcome.startedAt;
      if (outcome.endedAt !== undefined) step.endedAt = outcome.endedAt;
      if (outcome.detail !== undefined) step.detail = outcome.detail;
      if (outcome.attempts > 1) step.attempt = outcome.attempts;
      if (outcome.owed !== undefined) step.owed = outcome.owed;
      if (outcome.lost !== undefined) step.lost = outcome.lost;
    },
  };
  return board;
}

function shownOf({ id, phase, class: resourceClass, title }: PlanStep): StepProgress {
  return { id, ...(phase ? { phase } : {}), class: resourceClass, title, state: 'pending' };
}
