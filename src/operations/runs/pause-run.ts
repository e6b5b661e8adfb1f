/**
 * Pauses an open run, and lets it go on: written down, so that it holds on whatever Temporal, then told to
 * the workflow.
 */
import type { Client } from '@temporalio/client';
import { UnderstudyError } from '../../errors/error.ts';
import { isOver } from '../../plan/run-states.ts';
import { changeRun } from '../../run/journal.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { attach, whoAmI } from './open-run.ts';

/** PreconditionError where nothing of the run goes on that could be held. */
export async function pauseRun(
  session: Session,
  client: Client,
  run: RunDocument,
  paused: boolean,
): Promise<void> {
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
