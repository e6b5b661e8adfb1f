/**
 * Interprets a plan: every step as soon as what it needs is done, each by an activity of its action's name. The plan is
 * not compiled here, and outcomes are not decided here: the journal has them before this workflow hears of them.
 */
import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
  ActivityFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import { actions, type Profile } from '../src/plan/actions.ts';
import type { Step } from '../src/plan/plan.ts';
import { hostQueue } from '../src/plan/queues.ts';
import { searchAttributes } from '../src/plan/search-attributes.ts';
import type { RunSummary } from '../src/run/outcome.ts';
import type { RunExecution, RunReference } from '../src/run/reference.ts';
import { makeBoard, type Board } from './board.ts';
import * as messages from './messages.ts';

type PlanStep = Omit<Step, 'input'>;

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** One profile a kind of work; a step is retried until its profile's time is up, or until its error is final. */
const profiles: Record<Profile, ActivityOptions> = {
  // Looks and answers: tried often, given up after minutes, since a person waits for the answer.
  probe: { startToCloseTimeout: '10m', scheduleToCloseTimeout: '30m', heartbeatTimeout: '5s', retry },
  // A few calls to Azure's control plane, which may throttle, fail and recover for a while.
  control: { startToCloseTimeout: '30m', scheduleToCloseTimeout: '2h', heartbeatTimeout: '5s', retry },
  // Long work that resumes from its cursor: a lost worker is noticed within seconds, the work may take hours.
  transfer: { startToCloseTimeout: '12h', scheduleToCloseTimeout: '24h', heartbeatTimeout: '5s', retry },
};

const outcomeKey = defineSearchAttributeKey(searchAttributes.outcome, 'KEYWORD');

const { beginRun, endRun } = proxyActivities<Activities>(profiles.control);

/** One run. Its id is the run's; its result says how it ended; what happened is in the journal and the report. */
export async function executePlan(reference: RunReference & { resumed?: boolean }): Promise<RunSummary> {
  const run: RunExecution = { ...reference, holder: workflowInfo().firstExecutionRunId };
  let paused = false;
  let board: Board | undefined;
  setHandler(messages.progress, () => {
    if (!board) throw new Error('the run has not begun: its plan is being read');
    return { ...board.progress, paused };
  });
  setHandler(messages.pause, () => void (paused = true));
  setHandler(messages.resume, () => void (paused = false));

  const begun = await beginRun(run);
  board = makeBoard(run, begun.header, begun.steps);
  for (const record of begun.records) board.settle(record);
  board.move('running');
  try {
    await runSteps(run, begun.steps, board, () => paused);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(() => undoSteps(run, begun.steps, board));
  }
  const failed = board.progress.steps.filter(
    (step) => step.state !== 'completed' && step.state !== 'skipped',
  );
  return end(run, board, failed.length === 0 ? 'completed' : 'failed', reasonOf(failed));
}

/** Every step waits for what it needs, and for a pause to be over; a failure holds up only what needs the step. */
async function runSteps(
  run: RunExecution,
  steps: PlanStep[],
  board: Board,
  isPaused: () => boolean,
): Promise<void> {
  const finished = new Map<string, Promise<boolean>>();
  const execute = async (step: PlanStep): Promise<boolean> => {
    const needs = await Promise.all(step.needs.map((id) => finished.get(id) ?? Promise.resolve(false)));
    const missing = step.needs.filter((_, index) => needs[index] !== true);
    if (missing.length > 0) {
      board.step(step.id).detail = `not run: needs ${missing.join(', ')}`;
      return false;
    }
    await condition(() => !isPaused());
    return runStep(run, step, board);
  };
  for (const step of steps) finished.set(step.id, execute(step));
  await Promise.all(finished.values());
}

async function runStep(run: RunExecution, step: PlanStep, board: Board): Promise<boolean> {
  const shown = board.step(step.id);
  if (shown.state === 'completed' || shown.state === 'skipped') return true;
  shown.state = 'running';
  shown.startedAt ??= new Date().toISOString();
  const activities = proxyActivities<Activities>({
    ...profiles[actions[step.action].profile],
    activityId: step.id,
    summary: step.title,
    ...(step.host === undefined ? {} : { taskQueue: hostQueue(step.host), scheduleToStartTimeout: '2m' }),
  });
  try {
    board.settle(await activities[step.action]({ run, step: step.id }));
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    shown.state = 'failed';
    shown.endedAt = new Date().toISOString();
    shown.lastError = causeOf(error);
    shown.detail = causeOf(error);
    log.warn('step failed', { step: step.id, cause: shown.lastError });
    return false;
  }
}

/** Cancelled: what can be undone is undone, newest first; each outcome is in the journal, failures included. */
async function undoSteps(run: RunExecution, steps: PlanStep[], board: Board): Promise<RunSummary> {
  board.move('undoing', 'cancelled by a person');
  const done = board.progress.steps
    .filter((step) => step.state === 'completed' || step.state === 'running')
    .toSorted((a, b) => ((a.endedAt ?? '9') < (b.endedAt ?? '9') ? 1 : -1));
  for (const shown of done) {
    const step = steps.find((each) => each.id === shown.id);
    if (step?.undoable !== true) continue;
    shown.state = 'undoing';
    const { undoStep } = proxyActivities<Activities>({
      ...profiles.control,
      summary: `Undo: ${step.title}`,
      ...(step.host === undefined ? {} : { taskQueue: hostQueue(step.host), scheduleToStartTimeout: '2m' }),
    });
    try {
      const record = await undoStep({ run, step: step.id });
      if (record) board.settle(record);
      else shown.state = 'pending';
    } catch (error) {
      shown.state = 'undo-failed';
      shown.detail = causeOf(error);
    }
  }
  const left = board.progress.steps.filter((step) => step.state === 'undo-failed');
  const reason =
    left.length > 0
      ? `cancelled; not undone: ${left.map((step) => step.id).join(', ')}`
      : 'cancelled by a person; undone';
  return end(run, board, 'cancelled', reason);
}

async function end(
  run: RunExecution,
  board: Board,
  state: 'completed' | 'failed' | 'cancelled',
  reason: string,
): Promise<RunSummary> {
  await endRun({ run, state, reason });
  board.move(state, reason);
  board.progress.endedAt = new Date().toISOString();
  upsertSearchAttributes([{ key: outcomeKey, value: state }]);
  return {
    runId: run.runId,
    state,
    reason,
    startedAt: board.progress.startedAt,
    endedAt: board.progress.endedAt,
  };
}

function reasonOf(unfinished: { id: string; state: string; detail?: string }[]): string {
  const failed = unfinished.filter((step) => step.state === 'failed');
  if (failed.length === 0) return unfinished.length === 0 ? 'every step is done' : 'some steps were not run';
  return failed.map((step) => `${step.id}: ${step.detail ?? 'failed'}`).join('; ');
}

function causeOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
