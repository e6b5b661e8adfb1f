/** The activities. Each action of a plan is one activity, which gives its step heartbeats and cancellation. */
import { actions, type ActionName } from '../src/plan/actions.ts';
import { runBeginner, undoPlanner, type BegunRun, type MakePlan, type OpenedPlan } from '../src/run/begin-run.ts';
import { reportWriter } from '../src/report/report-writer.ts';
import { runEnder, type EndedRun, type EndOfRun } from '../src/run/end-run.ts';
import type { Environments } from '../src/run/environment.ts';
import type { StepOutcome } from '../src/run/work/outcome.ts';
import { gateDecider, type DecideGate } from '../src/gates/decide.ts';
import { endTeller } from '../src/run/notify.ts';
import {
  departedLooker,
  reprotectDropper,
  reprotectOpener,
  type Departed,
  type DropReprotect,
  type OpenReprotect,
} from '../src/operations/follow-move.ts';
import type { RunExecution, RunReference, RunStart, StepRequest } from '../src/run/reference.ts';
import { stepRunner } from '../src/run/run-step.ts';
import { stepUndoer, type Undos } from '../src/run/undo-step.ts';
import type { Action } from '../src/run/work/step-context.ts';
import { hostLooker, type HostLookRequest, type TargetLook } from '../src/switch/look-at-configs.ts';
import { beating, progressing } from './beating.ts';

/** What the activities are made from; tests replace single members. */
export interface ActivityDependencies {
  open: Environments;
  makePlan: MakePlan;
  actions: Record<ActionName, Action>;
  undos: Undos;
}

/** The activities that belong to a run as a whole, and not to one of its steps. */
export interface RunActivities {
  beginRun: (run: RunExecution) => Promise<BegunRun>;
  planUndo: (run: RunExecution) => Promise<OpenedPlan>;
  undoStep: (request: StepRequest) => Promise<StepOutcome | undefined>;
  endRun: (end: EndOfRun) => Promise<EndedRun>;
  /** Returns one line: how the gate stands. */
  decideGate: (request: DecideGate) => Promise<string>;
  lookAtDeparted: (move: RunReference) => Promise<Departed>;
  openReprotect: (request: OpenReprotect) => Promise<RunStart | undefined>;
  dropReprotect: (request: DropReprotect) => Promise<void>;
  writeReport: (run: RunReference) => Promise<void>;
  tellOfEnd: (run: RunReference) => Promise<void>;
}

/** What an activity of an action returns is small: the journal has the rest. */
export type Activities = RunActivities & Record<ActionName, (request: StepRequest) => Promise<StepOutcome>>;

/** Belongs to no run: a host's worker checks before there is one. */
export interface LookActivities {
  lookAtConfigs: (request: HostLookRequest) => Promise<TargetLook[]>;
}

/** Makes every activity of a worker, one per action of a plan included. */
export function createActivities({
  open,
  makePlan,
  actions: implementations,
  undos,
}: ActivityDependencies): Activities & LookActivities {
  const runStep = stepRunner(open, implementations);
  const undoStep = stepUndoer(open, undos);
  const begin = runBeginner(open, makePlan);
  const planUndo = undoPlanner(open);
  const end = runEnder(open);
  const report = reportWriter(open);
  const look = hostLooker(open);
  const tell = endTeller(open);
  const decide = gateDecider(open);
  const lookAtDeparted = departedLooker(open);
  const openReprotect = reprotectOpener(open);
  const dropReprotect = reprotectDropper(open);
  const step = (request: StepRequest) => progressing(request, (runtime) => runStep(request, runtime));
  const steps = Object.fromEntries(Object.keys(actions).map((name) => [name, step])) as Record<ActionName, typeof step>;
  return {
    ...steps,
    beginRun: (run) => beating(() => begin(run)),
    planUndo: (run) => beating(() => planUndo(run)),
    undoStep: (request) => progressing(request, (runtime) => undoStep(request, runtime)),
    endRun: (request) => beating(() => end(request)),
    decideGate: (request) => beating(() => decide(request)),
    lookAtDeparted: (move) => beating(() => lookAtDeparted(move)),
    openReprotect: (request) => beating(() => openReprotect(request)),
    dropReprotect: (request) => beating(() => dropReprotect(request)),
    writeReport: (run) => beating(() => report(run)),
    lookAtConfigs: (request) => beating((signal) => look(request, signal)),
    tellOfEnd: (run) => beating(() => tell(run)),
  };
}
