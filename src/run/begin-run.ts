/** How a run begins: acquires its lease, opens or makes its plan, and reads what the journal has. */
import { ensurePointer } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { compileUndo } from '../plan/undo.ts';
import { mayMove } from '../plan/run-states.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Environments, RunEnvironment } from './environment.ts';
import { changeRun, listSteps, requireRun } from './journal.ts';
import { readRunLease } from './lease.ts';
import { assertNotOvertaken, releaseLeases, holdLeases, takeLease } from './leases.ts';
import { outcomeOf, type StepOutcome } from './work/outcome.ts';
import { planFolder, plans } from './plan-document.ts';
import type { RunExecution } from './reference.ts';
import type { RunDocument } from './run-document.ts';

/** A step as the workflow needs it: without what only its action needs. */
export type PlanStep = Omit<Step, 'input'>;

/** A plan to interpret, and what the journal already has of its steps. */
export interface OpenedPlan {
  steps: PlanStep[];
  records: StepOutcome[];
}

/** What the workflow gets of a run that begins. */
export interface BegunRun extends OpenedPlan {
  header: Pick<RunDocument, 'from' | 'to' | 'triggeredAt' | 'triggeredBy'>;
  /** Somebody has cancelled the run: it is undone, and none of its steps starts. */
  cancelled: boolean;
  paused: boolean;
  /** How long it may take from now on, in seconds; absent: as long as its steps take. */
  deadlineSeconds?: number;
}

/** Makes the plan of a run for which nobody has confirmed one. */
export type MakePlan = (environment: RunEnvironment & { now: Date }) => Promise<Plan>;

/** Makes the activity `beginRun`. FencedError if another run, or another execution of this one, has the lease. */
export function runBeginner(open: Environments, makePlan: MakePlan, now: () => Date = () => new Date()) {
  return async (run: RunExecution): Promise<BegunRun> => {
    const store = await open.openStore(run);
    try {
      assertMayBegin(await requireRun(store, run.runId));
      await takeLease(store, run, now());
      const environment = await open.open(run);
      if (environment.run.cancelled && environment.run.plan === undefined) return begunUnplanned(environment);
      const header = await ensurePlan(environment, makePlan, now());
      // Cancelled while its plan was made.
      if (header.plan === undefined) return begunUnplanned({ ...environment, run: header });
      const { plan } = await open.openPlanned(run);
      if (!header.cancelled) await assertNotOvertaken(store, run.runId, plan);
      // Another execution may have taken the run over, and ended it, while the plan was made.
      await takeLease(store, { ...run, resumed: false }, now());
      const begun = await changeRun(store, run.runId, (found) => {
        assertMayBegin(found);
        if (found.cancelled) return undefined;
        const startedAt = found.startedAt ?? now().toISOString();
        // Of an earlier execution that failed: it continues.
        return { state: 'running', startedAt, endedAt: null, stateReason: null };
      });
      return {
        header: begun,
        cancelled: begun.cancelled !== undefined,
        paused: begun.paused !== undefined,
        ...deadlineOf(environment),
        ...(await openedPlan(store, run, plan)),
      };
    } catch (error) {
      if (isUnderstudyError(error) && !error.retryable) {
        await endUnbegunRun(store, run, error, now());
      }
      throw error;
    }
  };
}

function assertMayBegin({ runId, state }: RunDocument): void {
  if (state === 'undoing' || mayMove(state, 'running')) return;
  throw new UnderstudyError('FencedError', `run "${runId}" is ${state}: it cannot run again`);
}

function begunUnplanned({ run }: RunEnvironment): BegunRun {
  return { header: run, cancelled: true, paused: false, steps: [], records: [] };
}

/**
 * Opens a confirmed plan. Without one, makes the plan once, by compare-and-swap on the run: a second attempt finds the
 * first one's.
 */
async function ensurePlan(environment: RunEnvironment, makePlan: MakePlan, now: Date): Promise<RunDocument> {
  const { store, run, bundle } = environment;
  await ensurePointer(store, { topology: bundle.topology, who: run.runId, now });
  if (run.plan !== undefined) return run;
  const plan = await makePlan({ ...environment, now });
  const digest = await plans.seal(store, planFolder, plan);
  return changeRun(store, run.runId, (found) =>
    found.plan !== undefined || found.cancelled
      ? undefined
      : {
          plan: digest,
          from: plan.from,
          to: plan.to,
          ...(plan.recoveryPoint ? { recoveryPoint: plan.recoveryPoint.id } : {}),
        },
  );
}

function deadlineOf({ run, bundle }: RunEnvironment): Pick<BegunRun, 'deadlineSeconds'> {
  if (run.deadlineSeconds !== undefined) return { deadlineSeconds: run.deadlineSeconds };
  const { deadline } = rowOf(run.operation);
  return deadline === undefined ? {} : { deadlineSeconds: toSeconds(bundle.topology.policies[deadline]) };
}

async function openedPlan(store: ControlStore, run: RunExecution, plan: Plan): Promise<OpenedPlan> {
  return {
    steps: plan.steps.map(({ input: _input, ...step }) => step),
    records: (await listSteps(store, run.runId)).map(outcomeOf),
  };
}

/** Releases a run that does not begin, so that nobody waits for it, and records that it did not. */
async function endUnbegunRun(
  store: ControlStore,
  run: RunExecution,
  { message, code, details }: UnderstudyError,
  now: Date,
): Promise<void> {
  const lease = code === 'FencedError' ? await readRunLease(store) : undefined;
  // Another execution of the run continues it.
  if (lease?.runId === run.runId && lease.holder !== run.holder) return;
  const found = await changeRun(store, run.runId, ({ state, cancelled }) =>
    state === 'pending' && !cancelled
      ? {
          state: 'failed',
          stateReason: [message, details.next].filter(Boolean).join(' → '),
          endedAt: now.toISOString(),
        }
      : undefined,
  );
  if (found.state === 'failed' && found.startedAt === undefined) await releaseLeases(store, run, true);
}

/** Seals the plan that undoes the run, once; a later execution opens the same one. */
export function undoPlanner(open: Environments, now: () => Date = () => new Date()) {
  return async (run: RunExecution): Promise<OpenedPlan> => {
    const store = await open.openStore(run);
    const { plan } = await requireRun(store, run.runId);
    if (plan === undefined || rowOf(run.operation).cancel === 'end') return { steps: [], records: [] };
    const planned = await open.openPlanned(run);
    // From here on an earlier execution is fenced: what it did is in the journal.
    await holdLeases(planned, run, now);
    const undo = await undoPlanOf(planned, run);
    return openedPlan(store, run, undo);
  };
}

async function undoPlanOf(
  { store, run, plan }: Awaited<ReturnType<Environments['openPlanned']>>,
  { runId }: RunExecution,
): Promise<Plan> {
  if (run.undoPlan !== undefined) return plans.open(store, planFolder, run.undoPlan);
  const records = await listSteps(store, runId);
  const digest = await plans.seal(store, planFolder, compileUndo(plan, run.plan, records));
  const { undoPlan = digest } = await changeRun(store, runId, (found) =>
    found.undoPlan === undefined ? { undoPlan: digest } : undefined,
  );
  return plans.open(store, planFolder, undoPlan);
}
