/** Follows a run until it is over, or until nobody watches any more: the run itself continues. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { temporalSettings } from '../../client/connect.ts';
import { readProgress, temporalStatus } from '../../client/runs.ts';
import { messageOf, UnderstudyError } from '../../errors/error.ts';
import { isOver } from '../../plan/run-states.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { readRun } from '../../run/journal.ts';
import type { RunProgress } from '../../run/progress.ts';
import { overtakenBy } from '../../run/overtaken.ts';
import { inTime } from '../../run/work/in-time.ts';
import type { StartedRun } from './open-run.ts';
import type { Session } from '../session.ts';

/** Milliseconds between two reads of a run, and how long one read may take. */
const lookEveryMs = 400;
const lookMs = 3000;
/** After so long without a sign of the run, the watcher is told. */
const patienceMs = 4000;
/** How often the watcher is told again. */
const againMs = 60_000;

/** How a run ended, for the command that watched it. */
export interface Watched {
  runId: string;
  state: 'completed' | 'failed' | 'cancelled' | 'left';
  reason: string;
  /** Of a failed one: what to do. */
  next?: string;
}

/** Where a watched run is shown. */
export interface Watcher {
  /** Undefined: nothing newer is known. */
  update(progress: RunProgress | undefined): void;
  /** A line for a person. */
  print(line: string): void;
}

/** Returns how the run ended; `left` once `leaving` is aborted. */
export async function watchRun(
  session: Session,
  run: StartedRun,
  watcher: Watcher,
  leaving: AbortSignal,
): Promise<Watched> {
  const watched = await watchUntilOver(session, run, watcher, leaving);
  return watched.state === 'failed' ? withAdvice(session, watched) : watched;
}

/** Throws Declined if the run was cancelled or is no longer watched, PreconditionError if it failed. */
export function requireCompleted({ runId, state, reason, next = '' }: Watched): void {
  switch (state) {
    case 'completed':
      return;
    case 'left':
      throw new UnderstudyError('Declined', `you stopped watching; run ${runId} continues`, {
        next: `Watch it again with "understudy status --watch", or see "understudy report ${runId}" when it is over.`,
      });
    case 'cancelled':
      throw new UnderstudyError('Declined', `run ${runId} was cancelled: ${reason}`);
    case 'failed':
      throw new UnderstudyError('PreconditionError', `run ${runId} failed: ${reason}`, {
        next: `See "understudy report ${runId}". ${next}`.trim(),
      });
  }
}

async function watchUntilOver(
  session: Session,
  run: StartedRun,
  watcher: Watcher,
  leaving: AbortSignal,
): Promise<Watched> {
  const silence = silenceTeller(watcher, run.runId);
  // Leaving does not wait for a response, and a late one is not shown.
  const left = new Promise<undefined>((resolve) => {
    leaving.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const show = (progress: RunProgress | undefined) => {
    if (!leaving.aborted) watcher.update(progress);
  };
  const lookOnce = async () => {
    const progress = await look(() => readProgress(run.handle));
    show(progress.seen);
    const { over, temporal } = await ended(session, run);
    if (over) show((await look(() => readProgress(run.handle))).seen);
    else if (!leaving.aborted) silence(progress, temporal);
    return over;
  };
  while (!leaving.aborted) {
    const over = await Promise.race([lookOnce(), left]);
    if (over) return over;
    await delay(lookEveryMs, undefined, { signal: leaving }).catch(() => undefined);
  }
  return { runId: run.runId, state: 'left', reason: 'you stopped watching; the run continues' };
}

interface Look {
  seen: RunProgress | undefined;
  error: unknown;
}

/** One read, with a time limit: a query waits for a worker, and there may be none. */
async function look(read: () => Promise<RunProgress>): Promise<Look> {
  try {
    return { seen: await inTime(read(), lookMs, 'no worker answers'), error: undefined };
  } catch (error) {
    return { seen: undefined, error };
  }
}

/** Says each time it happens, and each minute that it lasts, that there is nothing to see, and why. */
function silenceTeller(watcher: Watcher, runId: string): (look: Look, temporal: boolean) => void {
  let since: number | undefined;
  let toldAt = -Infinity;
  return ({ seen, error }, temporal) => {
    if (seen) {
      since = undefined;
      toldAt = -Infinity;
      return;
    }
    since ??= Date.now();
    if (Date.now() - since < patienceMs || Date.now() - toldAt < againMs) return;
    toldAt = Date.now();
    watcher.print(
      temporal
        ? `nothing is heard of the run (${messageOf(error)}): it waits until an "understudy worker" runs that has this Temporal (${temporalSettings().address}). Still watching; Ctrl-C leaves it open, "understudy cancel ${runId}" ends it.`
        : `Temporal does not answer: the run continues when it does, or on another with "understudy retry ${runId}". Still watching.`,
    );
  };
}

/** How it ended, as Temporal says, or as the journal does if Temporal does not answer or has forgotten it. */
async function ended(session: Session, run: StartedRun): Promise<{ over?: Watched; temporal: boolean }> {
  const { runId } = run;
  try {
    if ((await inTime(temporalStatus(run.handle), lookMs, 'no answer')) === 'RUNNING') return { temporal: true };
    const { state, reason } = await inTime(run.handle.result(), lookMs, 'no answer');
    return { over: { runId, state: state as Watched['state'], reason: reason ?? '' }, temporal: true };
  } catch (error) {
    const journalled = await readRun(session.store, runId).catch(() => undefined);
    if (journalled && isOver(journalled.state)) {
      const { state, stateReason } = journalled;
      return { over: { runId, state: state as Watched['state'], reason: stateReason ?? '' }, temporal: true };
    }
    const failed = (reason: string) => ({
      over: { runId, state: 'failed' as const, reason },
      temporal: true,
    });
    if (error instanceof WorkflowFailedError) return failed(rootCause(error));
    if (!(error instanceof WorkflowNotFoundError)) return { temporal: false };
    return failed(`Temporal does not know it any more; start it again with "understudy retry ${runId}"`);
  }
}

/** As `status` says it; if the journal cannot be read, there is no advice either. */
async function withAdvice({ store }: Session, watched: Watched): Promise<Watched> {
  const run = await readRun(store, watched.runId).catch(() => undefined);
  if (!run) return watched;
  return { ...watched, next: howToEnd(run, run.state === 'failed' ? await overtakenBy(store, run) : undefined) };
}

function rootCause(error: Error): string {
  let cause = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return messageOf(cause);
}
