/** Asks a host's worker, through Temporal, to inspect its config files. */
import { randomUUID } from 'node:crypto';
import { isGrpcServiceError, WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import { hostQueue, taskQueue } from '../plan/queues.ts';
import type { HostLookRequest, TargetLook } from '../switch/look-at-configs.ts';
import { pollersOf } from './workers.ts';

/**
 * Extra time for Temporal itself, on top of the deadline for the inspection and the half of it in which a worker must
 * start.
 */
const spareMs = 1000;

/**
 * Returns what the host's worker found for each target.
 * Errors: TemporalError if nothing was inspected: there is no worker, it is busy or too old, or Temporal does not
 * answer.
 */
export async function askHost(client: Client, topology: string, request: HostLookRequest): Promise<TargetLook[]> {
  const { host, deadlineSeconds } = request;
  const ms = deadlineSeconds * 1500 + spareMs;
  try {
    return await client.withDeadline(Date.now() + ms, async () => {
      await requireWorkers(client, host);
      const look = await client.workflow.execute('lookAtConfigs', {
        workflowId: `understudy-${topology}-look-${host}-${randomUUID()}`,
        taskQueue,
        args: [request],
        // Nobody waits for a late result.
        workflowExecutionTimeout: ms,
        staticSummary: `look at the config files of ${topology} on ${host}`,
      });
      return look as TargetLook[];
    });
  } catch (error) {
    throw reasonOf(error, request);
  }
}

/** If no worker polls, waiting does not help. */
async function requireWorkers(client: Client, host: string): Promise<void> {
  const needed = [
    { queue: hostQueue(host), command: `understudy worker --host ${host}`, where: `on ${host}` },
    { queue: taskQueue, command: 'understudy worker', where: 'anywhere' },
  ];
  for (const { queue, command, where } of needed) {
    if ((await pollersOf(client, queue)) > 0) continue;
    throw new UnderstudyError('TemporalError', `no "${command}" runs`, {
      next: `Start "${command}" ${where}, and plan again.`,
    });
  }
}

function reasonOf(error: unknown, { host, deadlineSeconds }: HostLookRequest): UnderstudyError {
  if (error instanceof UnderstudyError) return error;
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  const worker = `understudy worker --host ${host}`;
  if (inner instanceof TimeoutFailure) {
    return new UnderstudyError('TemporalError', `"${worker}" did not look within ${deadlineSeconds}s`, {
      next: `See that it runs, and that it and "understudy worker" are of this release; then plan again.`,
      cause: error,
    });
  }
  // The name that Temporal gives to the error if a worker does not have the activity.
  if (inner instanceof ApplicationFailure && inner.type === 'NotFoundError') {
    return new UnderstudyError('TemporalError', `"${worker}" is of a release that cannot look`, {
      next: 'Install this release there, start it again, and plan again.',
      cause: error,
    });
  }
  const said = isGrpcServiceError(error) ? error.details : messageOf(inner);
  return new UnderstudyError('TemporalError', `"${worker}" could not be asked: ${said}`, {
    next: 'See the log of the worker and the state of Temporal, and plan again.',
    cause: error,
  });
}
