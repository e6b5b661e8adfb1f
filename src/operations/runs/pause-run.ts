/**
 * Pauses an open run, or continues it. The journal records it first, so that it applies on any Temporal; then the
 * workflow is signalled.
 */
import type { Client } from '@temporalio/client';
import { UnderstudyError } from '../../errors/error.ts';
import { isOver } from '../../plan/run-states.ts';
import { changeRun } from '../../run/journal.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { attach, whoAmI } from './open-run.ts';

/** PreconditionError if no part of the run is active that could be paused. */
export async function pauseRun(session: Session, client: Client, run: RunDocument, paused: boolean): Promise<void> {
  if (isOver(run.state) || run.cancelled)
    throw new UnderstudyError(
      'PreconditionError',
      `run "${run.runId}" is ${run.state}: there is nothing to ${paused ? 'pause' : 'unpause'}`,
      { next: howToEnd(run) },
    );
  await changeRun(session.store, run.runId, {
    paused: paused ? { by: whoAmI(), at: new Date().toISOString() } : null,
  });
  const running = await attach(session, client, run.operation);
  if (running?.runId === run.runId) await running.handle.signal(paused ? 'pause' : 'unpause', whoAmI());
}
