/** Shows a run until it is over, and answers how it ended. Leaving (Ctrl-C) leaves the run alone: it goes on. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowFailedError,
} from '@temporalio/client';
import { readProgress } from '../client/runs.ts';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import type { Session } from '../operations/session.ts';
import type { StartedRun } from '../operations/start-operation.ts';
import { readRun } from '../run/journal.ts';
import { createView } from './view/index.ts';

/** Milliseconds between two looks at a run. */
const lookEveryMs = 400;

export interface Watched {
  runId: string;
  state: 'completed' | 'failed' | 'cancelled' | 'left';
  reason: string;
}

export async function watchRun(session: Session, run: StartedRun): Promise<Watched> {
  const view = createView(process.stdout);
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  process.once('SIGINT', leave);
  let warned = false;
  const ended = run.handle.result().then(
    (summary) => ({
      runId: run.runId,
      state: summary.state as Watched['state'],
      reason: summary.reason ?? '',
    }),
    async (error: unknown) => ({
      runId: run.runId,
      state: 'failed' as const,
      reason: await reasonOf(session, run.runId, error),
    }),
  );
  const outcome: { watched?: Watched } = {};
  void ended.then((watched) => (outcome.watched = watched));
  try {
    while (!outcome.watched && !leaving.signal.aborted) {
      try {
        view.update(await readProgress(run.handle));
      } catch (error) {
        // Before the first workflow task is done there is nothing to see; a worker that is not there is worth a word.
        if (!isPassing(error)) throw error;
        if (!warned && /worker|poller|deadline|timeout/i.test(messageOf(error))) {
          warned = true;
          console.error('waiting: no worker answers; start one with "understudy worker"');
        }
      }
      await Promise.race([
        ended,
        delay(lookEveryMs, undefined, { signal: leaving.signal }).catch(() => undefined),
      ]);
    }
    if (outcome.watched) view.update(await readProgress(run.handle).catch(() => undefined));
  } finally {
    process.removeListener('SIGINT', leave);
    view.finish();
  }
  return outcome.watched ?? { runId: run.runId, state: 'left', reason: 'you left; the run goes on' };
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof QueryNotRegisteredError ||
    error instanceof QueryRejectedError ||
    error instanceof ServiceError ||
    /has not begun|not registered|query/i.test(messageOf(error))
  );
}

/** A workflow that failed outright: its own words, or what the journal says. */
async function reasonOf(session: Session, runId: string, error: unknown): Promise<string> {
  let cause: unknown = error;
  if (error instanceof WorkflowFailedError) cause = error.cause ?? error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const journalled = await readRun(session.store, runId).catch(() => undefined);
  return journalled?.stateReason ?? messageOf(cause);
}

/** The command's end: says how the run ended, and turns it into an exit code. */
export function conclude(watched: Watched): void {
  switch (watched.state) {
    case 'completed':
      return;
    case 'left':
      console.log(`\n${watched.runId} goes on. Watch it with "understudy status --watch".`);
      process.exitCode = 0;
      return;
    case 'cancelled':
      throw new UnderstudyError('Declined', `run ${watched.runId} was cancelled: ${watched.reason}`);
    case 'failed':
      throw new UnderstudyError('PreconditionError', `run ${watched.runId} failed: ${watched.reason}`, {
        next: `See "understudy report ${watched.runId}"; when it is mended: "understudy resume-run ${watched.runId}".`,
      });
  }
}
