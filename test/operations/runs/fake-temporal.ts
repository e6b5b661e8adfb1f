/** What starting and steering a run needs of Temporal: one workflow an id, started, described, cancelled. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunStart } from '../../../src/run/reference.ts';

export interface FakeTemporal {
  client: Client;
  /** By workflow id, what runs. */
  running: Map<string, RunStart>;
  /** In order. */
  started: RunStart[];
  cancelled: string[];
  /** Ids of runs whose workflow was terminated, in order. */
  terminated: string[];
  /** Commands are cut off as they start a workflow: it is not started, and nothing more happens. */
  cutsOff: boolean;
}

export function fakeTemporal(): FakeTemporal {
  const fake: FakeTemporal = {
    client: undefined as unknown as Client,
    running: new Map(),
    started: [],
    cancelled: [],
    terminated: [],
    cutsOff: false,
  };
  const notFound = (id: string) => new WorkflowNotFoundError('not found', id, undefined);
  const start = (type: string, { workflowId, args: [run] }: { workflowId: string; args: [RunStart] }) => {
    if (fake.cutsOff) return new Promise<never>(() => undefined);
    if (fake.running.has(workflowId))
      return Promise.reject(new WorkflowExecutionAlreadyStartedError('there', workflowId, type));
    fake.running.set(workflowId, run);
    fake.started.push(run);
    return Promise.resolve({ firstExecutionRunId: `execution of ${run.runId}` });
  };
  const getHandle = (workflowId: string) => ({
    workflowId,
    describe() {
      const run = fake.running.get(workflowId);
      if (!run) return Promise.reject(notFound(workflowId));
      const { runId } = run;
      return Promise.resolve({
        runId: `execution of ${runId}`,
        status: { name: 'RUNNING' },
        memo: { runId },
      });
    },
    cancel() {
      const run = fake.running.get(workflowId);
      if (!run) return Promise.reject(notFound(workflowId));
      fake.cancelled.push(run.runId);
      return Promise.resolve();
    },
    terminate() {
      const run = fake.running.get(workflowId);
      if (!run) return Promise.reject(notFound(workflowId));
      fake.running.delete(workflowId);
      fake.terminated.push(run.runId);
      return Promise.resolve();
    },
  });
  fake.client = { workflow: { start, getHandle } } as unknown as Client;
  return fake;
}
