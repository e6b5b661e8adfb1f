/** The one place that turns an error of ours into one of Temporal's: retryable or not, and after how long. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { isDefect, isUnderstudyError, messageOf } from '../src/errors/error.ts';
import { cutShort } from '../src/run/work/outcome.ts';

/** Runs `work`; turns what it throws into a failure that Temporal's retries understand. */
export async function asFailure<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new CancelledFailure('cancelled');
    throw failureOf(error);
  }
}

function failureOf(error: unknown): ApplicationFailure {
  if (!isUnderstudyError(error)) {
    // Not one of ours, perhaps a fault of the machine: retried, since another worker may succeed.
    return ApplicationFailure.create({
      message: cutShort(messageOf(error)),
      type: error instanceof Error ? error.name : 'Error',
      nonRetryable: isDefect(error),
    });
  }
  const { retryAfterSeconds } = error.details;
  return ApplicationFailure.create({
    message: cutShort(error.message),
    type: error.code,
    nonRetryable: !error.retryable,
    ...(retryAfterSeconds === undefined ? {} : { nextRetryDelay: `${retryAfterSeconds}s` as const }),
  });
}
