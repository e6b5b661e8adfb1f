/** Runs the real workflow on the test run's Temporal server, with activities that a test scripts. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { actions, type ActionName } from '../../src/plan/actions.ts';
import type { Operation } from '../../src/plan/operations.ts';
import type { Decision, Step } from '../../src/plan/plan.ts';
import { hostQueue } from '../../src/plan/queues.ts';
import { compileUndo } from '../../src/plan/undo.ts';
import type { BegunRun, PlanStep } from '../../src/run/begin-run.ts';
import type { EndedRun, EndOfRun } from '../../src/run/end-run.ts';
import { outcomeOf, type StepRecord } from '../../src/run/work/outcome.ts';
import type { Departed } from '../../src/operations/follow-move.ts';
import type { RunProgress, RunSummary } from '../../src/run/progress.ts';
import type { RunStart } from '../../src/run/reference.ts';

/** What a step does when it runs: answers its detail, or more of its record; throws; or waits. */
export type Work = (
  signal: AbortSignal,
  attempt: number,
) => Promise<string | Partial<StepRecord>> | string | Partial<StepRecord>;

export interface Script {
  /** The workflow's type; `failover` without one. */
  operation?: Operation;
  steps: PlanStep[];
  /** By step id; without one a step is done at once. */
  work?: Record<string, Work>;
  undo?: Record<string, Work>;
  /** Steps that keep what their undo needs before they do anything. */
  keepsUndo?: string[];
  /** What the journal has already. */
  records?: StepRecord[];
  /** Hosts that have a worker. */
  hosts?: string[];
  begin?: (signal: AbortSignal) => Promise<void>;
  /** What beginRun says besides the plan. */
  begun?: Partial<BegunRun>;
  /** What endRun answers, one each; it has ended without one. */
  endings?: EndedRun[];
  /** What recording a decision answers, or throws. */
  decide?: (gate: string, decision: Decision) => string;
  report?: () => void;
  /**
   * What is seen of the region that a completed move has left, one after the other; at last nothing is left to follow.
   */
  departed?: (Departed['state'] | (() => Promise<Departed['state']>))[];
  /** The run that follows the move; undefined: another is open. */
  follows?: () => RunStart | undefined;
  /** Throws where somebody cannot be told how the run ended. */
  tell?: (attempt: number) => void;
  /** The work tells its own heartbeats: no others are sent over them. */
  keepsHeartbeats?: boolean;
}

export interface Execution {
  handle: WorkflowHandle<(run: RunStart) => Promise<RunSummary>>;
  /** `start A`, `end A`, `undo A`, `report`, in the order in which they happened. */
  events: string[];
  ended: EndOfRun[];
  /** The runs whose end was told. */
  told: string[];
  progress(): Promise<RunProgress>;
  result(): Promise<RunSummary>;
}

export interface Engine {
  client: Client;
  /** Starts workers of a queue, and of the script's hosts; they stop with the engine. */
  serve(script: Script, taskQueue: string): Promise<Pick<Execution, 'events' | 'ended' | 'told'>>;
  /** Starts the workflow and its workers on a queue of their own. */
  run(script: Script): Promise<Execution>;
  close(): Promise<void>;
}

export function step(id: string, needs: string[] = [], more: Partial<PlanStep> = {}): PlanStep {
  return {
    id,
    class: 'platform',
    action: 'takePointer',
    title: `Step ${id}`,
    needs,
    undoable: true,
    ...more,
  };
}

export function final(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'PreconditionError');
}

/** How an activity learns that somebody has cancelled the run in the control store. */
export function cancelledRun(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('the run is cancelled', 'CancelledRun');
}

export async function workflowBundle() {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

let installed = false;

/** The SDK's runtime, which says errors only. */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
}

/** `namespace`: of the test run's Temporal server. */
export async function startEngine(namespace = 'default'): Promise<Engine> {
  installRuntime();
  const address = inject('temporalAddress');
  const [connection, native, bundle] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
    workflowBundle(),
  ]);
  const client = new Client({ connection, namespace });
  const running: { worker: Worker; ended: Promise<void> }[] = [];
  const go = (worker: Worker) => running.push({ worker, ended: worker.run() });

  const serve: Engine['serve'] = async (script, taskQueue) => {
    const events: string[] = [];
    const ended: EndOfRun[] = [];
    const told: string[] = [];
    const activities = scripted(script, { events, ended, told });
    const common = {
      connection: native,
      namespace,
      maxHeartbeatThrottleInterval: '100ms',
      shutdownGraceTime: 0,
    } as const;
    for (const host of script.hosts ?? []) {
      go(await Worker.create({ ...common, taskQueue: hostQueue(host), activities: { ...activities } }));
    }
    go(await Worker.create({ ...common, taskQueue, activities: { ...activities }, workflowBundle: bundle }));
    return { events, ended, told };
  };

  return {
    client,
    serve,
    async run(script) {
      const taskQueue = `test-${randomUUID()}`;
      const { events, ended, told } = await serve(script, taskQueue);
      const operation = script.operation ?? 'failover';
      const handle = (await client.workflow.start(operation, {
        workflowId: `test-${randomUUID()}`,
        taskQueue,
        args: [{ ...reference, operation } satisfies RunStart],
      })) as Execution['handle'];
      return {
        handle,
        events,
        ended,
        told,
        progress: () => handle.query<RunProgress>('progress'),
        result: () => handle.result(),
      };
    },
    async close() {
      for (const { worker } of running) worker.shutdown();
      await Promise.all(running.map((each) => each.ended));
      await Promise.all([native.close(), connection.close()]);
    },
  };
}

