/** How activities are tried: by the time limits that the plan carries for each step. */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Profile } from '../src/plan/actions.ts';
import type { TimeLimits } from '../src/plan/plan.ts';
import { hostQueue } from '../src/plan/queues.ts';
import { timeLimits } from '../src/plan/time-limits.ts';

/**
 * A cancelled step is waited for: nothing is undone while it may still write. Heartbeats say that the worker lives; they end once a step
 * has shown no progress for too long (see `activities/beating.ts`).
 */
const every = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const satisfies ActivityOptions;

/**
 * A step is retried until its time is up, or until its error is final. `limits`: the step's own; absent, as in plans of older releases,
 * those of its profile.
 */
export function optionsOf(profile: Profile, limits: TimeLimits = timeLimits[profile]): ActivityOptions {
  return {
    startToCloseTimeout: limits.attemptSeconds * 1000,
    scheduleToCloseTimeout: limits.stepSeconds * 1000,
    ...every,
  };
}

/** A webhook is tried again while its outage lasts: seldom, and for hours. */
export const telling: ActivityOptions = {
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '12h',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
};

/** The control store may not answer; without it no other run begins, so that nothing waits for this one's report. */
export const reporting: ActivityOptions = { ...optionsOf('control'), scheduleToCloseTimeout: '2m' };

/** A step of a named host waits for that host's worker, and not for ever. */
export function queueOf(host: string | undefined): ActivityOptions {
  return host === undefined ? {} : { taskQueue: hostQueue(host), scheduleToStartTimeout: '2m' };
}

/** A look is for a person who waits: it is tried once, after half of its time more for a worker to take it up. */
export function lookOn(host: string, deadlineSeconds: number): ActivityOptions {
  return {
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: deadlineSeconds * 500,
    startToCloseTimeout: deadlineSeconds * 1000,
    retry: { maximumAttempts: 1 },
  };
}
