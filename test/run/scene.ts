/** A run in the control store, ready for its steps; the clock is the test's. */
import type { Azure } from '../../src/azure/azure.ts';
import { readPointer } from '../../src/control-store/region-pointer.ts';
import { compileFailover, compileReplicate } from '../../src/plan/compile.ts';
import { actions, type ActionName } from '../../src/plan/actions.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { openRun } from '../../src/run/journal.ts';
import type { RunHeader } from '../../src/run/outcome.ts';
import type { OpenEnvironment } from '../../src/run/environment.ts';
import type { RunExecution } from '../../src/run/reference.ts';
import type { StepRuntime } from '../../src/run/run-step.ts';
import type { Action, Bundle, Progress } from '../../src/run/step-context.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { recoveryPoint } from '../plan/inputs.ts';
import { topologyOf } from '../topology/minimal.ts';

export const began = new Date('2026-11-21T10:00:00.000Z');

export interface Scene {
  store: FakeControlStore;
  plan: Plan;
  run: RunExecution;
  header: RunHeader;
  open: OpenEnvironment;
  clock: { now: () => Date; forward: (milliseconds: number) => void };
  runtime: StepRuntime & { told: Progress[] };
  /** The run as another workflow execution sees it. */
  as(holder: string, more?: Partial<RunExecution>): RunExecution;
}

export async function makeScene(operation: 'failover' | 'replicate' = 'failover'): Promise<Scene> {
  const store = fakeControlStore();
  const topology = topologyOf();
  let at = began.getTime();
  const clock = {
    now: () => new Date(at),
    forward: (milliseconds: number) => {
      at += milliseconds;
    },
  };
  const { value: pointer } = await readPointer(store, topology, 'test', began);
  const bundle: Bundle = { topology, templates: {} };
  const digest = await store.seal('bundles', bundle);
  const input = { topology, bundle: digest, pointer };
  const plan =
    operation === 'failover'
      ? compileFailover({ ...input, recoveryPoint: recoveryPoint() })
      : compileReplicate(input);
  const header: RunHeader = {
    runId: `20261121T100000Z-${operation}-0001`,
    topology: topology.name,
    operation,
    from: plan.from,
    to: plan.to,
    plan: await store.seal('plans', plan),
    bundle: digest,
    reason: 'test',
    triggeredBy: 'someone@somewhere',
    triggeredAt: began.toISOString(),
  };
  await openRun(store, header);
  const as: Scene['as'] = (holder, more = {}) => ({
    runId: header.runId,
    topology: header.topology,
    operation,
    controlStore: topology.controlStore,
    plan: header.plan,
    bundle: header.bundle,
    holder,
    ...more,
  });
  const told: Progress[] = [];
  return {
    store,
    plan,
    header,
    run: as('wf-1'),
    open: () => Promise.resolve({ azure: noAzure, store, plan, bundle }),
    clock,
    runtime: {
      signal: new AbortController().signal,
      heartbeat: (progress) => void told.push(progress),
      lastProgress: undefined,
      told,
    },
    as,
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
