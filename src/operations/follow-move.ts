/** What a worker looks at, and begins, after a completed move: the region that was left is to be a standby again. */
import { digestOf } from '../control-store/digest.ts';
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import { unprotected } from '../fence/departures.ts';
import type { Environments } from '../run/environment.ts';
import { listOpenRuns, openRun, readRun } from '../run/journal.ts';
import { findOpenRun } from '../run/lease.ts';
import type { RunReference, RunStart } from '../run/reference.ts';
import { withPlan } from '../run/run-document.ts';
import { toSeconds } from '../topology/duration.ts';
import { checkHealth } from './health.ts';
import { endPending } from './runs/never-started.ts';

/** How the region that a move has left stands. */
export interface Departed {
  /**
   * `over`: it is a standby again, the writer, or nobody wants this to happen by itself. `waits`: a run is open that
   * may change that.
   */
  state: 'answers' | 'silent' | 'waits' | 'over';
  /** For how long it must answer without a break, and when to look again. */
  steadySeconds: number;
  againSeconds: number;
}

/** A look is cheap, and a region that flaps is to be seen doing so. */
const mostSeconds = 60;
const looksInSteadyTime = 5;

/** Makes the activity. Errors: those of the control store. */
export function departedLooker(open: Environments, now: () => Date = () => new Date()) {
  return async (move: RunReference): Promise<Departed> => {
    const { azure, store, bundle, run } = await open.open(move);
    const { from, to } = withPlan(run);
    const { automatic, steady } = bundle.topology.reprotect;
    const steadySeconds = toSeconds(steady);
    const times = {
      steadySeconds,
      againSeconds: Math.min(mostSeconds, Math.max(1, steadySeconds / looksInSteadyTime)),
    };
    const pointer = (await readPointerIfAny(store))?.value;
    const isOver = !automatic || pointer?.writer !== to || !(await unprotected(store, from));
    if (isOver) return { state: 'over', ...times };
    const moving = await findOpenRun(store, now());
    const { runs } = await listOpenRuns(store);
    if (moving || runs.some(({ operation }) => operation === 'reprotect')) return { state: 'waits', ...times };
    const { state } = await checkHealth({ azure, store, topology: bundle.topology }, from);
    return { state: state === 'healthy' ? 'answers' : 'silent', ...times };
  };
}

/** Which move is followed, and when (ISO 8601). */
export interface OpenReprotect {
  move: RunReference;
  at: string;
}

function runIdOf({ move, at }: OpenReprotect): string {
  const digest = digestOf(`${move.runId}\n${at}`).slice(0, 4);
  return `${at.replaceAll(/[-:]|\.\d+/g, '')}-reprotect-${digest}`;
}

/** What was to be opened, and why its workflow was not started. */
export interface DropReprotect extends OpenReprotect {
  why: string;
}

/** Makes the activity: ends the run that was opened by the same request, unless it has begun. Idempotent. */
export function reprotectDropper(open: Environments, now: () => Date = () => new Date()) {
  return async ({ why, ...request }: DropReprotect): Promise<void> => {
    const store = await open.openStore(request.move);
    const runId = runIdOf(request);
    if (await readRun(store, runId)) await endPending(store, runId, `never started: ${why}`, now());
  };
}

/** Makes the activity: records a run that follows the move. Undefined if another is open by now. Idempotent. */
export function reprotectOpener(open: Environments) {
  return async ({ move, at }: OpenReprotect): Promise<RunStart | undefined> => {
    const { store, bundle, run } = await open.open(move);
    const runId = runIdOf({ move, at });
    const { runs } = await listOpenRuns(store);
    if (runs.some((each) => each.operation === 'reprotect' && each.runId !== runId)) return undefined;
    await openRun(store, {
      runId,
      topology: bundle.topology.name,
      operation: 'reprotect',
      bundle: run.bundle,
      reason: `${withPlan(run).from} has answered for ${bundle.topology.reprotect.steady} since run ${move.runId}`,
      triggeredBy: 'understudy',
      triggeredAt: at,
    });
    const { controlStore } = move;
    return { runId, topology: bundle.topology.name, operation: 'reprotect', controlStore };
  };
}
