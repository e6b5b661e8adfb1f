/**
 * Heartbeats of an activity. They say two things: that the worker is alive (one per second, so that a killed worker is
 * noticed within seconds), and how far the work is. A live worker proves nothing about its work: work that shows no
 * progress for too long is ended, and Temporal tries again.
 */
import { Context } from '@temporalio/activity';
import { UnderstudyError, isUnderstudyError } from '../src/errors/error.ts';
import { timeLimits } from '../src/plan/time-limits.ts';
import type { Progress, StepRuntime } from '../src/run/work/step-context.ts';
import { showDuration } from '../src/topology/duration.ts';
import { asFailure } from './failures.ts';

/** How often the worker says that it is alive; well below the heartbeat timeout. */
const beatMs = 1000;

/** How long ended work has to record that in the journal; work that does not end in that time is abandoned. */
const graceMs = 5000;

/** For work that is short, and limited by its activity's own time-out: `work` shows no progress. */
export function beating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), beatMs);
  return asFailure(context.cancellationSignal, () => work(context.cancellationSignal)).finally(() =>
    clearInterval(timer),
  );
}

/** For the work of a step. `silenceSeconds`: how long it may show no progress. */
export async function progressing<T>(
  { silenceSeconds = timeLimits.transfer.silenceSeconds }: { silenceSeconds?: number },
  work: (runtime: StepRuntime) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let latest = context.info.heartbeatDetails as Progress | undefined;
  let progressedAt = performance.now();
  const stalled = new AbortController();
  const givenUp = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    context.heartbeat(latest);
    const silentMs = performance.now() - progressedAt;
    if (silentMs < silenceSeconds * 1000) return;
    if (!stalled.signal.aborted) stalled.abort(silence(silenceSeconds, latest));
    else if (silentMs >= silenceSeconds * 1000 + graceMs) givenUp.reject(stalled.signal.reason);
  }, beatMs);
  const runtime: StepRuntime = {
    signal: AbortSignal.any([context.cancellationSignal, stalled.signal]),
    lastProgress: latest,
    alive() {
      progressedAt = performance.now();
    },
    heartbeat(progress) {
      progressedAt = performance.now();
      latest = progress;
      context.heartbeat(progress);
    },
  };
  try {
    return await asFailure(context.cancellationSignal, () =>
      Promise.race([work(runtime), givenUp.promise]).catch((error: unknown) => {
        // The work's own error says only that it was ended.
        throw stalled.signal.aborted && !isUnderstudyError(error) ? stalled.signal.reason : error;
      }),
    );
  } finally {
    clearInterval(timer);
  }
}

function silence(seconds: number, latest: Progress | undefined): UnderstudyError {
  const last = latest ? `; last: ${latest.done}${latest.total ? ` of ${latest.total}` : ''} ${latest.unit}` : '';
  return new UnderstudyError(
    'StalledError',
    `no progress for ${showDuration(seconds * 1000)} (policies.progressDeadline)${last}: the attempt was ended`,
    { next: 'It is tried again by itself. If it stalls each time, see what does not answer.' },
  );
}
