/** The workflow of a run: begin, interpret the plan, undo if cancelled, end. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import { actions } from '../src/plan/actions.ts';
import { cutReason, firstFailure } from '../src/plan/failure-reason.ts';
import { showGate } from '../src/plan/gates.ts';
import { rowOf } from '../src/plan/operations.ts';
import { isDone } from '../src/plan/run-states.ts';
import { searchAttributes } from '../src/plan/search-attributes.ts';
import type { BegunRun, PlanStep } from '../src/run/begin-run.ts';
import type { EndOfRun } from '../src/run/end-run.ts';
import type { RunProgress, RunSummary } from '../src/run/progress.ts';
import type { RunExecution, RunStart, StepRequest } from '../src/run/reference.ts';
import { startFollowing, startTelling } from './after-run.ts';
import { makeBoard, type Board } from './board.ts';
import { causeOf, interpretPlan, isOfCancelledRun, type Ended } from './interpret.ts';
import { requireOpenGate } from './gates.ts';
import * as messages from './messages.ts';
import { optionsOf, queueOf, reporting } from './profiles.ts';

const outcomeKey = defineSearchAttributeKey(searchAttributes.outcome, 'KEYWORD');

const { beginRun, planUndo, endRun, decideGate } = proxyActivities<Activities>(optionsOf('control'));
const { writeReport } = proxyActivities<Activities>(reporting);

/** The parts of a run, in the order in which a workflow calls them. */
export interface Run {
  /** Throws if the run cannot begin; a cancel before that is no error. */
  begin(): Promise<void>;
  interpret(): Promise<void>;
  /** As `interpret`; when its time is over, running steps are interrupted, and the run fails with that reason. */
  interpretWithinDeadline(): Promise<void>;
  undoIfCancelled(): Promise<void>;
  end(): Promise<RunSummary>;
}

/** Handlers first: a message may already be waiting. */
export function takeUp(start: RunStart): Run {
  const run: RunExecution = { ...start, holder: workflowInfo().firstExecutionRunId };
  const scope = CancellationScope.current();
  const state = { paused: false, cancelled: false, undone: false, overdue: false };
  const isCancelled = () => state.cancelled || scope.consideredCancelled;
  let begun: BegunRun | undefined;
  let board = makeBoard(run, { header: { triggeredAt: new Date().toISOString() }, steps: [] });

  setHandler(messages.progress, () => ({
    ...board.progress,
    paused: state.paused && board.progress.endedAt === undefined,
  }));
  setHandler(messages.pause, () => void (state.paused = true));
  setHandler(messages.unpause, () => void (state.paused = false));
  setHandler(messages.decide, (made) => decideGate({ run, ...made }), {
    validator: (made) => requireOpenGate(made, begun, board),
  });

  const stops = () => isCancelled() || state.overdue;
  const interpret = () =>
    interpretPlan(begun?.steps ?? [], {
      // A cancelled run starts no further step, paused or not.
      mayStart: async () => {
        await CancellationScope.nonCancellable(() => condition(() => !state.paused || stops()));
        return !stops();
      },
      execute: async (step) => {
        const how = await runStep(run, step, board);
        if (how !== 'cancelled') return how;
        state.cancelled = true;
        return 'not done';
      },
      heldUp: (step, missing) => {
        board.step(step.id).detail = stops()
          ? `not run: ${isCancelled() ? 'cancelled' : 'its time was over'}`
          : `not run: needs ${missing.join(', ')}`;
        return false;
      },
    });

  return {
    async begin() {
      try {
        begun = await beginRun(run);
      } catch (error) {
        if (isOfCancelledRun(error) || isCancellation(error)) state.cancelled = true;
        else {
          await startTelling(run);
          throw error;
        }
        return;
      }
      board = makeBoard(run, begun);
      for (const outcome of begun.records) if (isDone(outcome)) board.record(outcome);
      state.cancelled ||= begun.cancelled;
      state.paused ||= begun.paused;
      board.move('running');
    },

    async interpret() {
      if (!isCancelled()) await interpret();
    },

    async interpretWithinDeadline() {
      const seconds = begun?.deadlineSeconds;
      if (isCancelled()) return;
      if (seconds === undefined) return interpret();
      const within = new CancellationScope();
      let over = false;
      const done = within.run(interpret).finally(() => (over = true));
      const inTime = await condition(() => over, seconds * 1000).catch(() => true);
      if (!inTime) {
        state.overdue = true;
        within.cancel();
      }
      await done;
    },

    async undoIfCancelled() {
      if (isCancelled()) await CancellationScope.nonCancellable(() => undo(run, board, state));
    },

    async end() {
      return CancellationScope.nonCancellable(async () => {
        await condition(allHandlersFinished);
        const end = endOf(run, board, state);
        const { ended } = await endRun(end);
        if (ended) return conclude(run, board, end);
        // Somebody cancelled it at the last moment.
        await undo(run, board, state);
        const undone = endOf(run, board, state);
        await endRun(undone);
        return conclude(run, board, undone);
      });
    },
  };
}

