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
import { hostQueue } from '../../src/plan/queues.ts';
import type { Step } from '../../src/plan/plan.ts';
import type { EndOfRun } from '../../src/run/begin-and-end.ts';
import type { RunSummary, StepRecord } from '../../src/run/outcome.ts';
import type { RunProgress } from '../../src/run/progress.ts';
import type { RunReference } from '../../src/run/reference.ts';

/** What a step does when it runs: answers its detail, throws, or waits. */
export type Work = (signal: AbortSignal, attempt: number) => Promise<string> | string;

export interface Script {
  steps: Omit<Step, 'input'>[];
  /** By step id; without one a step is done at once. */
  work?: Record<string, Work>;
  undo?: Record<string, Work>;
  /** What the journal has already. */
  records?: StepRecord[];
  /** Hosts that have a worker. */
  hosts?: string[];
  begin?: (signal: AbortSignal) => Promise<void>;
  /** The work tells its own heartbeats: no others are sent over them. */
  keepsHeartbeats?: boolean;
}

export interface Execution {
  handle: WorkflowHandle<(run: RunReference) => Promise<RunSummary>>;
  /** `start A`, `end A`, `undo A`, `queue host`, in the order in which they happened. */
  events: string[];
  ended: EndOfRun[];
  progress(): Promise<RunProgress>;
  result(): Promise<RunSummary>;
}

export interface Engine {
  client: Client;
  /** Starts workers of a queue, and of the script's hosts; they stop with the engine. */
  serve(script: Script, taskQueue: string): Promise<Pick<Execution, 'events' | 'ended'>>;
  /** Starts the workflow and its workers on a queue of their own. */
  run(script: Script): Promise<Execution>;
  close(): Promise<void>;
}

export function step(id: string, needs: string[] = [], more: Partial<Step> = {}): Omit<Step, 'input'> {
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

export async function startEngine(): Promise<Engine> {
  installRuntime();
  const address = inject('temporalAddress');
  const [connection, native, bundle] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
    workflowBundle(),
  ]);
  const client = new Client({ connection });
  const running: { worker: Worker; ended: Promise<void> }[] = [];
  const go = (worker: Worker) => running.push({ worker, ended: worker.run() });

  const serve: Engine['serve'] = async (script, taskQueue) => {
    const events: string[] = [];
    const ended: EndOfRun[] = [];
    const activities = scripted(script, events, ended);
    const common = {
      connection: native,
      maxHeartbeatThrottleInterval: '100ms',
      shutdownGraceTime: 0,
    } as const;
    for (const host of script.hosts ?? []) {
      go(await Worker.create({ ...common, taskQueue: hostQueue(host), activities: { ...activities } }));
    }
    go(await Worker.create({ ...common, taskQueue, activities: { ...activities }, workflowBundle: bundle }));
    return { events, ended };
  };

  return {
    client,
    serve,
    async run(script) {
      const taskQueue = `test-${randomUUID()}`;
      const { events, ended } = await serve(script, taskQueue);
      const handle = (await client.workflow.start('executePlan', {
        workflowId: `test-${randomUUID()}`,
        taskQueue,
        args: [reference],
      })) as Execution['handle'];
      return {
        handle,
        events,
        ended,
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

export const reference: RunReference = {
  runId: 'run-1',
  topology: 'fraud-ml',
  operation: 'failover',
  controlStore: {
    subscriptionId: 's',
    resourceGroup: 'g',
    storageAccount: 'control',
    container: 'understudy',
  },
  plan: 'plan-digest',
  bundle: 'bundle-digest',
};

function scripted(script: Script, events: string[], ended: EndOfRun[]): Activities {
  const journal = new Map((script.records ?? []).map((record) => [record.step, record]));
  const record = (id: string, state: StepRecord['state'], detail: string): StepRecord => {
    const at = new Date().toISOString();
    const made = { step: id, state, detail, holder: 'h', attempts: 1, startedAt: at, endedAt: at };
    journal.set(id, made);
    return made;
  };
  const perform = async (work: Work | undefined): Promise<string> => {
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
    const begun = record(id, 'running', '');
    const detail = await perform(script.work?.[id]);
    events.push(`end ${id}`);
    return record(begun.step, 'completed', detail);
  };
  return {
    ...(Object.fromEntries(Object.keys(actions).map((name) => [name, runStep])) as Record<
      ActionName,
      typeof runStep
    >),
    async beginRun(run) {
      await perform(async (signal) => {
        await script.begin?.(signal);
        return '';
      });
      return {
        header: {
          ...run,
          from: 'eastus',
          to: 'westus3',
          reason: 'test',
          triggeredBy: 'test',
          triggeredAt: '2026-11-21T10:00:00.000Z',
        },
        steps: script.steps,
        records: script.records ?? [],
      };
    },
    async endRun(end) {
      ended.push(end);
      return Promise.resolve();
    },
    async undoStep({ step: id }) {
      events.push(`undo ${id}`);
      const found = journal.get(id);
      if (found?.state !== 'completed') return found;
      return record(id, 'undone', await perform(script.undo?.[id]));
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
