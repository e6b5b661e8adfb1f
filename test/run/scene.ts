/** A run in the control store, ready for its steps; the clock is the test's. */
import type { Azure } from '../../src/azure/azure.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { compileFailover, compileReplicate, compileResubmit, compileSwitchover } from '../../src/plan/compile.ts';
import { actions, type ActionName } from '../../src/plan/actions.ts';
import { rowOf, type Operation } from '../../src/plan/operations.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RecoveryPointSummary } from '../../src/plan/recovery-point-summary.ts';
import { bundleFolder, bundles, type Bundle } from '../../src/run/bundle.ts';
import type { Environments } from '../../src/run/environment.ts';
import { openRun, recordStep, requireRun } from '../../src/run/journal.ts';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import { takeRunLease } from '../../src/run/lease.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import type { RunExecution } from '../../src/run/reference.ts';
import { withPlan, type RunHeader } from '../../src/run/run-document.ts';
import type { StepRuntime } from '../../src/run/work/step-context.ts';
import type { Action, Progress } from '../../src/run/work/step-context.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { recoveryPoint } from '../plan/inputs.ts';
import { topologyOf } from '../topology/minimal.ts';

export const began = new Date('2026-11-21T10:00:00.000Z');

export interface Scene {
  store: FakeControlStore;
  plan: Plan;
  run: RunExecution;
  /** As it was written down, with its plan. */
  header: RunHeader;
  open: Environments;
  clock: { now: () => Date; forward: (milliseconds: number) => void };
  runtime: StepRuntime & { told: Progress[] };
  /** Writes down how a step of the run stands. */
  record(step: string, state: StepRecord['state'], more?: Partial<StepRecord>): Promise<StepRecord | undefined>;
  /** The run as another workflow execution sees it. */
  as(holder: string, more?: Partial<RunExecution>): RunExecution;
}

interface Setting {
  /** False: nobody has confirmed a plan, and the run is to make its own. */
  confirmed?: boolean;
  /** More of the topology. */
  more?: string;
  /** What the recovery point of the plan has. */
  point?: Partial<RecoveryPointSummary>;
}

export async function makeScene(
  operation: Operation = 'failover',
  { confirmed = true, more, point }: Setting = {},
): Promise<Scene> {
  const store = fakeControlStore();
  const topology = topologyOf(more);
  let at = began.getTime();
  const clock = {
    now: () => new Date(at),
    forward: (milliseconds: number) => {
      at += milliseconds;
    },
  };
  const pointer = await ensurePointer(store, { topology, who: 'test', now: began });
  const bundle: Bundle = { topology, templates: {} };
  const digest = await bundles.seal(store, bundleFolder, bundle);
  const input = { topology, bundle: digest, pointer, to: 'westus3' };
  const move = { ...input, recoveryPoint: recoveryPoint(point) };
  const compile: Partial<Record<Operation, () => Plan>> = {
    failover: () => compileFailover(move),
    switchover: () => compileSwitchover(move),
    replicate: () => compileReplicate(input),
    resubmit: () => compileResubmit({ ...input, to: pointer.writer, jobs: [] }),
  };
  const plan = compile[operation]?.();
  if (!plan) throw new Error(`no scene for ${operation}`);
  const asked = {
    runId: `20261121T100000Z-${operation}-0001`,
    topology: topology.name,
    operation,
    bundle: digest,
    reason: 'test',
    triggeredBy: 'someone@somewhere',
    triggeredAt: began.toISOString(),
  };
  const header: RunHeader = {
    ...asked,
    state: 'pending',
    from: plan.from,
    to: plan.to,
    plan: await plans.seal(store, planFolder, plan),
  };
  if (rowOf(operation).lease === 'run') await takeRunLease(store, { runId: header.runId, now: began });
  await openRun(store, confirmed ? header : asked);
  const as: Scene['as'] = (holder, more = {}) => ({
    runId: header.runId,
    topology: header.topology,
    operation,
    controlStore: topology.controlStore,
    holder,
    ...more,
  });
  const told: Progress[] = [];
  return {
    store,
    plan,
    header,
    run: as('wf-1'),
    open: environmentsOf(store, noAzure),
    clock,
    runtime: {
      signal: new AbortController().signal,
      heartbeat: (progress) => void told.push(progress),
      lastProgress: undefined,
      alive: () => undefined,
      told,
    },
    record: (step, state, more = {}) =>
      recordStep(store, header.runId, step, () => ({
        step,
        state,
        holder: 'wf-1',
        attempts: 1,
        startedAt: began.toISOString(),
        ...more,
      })),
    as,
  };
}

/** What is in this control store, read again each time. */
export function environmentsOf(store: ControlStore, azure: Azure): Environments {
  const open: Environments['open'] = async ({ runId }) => {
    const run = await requireRun(store, runId);
    return { azure, store, run, bundle: await bundles.open(store, bundleFolder, run.bundle) };
  };
  return {
    azure,
    openStore: () => Promise.resolve(store),
    open,
    async openPlanned(reference) {
      const environment = await open(reference);
      const run = withPlan(environment.run);
      return { ...environment, run, plan: await plans.open(store, planFolder, run.plan) };
    },
  };
}

/** These steps are the test's own: none of them asks Azure. */
const noAzure = new Proxy({} as Azure, {
  get: (_target, name) => {
    throw new Error(`the test did not expect a call of azure.${String(name)}`);
  },
});

/** Actions that fail the test, but for those given. */
export function actionsWith(some: Partial<Record<ActionName, Action>>): Record<ActionName, Action> {
  const unexpected = Object.keys(actions).map((name) => [
    name,
    () => Promise.reject(new TypeError(`the test did not expect the action ${name}`)),
  ]);
  return { ...(Object.fromEntries(unexpected) as Record<ActionName, Action>), ...some };
}
