/** How activities are retried: by the time limits that the plan has for each step. */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Profile } from '../src/plan/actions.ts';
import type { TimeLimits } from '../src/plan/plan.ts';
import { hostQueue } from '../src/plan/queues.ts';
import { timeLimits } from '../src/plan/time-limits.ts';

/**
 * A cancelled step is waited for: nothing is undone while it may still write. Heartbeats show that the worker is alive;
 * they stop once a step has shown no progress for too long (see `activities/beating.ts`).
 */
const every = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const satisfies ActivityOptions;

/**
 * A step is retried until its time is over, or its error is final. `limits`: the step's own; absent, as in plans of
 * older releases: those of its profile.
 */
export function optionsOf(profile: Profile, limits: TimeLimits = timeLimits[profile]): ActivityOptions {
  return {
    startToCloseTimeout: limits.attemptSeconds * 1000,
    scheduleToCloseTimeout: limits.stepSeconds * 1000,
    ...every,
  };
}

/** A webhook is retried through its outage: rarely, and for hours. */
export const telling: ActivityOptions = {
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '12h',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
};

/** The control store may not answer. No other run begins without it, so nothing waits for this run's report. */
export const reporting: ActivityOptions = { ...optionsOf('control'), scheduleToCloseTimeout: '2m' };

/** A step of a named host waits for that host's worker, but not forever. */
export function queueOf(host: string | undefined): ActivityOptions {
  return host === undefined ? {} : { taskQueue: hostQueue(host), scheduleToStartTimeout: '2m' };
}

/** A person waits for this check: it is tried once, and a worker has half of the deadline in addition to start it. */
export function lookOn(host: string, deadlineSeconds: number): ActivityOptions {
  return {
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: deadlineSeconds * 500,
    startToCloseTimeout: deadlineSeconds * 1000,
    retry: { maximumAttempts: 1 },
  };
}
