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
  ActivityCancellationType,
  ActivityFailure,
  TimeoutFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import { actions, type Profile } from '../src/plan/actions.ts';
import type { Step } from '../src/plan/plan.ts';
import { hostQueue } from '../src/plan/queues.ts';
import { searchAttributes } from '../src/plan/search-attributes.ts';
import type { BegunRun } from '../src/run/begin-and-end.ts';
import type { RunSummary } from '../src/run/outcome.ts';
import type { StepProgressState } from '../src/run/progress.ts';
import type { RunExecution, RunStart } from '../src/run/reference.ts';
import { makeBoard, type Board } from './board.ts';
import * as messages from './messages.ts';

type PlanStep = Omit<Step, 'input'>;

/** A cancelled step is waited for: nothing is undone while it may still write. */
const every = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const satisfies ActivityOptions;

/** One profile a kind of work; a step is retried until its profile's time is up, or until its error is final. */
const profiles: Record<Profile, ActivityOptions> = {
  // Looks and answers: tried often, given up after minutes, since a person waits for the answer.
  probe: { startToCloseTimeout: '10m', scheduleToCloseTimeout: '30m', ...every },
  // A few calls to Azure's control plane, which may throttle, fail and recover for a while.
  control: { startToCloseTimeout: '30m', scheduleToCloseTimeout: '2h', ...every },
  // Long work that resumes from its cursor: a lost worker is noticed within seconds, the work may take hours.
  transfer: { startToCloseTimeout: '12h', scheduleToCloseTimeout: '24h', ...every },
};

const outcomeKey = defineSearchAttributeKey(searchAttributes.outcome, 'KEYWORD');

const { beginRun, endRun } = proxyActivities<Activities>(profiles.control);

/** One run. Its id is the run's; its result says how it ended; what happened is in the journal and the report. */
export async function executePlan(reference: RunStart): Promise<RunSummary> {
  const run: RunExecution = { ...reference, holder: workflowInfo().firstExecutionRunId };
  const scope = CancellationScope.current();
  let paused = false;
  let board: Board | undefined;
  setHandler(messages.progress, () => {
    if (!board) throw new Error('the run has not begun: its plan is being read');
    return { ...board.progress, paused };
  });
  setHandler(messages.pause, () => void (paused = true));
  setHandler(messages.resume, () => void (paused = false));

  let begun: BegunRun;
  try {
    begun = await beginRun(run);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return end(run, board, 'cancelled', 'cancelled by a person before it began');
  }
  board = makeBoard(run, begun.header, begun.steps);
  for (const record of begun.records) if (isDone(record)) board.settle(record);
  board.move('running');
  const shown = board;
  const isCancelled = () => scope.consideredCancelled;
  if (reference.undo === true) return CancellationScope.nonCancellable(() => undoSteps(run, begun, shown));
  await runSteps(run, begun.steps, board, { isPaused: () => paused, isCancelled });
  if (isCancelled()) return CancellationScope.nonCancellable(() => undoSteps(run, begun, shown));
  const unfinished = board.progress.steps.filter((step) => !isDone(step));
  return end(run, board, unfinished.length === 0 ? 'completed' : 'failed', reasonOf(unfinished));
}

/** Every step waits for what it needs, and for a pause to be over; a failure holds up only what needs the step. */
async function runSteps(
  run: RunExecution,
  steps: PlanStep[],
  board: Board,
  { isPaused, isCancelled }: { isPaused: () => boolean; isCancelled: () => boolean },
): Promise<void> {
  const finished = new Map<string, Promise<boolean>>();
  const execute = async (step: PlanStep): Promise<boolean> => {
    const needs = await Promise.all(step.needs.map((id) => finished.get(id) ?? Promise.resolve(false)));
    const missing = step.needs.filter((_, index) => needs[index] !== true);
    if (missing.length > 0) {
      board.step(step.id).detail = isCancelled()
        ? 'not run: cancelled'
        : `not run: needs ${missing.join(', ')}`;
      return false;
    }
    // A cancelled run starts no further step, paused or not.
    await CancellationScope.nonCancellable(() => condition(() => !isPaused() || isCancelled()));
    return isCancelled() ? false : runStep(run, step, board);
  };
  for (const step of steps) finished.set(step.id, execute(step));
  await Promise.all(finished.values());
}

