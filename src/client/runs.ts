/** Starts, finds and watches runs: everything that the command line and the server do with Temporal. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type WorkflowExecutionDescription,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { defaultPayloadConverter, defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { rowOf, workflowIdOf } from '../plan/operations.ts';
import { taskQueue } from '../plan/queues.ts';
import { workflowOfRun } from '../plan/workflow-of-run.ts';
import type { RunProgress, RunSummary } from '../run/progress.ts';
import type { RunReference, RunStart } from '../run/reference.ts';
import type { Progress } from '../run/work/step-context.ts';

/** A handle of a run's workflow. */
export type RunHandle = WorkflowHandle<(run: RunStart) => Promise<RunSummary>>;

/** How long a workflow may take to close after its run has ended. */
const closingMs = 10_000;

/**
 * Starts the run's workflow. If one of this topology is already running, returns that one instead (`started: false`). A
 * failover has the run lease by now, so the workflow of another failover is about to close, and is waited for.
 */
export async function startRun(
  client: Client,
  run: RunStart,
): Promise<{ handle: RunHandle; started: boolean; runId: string }> {
  const until = Date.now() + closingMs;
  for (;;) {
    const made = await startOnce(client, run);
    const waits = !made.started && made.runId !== run.runId && rowOf(run.operation).lease === 'run';
    if (!waits || Date.now() > until) return made;
    await delay(250);
  }
}

async function startOnce(
  client: Client,
  run: RunStart,
): Promise<{ handle: RunHandle; started: boolean; runId: string }> {
  const { options, attributes } = workflowOfRun(run);
  const { workflowId } = options;
  try {
    const handle = await client.workflow.start(run.operation, {
      ...options,
      taskQueue,
      typedSearchAttributes: new TypedSearchAttributes(
        Object.entries(attributes).map(([name, value]) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value })),
      ),
    });
    return {
      handle: handleOf(client, workflowId, handle.firstExecutionRunId),
      started: true,
      runId: run.runId,
    };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId, memo } = await client.workflow.getHandle(workflowId).describe();
    return {
      handle: handleOf(client, workflowId, runId),
      started: false,
      runId: typeof memo?.runId === 'string' ? memo.runId : run.runId,
    };
  }
}

/** A handle of one execution: the topology's next run has the same workflow id. */
function handleOf(client: Client, workflowId: string, executionId: string): RunHandle {
  return client.workflow.getHandle(workflowId, executionId);
}

/**
 * Returns the run of this operation that Temporal executes now, if any. Operations that exclude one another count as
 * one.
 */
export async function findRunning(
  client: Client,
  run: Pick<RunReference, 'topology' | 'operation'>,
): Promise<{ handle: RunHandle; runId: string } | undefined> {
  const workflowId = workflowIdOf(run);
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const runId = description.memo?.runId;
    return description.status.name === 'RUNNING' && typeof runId === 'string'
      ? { handle: handleOf(client, workflowId, description.runId), runId }
      : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: no worker has it. */
const scheduled = 1;

/** Returns the workflow's own view of its progress, with the progress in its activities' heartbeats. */
export async function readProgress(handle: RunHandle): Promise<RunProgress> {
  const [progress, description] = await Promise.all([handle.query<RunProgress>('progress'), handle.describe()]);
  for (const activity of description.raw.pendingActivities ?? []) {
    const step = progress.steps.find((each) => each.id === activity.activityId);
    if (!step || step.state !== 'running') continue;
    if (Number(activity.state) === scheduled && (activity.attempt ?? 1) <= 1) {
      step.state = 'waiting';
      step.detail = 'waits for a worker to take it';
      continue;
    }
    const told = toldBy(activity);
    if (told) {
      const { cursor: _, ...rest } = told;
      step.progress = rest;
    }
    if ((activity.attempt ?? 1) > 1) step.attempt = Number(activity.attempt);
    const message = activity.lastFailure?.message;
    if (message) step.lastError = message;
  }
  return progress;
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** What an activity has told with its last heartbeat. */
export function toldBy({ heartbeatDetails }: PendingActivity): Progress | undefined {
  const payload = heartbeatDetails?.payloads?.[0];
  return payload ? defaultPayloadConverter.fromPayload<Progress | undefined>(payload) : undefined;
}

/** Returns Temporal's status of the workflow: RUNNING, COMPLETED, FAILED, TERMINATED, … */
export async function temporalStatus(handle: RunHandle): Promise<string> {
  return (await handle.describe()).status.name;
}
