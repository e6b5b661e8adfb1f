/** The activities: thin. Each action of a plan is one activity, which lends its step heartbeats and cancellation. */
import { Context } from '@temporalio/activity';
import { actions, type ActionName } from '../src/plan/actions.ts';
import { runBeginner, runEnder, type BegunRun, type EndOfRun } from '../src/run/begin-and-end.ts';
import type { OpenEnvironment } from '../src/run/environment.ts';
import type { StepRecord } from '../src/run/outcome.ts';
import type { RunExecution, StepRequest } from '../src/run/reference.ts';
import { stepRunner, stepUndoer, type StepRuntime, type Undo } from '../src/run/run-step.ts';
import type { Action, Progress } from '../src/run/step-context.ts';
import { asFailure } from './failures.ts';

export interface ActivityDependencies {
  open: OpenEnvironment;
  actions: Record<ActionName, Action>;
  undos: Partial<Record<ActionName, Undo>>;
}

export interface RunActivities {
  beginRun: (run: RunExecution) => Promise<BegunRun>;
  endRun: (end: EndOfRun) => Promise<void>;
  undoStep: (request: StepRequest) => Promise<StepRecord | undefined>;
}

export type Activities = RunActivities & Record<ActionName, (request: StepRequest) => Promise<StepRecord>>;

/** How often a step says that it lives while it has no progress to tell; well below the heartbeat timeout. */
const beatMs = 1000;

export function createActivities({
  open,
  actions: implementations,
  undos,
}: ActivityDependencies): Activities {
  const runStep = stepRunner(open, implementations);
  const undoStep = stepUndoer(open, undos);
  const begin = runBeginner(open);
  const end = runEnder(open);
  const step = (request: StepRequest) => beating((runtime) => runStep(request, runtime));
  const steps = Object.fromEntries(Object.keys(actions).map((name) => [name, step])) as Record<
    ActionName,
    typeof step
  >;
  return {
    ...steps,
    beginRun: (run) => beating(() => begin(run)),
    endRun: (request) => beating(() => end(request)),
    undoStep: (request) => beating((runtime) => undoStep(request, runtime)),
  };
}

/** Heartbeats while `work` runs: its latest progress again and again, so that a silent worker is a dead one. */
async function beating<T>(work: (runtime: StepRuntime) => Promise<T>): Promise<T> {
  const context = Context.current();
  let latest = context.info.heartbeatDetails as Progress | undefined;
  const timer = setInterval(() => context.heartbeat(latest), beatMs);
  try {
    return await asFailure(context.cancellationSignal, () =>
      work({
        signal: context.cancellationSignal,
        lastProgress: latest,
        heartbeat(progress) {
          latest = progress;
          context.heartbeat(progress);
        },
      }),
    );
  } finally {
    clearInterval(timer);
  }
}
