/** Shows a run until it is over, and answers how it ended. Whoever leaves (Ctrl-C) leaves the run alone: it goes on. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { readProgress, readStatus } from '../client/runs.ts';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import type { Session } from '../operations/session.ts';
import type { StartedRun } from '../operations/start-operation.ts';
import { isOver } from '../plan/run-states.ts';
import { readRun } from '../run/journal.ts';
import type { RunProgress } from '../run/progress.ts';
import { createView, type View } from './view/index.ts';

/** Milliseconds between two looks at a run, and how long one look may take. */
const lookEveryMs = 400;
const lookMs = 3000;
/** After so long without a sign of the run, the watcher says so. */
const patienceMs = 4000;

export interface Watched {
  runId: string;
  state: 'completed' | 'failed' | 'cancelled' | 'left';
  reason: string;
}

export async function watchRun(session: Session, run: StartedRun, leaving: AbortSignal): Promise<Watched> {
  const view = createView(process.stdout);
  try {
    return await watchUntilOver(session, run, view, leaving);
  } finally {
    view.finish();
  }
}

async function watchUntilOver(
  session: Session,
  run: StartedRun,
  view: View,
  leaving: AbortSignal,
): Promise<Watched> {
  const silence = silenceTeller(view);
  while (!leaving.aborted) {
    const progress = await look(() => readProgress(run.handle));
    view.update(progress.seen);
    const over = await ended(session, run);
    if (over) {
      view.update((await look(() => readProgress(run.handle))).seen);
      return over;
    }
    silence(progress);
    await delay(lookEveryMs, undefined, { signal: leaving }).catch(() => undefined);
  }
  return { runId: run.runId, state: 'left', reason: 'you left; the run goes on' };
}

interface Look {
  seen: RunProgress | undefined;
  error: unknown;
}

/** One look, cut off when nobody answers: a query waits for a worker, and there may be none. */
async function look(read: () => Promise<RunProgress>): Promise<Look> {
  const cutOff = delay(lookMs).then(() => {
    throw new Error('no worker answers');
  });
  cutOff.catch(() => undefined);
  try {
    return { seen: await Promise.race([read(), cutOff]), error: undefined };
  } catch (error) {
    return { seen: undefined, error };
  }
}

/** Says once, for each time it happens, that there is nothing to see, and why. */
function silenceTeller(view: View): (look: Look) => void {
  let since: number | undefined;
  let told = false;
  return ({ seen, error }) => {
    if (seen) {
      since = undefined;
      told = false;
      return;
    }
    since ??= Date.now();
    if (told || Date.now() - since < patienceMs) return;
    told = true;
    view.print(
      `nothing is heard of the run (${messageOf(error)}): does "understudy worker" run? Still watching.`,
    );
  };
}

/** How it ended, as Temporal says, or as the journal does where Temporal does not answer or has forgotten it. */
async function ended(session: Session, run: StartedRun): Promise<Watched | undefined> {
  const { runId } = run;
  try {
    if ((await readStatus(run.handle)) === 'RUNNING') return undefined;
    const { state, reason } = await run.handle.result();
    return { runId, state: state as Watched['state'], reason: reason ?? '' };
  } catch (error) {
    const journalled = await readRun(session.store, runId).catch(() => undefined);
    if (journalled && isOver(journalled.state)) {
      return { runId, state: journalled.state as Watched['state'], reason: journalled.stateReason ?? '' };
    }
    if (error instanceof WorkflowFailedError) return { runId, state: 'failed', reason: rootCause(error) };
    if (!(error instanceof WorkflowNotFoundError)) return undefined;
    const reason = `Temporal does not know it any more; take it up again with "understudy resume-run ${runId}"`;
    return { runId, state: 'failed', reason };
  }
}

function rootCause(error: Error): string {
  let cause = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return messageOf(cause);
}

/** The command's end: says how the run ended, and turns it into an exit code. */
export function conclude(watched: Watched): void {
  switch (watched.state) {
    case 'completed':
      return;
    case 'left':
      throw new UnderstudyError('Declined', `you left, and ${watched.runId} goes on`, {
        next: 'Watch it again with "understudy status --watch".',
      });
    case 'cancelled':
      throw new UnderstudyError('Declined', `run ${watched.runId} was cancelled: ${watched.reason}`);
    case 'failed':
      throw new UnderstudyError('PreconditionError', `run ${watched.runId} failed: ${watched.reason}`, {
        next: `See "understudy report ${watched.runId}"; when it is mended: "understudy resume-run ${watched.runId}".`,
      });
  }
}