/** Answers whether the step is done: a failure is shown, and is not thrown, since it stops only what needs the step. */
async function runStep(run: RunExecution, step: PlanStep, board: Board): Promise<boolean> {
  const shown = board.step(step.id);
  if (isDone(shown)) return true;
  shown.state = 'running';
  shown.startedAt ??= new Date().toISOString();
  const activities = proxyActivities<Activities>({
    ...profiles[actions[step.action].profile],
    activityId: step.id,
    summary: step.title,
    ...queueOf(step),
  });
  try {
    board.settle(await activities[step.action]({ run, step: step.id }));
    return true;
  } catch (error) {
    if (isCancellation(error)) return false; // broken off: it stays as it is, for the undo to look at
    shown.state = 'failed';
    shown.endedAt = new Date().toISOString();
    shown.lastError = causeOf(error, step);
    shown.detail = shown.lastError;
    log.warn('step failed', { step: step.id, cause: shown.lastError });
    return false;
  }
}

/** Cancelled: what can be undone is undone, newest first; each outcome is in the journal, failures included. */
async function undoSteps(run: RunExecution, { steps, records }: BegunRun, board: Board): Promise<RunSummary> {
  board.move('undoing', 'cancelled by a person');
  const before = new Set(records.map((record) => record.step));
  // Newest first: what was broken off, then by the time of ending, then later in the plan.
  const touched = steps
    .filter(({ id, undoable }) => undoable && (before.has(id) || board.step(id).state !== 'pending'))
    .toReversed()
    .toSorted((a, b) => endOf(board, b.id).localeCompare(endOf(board, a.id)));
  for (const step of touched) {
    const shown = board.step(step.id);
    shown.state = 'undoing';
    const { undoStep } = proxyActivities<Activities>({
      ...profiles.control,
      summary: `Undo: ${step.title}`,
      ...queueOf(step),
    });
    try {
      const record = await undoStep({ run, step: step.id });
      if (record) board.settle(record);
      else shown.state = 'pending';
    } catch (error) {
      shown.state = 'undo-failed';
      shown.detail = `undo failed: ${causeOf(error, step)}`;
    }
  }
  for (const shown of board.progress.steps.filter(({ state }) => state === 'running')) {
    shown.state = 'failed';
    shown.detail = 'cancelled while it ran';
  }
  const left = board.progress.steps.filter((step) => step.state === 'undo-failed');
  const reason =
    left.length > 0
      ? `cancelled; not undone: ${left.map((step) => step.id).join(', ')}`
      : 'cancelled by a person; what can be undone is undone';
  return end(run, board, 'cancelled', reason);
}

function isDone({ state }: { state: StepProgressState }): boolean {
  return state === 'completed' || state === 'skipped';
}

function endOf(board: Board, id: string): string {
  return board.step(id).endedAt ?? '9';
}

/** A step of a named host waits for that host's worker, and not for ever. */
function queueOf({ host }: PlanStep): ActivityOptions {
  return host === undefined ? {} : { taskQueue: hostQueue(host), scheduleToStartTimeout: '2m' };
}

/** A run that ends is written down as ended, whatever a late cancellation says. */
async function end(
  run: RunExecution,
  board: Board | undefined,
  state: 'completed' | 'failed' | 'cancelled',
  reason: string,
): Promise<RunSummary> {
  const givenUp = (board?.progress.steps ?? []).flatMap(({ id, state: of, detail }) =>
    of === 'failed' || of === 'undo-failed' ? [{ step: id, state: of, message: detail ?? 'failed' }] : [],
  );
  await CancellationScope.nonCancellable(() => endRun({ run, state, reason, givenUp }));
  const endedAt = new Date().toISOString();
  upsertSearchAttributes([{ key: outcomeKey, value: state }]);
  if (!board) return { runId: run.runId, state, reason, endedAt };
  board.move(state, reason);
  board.progress.endedAt = endedAt;
  return { runId: run.runId, state, reason, startedAt: board.progress.startedAt, endedAt };
}

function reasonOf(unfinished: { id: string; state: string; detail?: string }[]): string {
  const failed = unfinished.filter((step) => step.state === 'failed');
  if (failed.length === 0) return unfinished.length === 0 ? 'every step is done' : 'some steps were not run';
  return failed.map((step) => `${step.id}: ${step.detail ?? 'failed'}`).join('; ');
}

function causeOf(error: unknown, { host }: PlanStep): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (host !== undefined && cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') {
    return `no worker answers on ${host}: run "understudy worker --host ${host}" there`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
