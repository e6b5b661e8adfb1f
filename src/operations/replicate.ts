/** Starts a recovery point: returns the one that is being taken, or a new run. */
import type { Client } from '@temporalio/client';
import { attach, type StartedRun } from './runs/open-run.ts';
import { requireRegistered } from './register.ts';
import type { Session } from './session.ts';
import { startOperation } from './runs/start-operation.ts';

/** What a person or a scheduler asks for with a replication. */
export interface ReplicateRequest {
  reason: string;
  /** How long it may take in all; default: the topology's policy. */
  deadlineSeconds?: number | undefined;
  /** Use what is registered in the control store rather than the session's topology. */
  registered?: boolean | undefined;
}

/**
 * Starts a recovery point; `started: false`: one is being taken already, and this is it. PreconditionError if nothing
 * is registered.
 */
export async function replicate(
  session: Session,
  client: Client,
  { reason, deadlineSeconds, registered = false }: ReplicateRequest,
): Promise<StartedRun> {
  const running = await attach(session, client, 'replicate');
  if (running) return running;
  const { bundle } = registered ? await requireRegistered(session.store) : {};
  return startOperation(session, client, {
    operation: 'replicate',
    ...(bundle === undefined ? {} : { bundle }),
    trigger: {
      reason,
      triggeredAt: new Date(),
      ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
    },
  });
}