export const reference: RunStart = {
  runId: 'run-1',
  topology: 'fraud-ml',
  operation: 'failover',
  controlStore: {
    subscriptionId: 's',
    resourceGroup: 'g',
    storageAccount: 'control',
    container: 'understudy',
  },
};

/** Activities over a journal in memory, which a test's script fills. The plan of the undo is the real one. */
function scripted(script: Script, { events, ended, told }: Pick<Execution, 'events' | 'ended' | 'told'>): Activities {
  const journal = new Map((script.records ?? []).map((record) => [record.step, record]));
  const endings = [...(script.endings ?? [])];
  const departed = [...(script.departed ?? [])];
  const record = (id: string, more: Pick<StepRecord, 'state'> & Partial<StepRecord>): StepRecord => {
    const startedAt = journal.get(id)?.startedAt ?? new Date().toISOString();
    const made = { step: id, holder: 'h', attempts: 1, startedAt, ...more };
    journal.set(id, made);
    return made;
  };
  const ending = (done: string | Partial<StepRecord>): Partial<StepRecord> => ({
    endedAt: new Date().toISOString(),
    ...(typeof done === 'string' ? { detail: done } : done),
  });
  const perform = async (work: Work | undefined): Promise<string | Partial<StepRecord>> => {
    const context = Context.current();
    const beat = script.keepsHeartbeats === true ? undefined : setInterval(() => context.heartbeat(), 100);
    try {
      return (await work?.(context.cancellationSignal, context.info.attempt)) ?? 'done';
    } catch (error) {
      if (context.cancellationSignal.aborted) throw new CancelledFailure('cancelled');
      throw error;
    } finally {
      clearInterval(beat);
    }
  };
  const runStep: Activities[ActionName] = async ({ step: id }) => {
    events.push(`start ${id}`);
    const { undo } = record(id, {
      state: 'running',
      ...(script.keepsUndo?.includes(id) ? { undo: {} } : {}),
    });
    const done = await perform(script.work?.[id]);
    events.push(`end ${id}`);
    return outcomeOf(record(id, { state: 'completed', ...(undo === undefined ? {} : { undo }), ...ending(done) }));
  };
  return {
    ...(Object.fromEntries(Object.keys(actions).map((name) => [name, runStep])) as Record<ActionName, typeof runStep>),
    async beginRun() {
      await perform(async (signal) => {
        await script.begin?.(signal);
        return '';
      });
      return {
        header: { from: 'eastus', to: 'westus3', triggeredAt: '2026-11-21T10:00:00.000Z', triggeredBy: 'ana@laptop' },
        cancelled: false,
        paused: false,
        steps: script.steps,
        records: (script.records ?? []).map(outcomeOf),
        ...script.begun,
      };
    },
    async lookAtDeparted() {
      const next = departed.shift() ?? 'over';
      const state = typeof next === 'string' ? next : await next();
      if (script.departed) events.push(`look: ${state}`);
      return { state, steadySeconds: 4, againSeconds: 0.75 };
    },
    openReprotect() {
      events.push('open reprotect');
      return Promise.resolve(script.follows?.());
    },
    dropReprotect({ why }) {
      events.push(`drop reprotect: ${why}`);
      return Promise.resolve();
    },
    planUndo({ operation, topology }) {
      events.push('plan undo');
      const plan = {
        operation,
        topology,
        bundle: 'bundle',
        from: 'eastus',
        to: 'westus3',
        madeInEpoch: 1,
        steps: script.steps.map((each): Step => ({ ...each, input: {} })),
        notes: [],
      };
      const { steps } = compileUndo(plan, 'digest', [...journal.values()]);
      return Promise.resolve({
        steps: steps.map(({ input: _input, ...each }) => each),
        records: [...journal.values()].map(outcomeOf),
      });
    },
    async undoStep({ step: id }) {
      events.push(`undo ${id}`);
      const found = journal.get(id);
      if (!found) return undefined;
      return outcomeOf(record(id, { ...found, state: 'undone', ...ending(await perform(script.undo?.[id])) }));
    },
    decideGate({ gate, decision }) {
      events.push(`decide ${gate}`);
      return Promise.resolve(script.decide?.(gate, decision) ?? 'recorded');
    },
    endRun(end) {
      ended.push(end);
      return Promise.resolve(endings.shift() ?? { ended: true });
    },
    writeReport() {
      events.push('report');
      script.report?.();
      return Promise.resolve();
    },
    tellOfEnd({ runId }) {
      script.tell?.(Context.current().info.attempt);
      told.push(runId);
      return Promise.resolve();
    },
  };
}

/** Resolves when the signal does; what waits for it ends with a cancelled step. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}

/** Something that a test lets happen. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