/** Runs a step, and shows the outcome. A failure is not thrown, since it stops only steps that need this one. */
async function runStep(run: RunExecution, step: PlanStep, board: Board): Promise<Ended | 'cancelled'> {
  const shown = board.step(step.id);
  const ended = (): Ended => (shown.state === 'owed' ? 'owed' : 'done');
  if (isDone(shown)) return ended();
  if (step.gate) board.ask(step.id, showGate(step.gate, []));
  else shown.state = 'running';
  shown.startedAt ??= new Date().toISOString();
  const activities = proxyActivities<Activities>({
    ...optionsOf(actions[step.action].profile, step.timeLimits),
    activityId: step.id,
    summary: step.title,
    ...queueOf(step.host),
  });
  try {
    board.record(await activities[step.action](requestOf(run, step)));
    return ended();
  } catch (error) {
    if (isCancellation(error)) return 'not done'; // broken off: it stays as it is, for the undo to look at
    if (isOfCancelledRun(error)) return 'cancelled';
    shown.state = 'failed';
    shown.endedAt = new Date().toISOString();
    shown.lastError = causeOf(error, step.host);
    shown.detail = shown.lastError;
    log.warn('step failed', { step: step.id, cause: shown.lastError });
    return 'not done';
  } finally {
    board.answered(step.id);
  }
}

function requestOf(run: RunExecution, { id, timeLimits }: PlanStep): StepRequest {
  return { run, step: id, ...(timeLimits ? { silenceSeconds: timeLimits.silenceSeconds } : {}) };
}

interface RunFlags {
  undone: boolean;
  overdue: boolean;
}

/** Executes the undo plan. What cannot be undone is shown, and does not stop the rest. */
async function undo(run: RunExecution, board: Board, flags: RunFlags): Promise<void> {
  board.move('undoing', 'cancelled by a person');
  const { steps, records } = await planUndo(run);
  board.show(steps.toReversed());
  for (const outcome of records) if (outcome.state === 'undone') board.record(outcome);
  await interpretPlan(steps, {
    mayStart: () => Promise.resolve(true),
    execute: (step) => undoStep(run, step, board).then(() => 'done'),
    heldUp: () => true,
  });
  for (const shown of board.progress.steps.filter(({ state }) => state === 'running' || state === 'waiting')) {
    shown.state = 'cancelled';
    shown.detail = 'cancelled while it ran';
  }
  flags.undone = true;
}

async function undoStep(run: RunExecution, step: PlanStep, board: Board): Promise<void> {
  const shown = board.step(step.id);
  if (shown.state === 'undone') return;
  shown.state = 'undoing';
  const activities = proxyActivities<Activities>({
    ...optionsOf('control', step.timeLimits),
    summary: step.title,
    ...queueOf(step.host),
  });
  try {
    const outcome = await activities.undoStep(requestOf(run, step));
    if (outcome) board.record(outcome);
    else shown.state = 'pending';
  } catch (error) {
    shown.state = 'undo-failed';
    shown.detail = `undo failed: ${causeOf(error, step.host)}`;
  }
}

/** How the run ends, from what the board shows. */
function endOf(run: RunExecution, { progress }: Board, { undone, overdue }: RunFlags): EndOfRun {
  const givenUp = progress.steps.flatMap(({ id, state, detail }) =>
    state === 'failed' || state === 'undo-failed' || state === 'cancelled'
      ? [{ step: id, state, message: detail ?? state }]
      : [],
  );
  if (undone) {
    const left = progress.steps.filter((step) => step.state === 'undo-failed').map((step) => step.id);
    return left.length > 0
      ? { run, undone, state: 'failed', reason: cutReason(`cancelled; not undone: ${left.join(', ')}`), givenUp }
      : { run, undone, state: 'cancelled', reason: 'cancelled; what can be undone is undone', givenUp };
  }
  const unfinished = progress.steps.filter((step) => !isDone(step));
  const owed = progress.steps.filter((step) => step.state === 'owed').map((step) => step.id);
  if (unfinished.length > 0) return { run, state: 'failed', reason: reasonOf(progress.steps, overdue), givenUp };
  const reason = owed.length === 0 ? 'every step is done' : `done, but for what is owed: ${owed.join(', ')}`;
  return { run, state: 'completed', reason, givenUp };
}

function reasonOf(steps: RunProgress['steps'], overdue: boolean): string {
  const failed = steps.filter((step) => step.state === 'failed');
  const broken = steps.filter((step) => step.state === 'running');
  const why = failed.map((step) => `${step.id}: ${step.detail ?? 'failed'}`);
  if (!overdue) return why.length > 0 ? firstFailure(why) : 'some steps were not run';
  const at = broken.map(({ id }) => id);
  const over = `its time was over${at.length > 0 ? ` in ${at.join(', ')}` : ''}`;
  return why.length > 0 ? cutReason(`${over}; ${firstFailure(why)}`) : cutReason(over);
}

async function conclude(run: RunExecution, board: Board, { state, reason }: EndOfRun): Promise<RunSummary> {
  const endedAt = new Date().toISOString();
  upsertSearchAttributes([{ key: outcomeKey, value: state }]);
  board.move(state, reason);
  board.progress.endedAt = endedAt;
  await startTelling(run);
  if (state === 'completed' && rowOf(run.operation).movesWriter) await startFollowing(run);
  await report(run);
  const { startedAt } = board.progress;
  return { runId: run.runId, state, ...(reason === undefined ? {} : { reason }), startedAt, endedAt };
}

/** A report that cannot be written does not change the run: `understudy report` writes it later. */
async function report(run: RunExecution): Promise<void> {
  try {
    await writeReport(run);
  } catch (error) {
    log.warn('the report was not written', { run: run.runId, cause: causeOf(error) });
  }
}
