/** How activities are tried: one profile a kind of work. */
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Profile } from '../src/plan/actions.ts';
import { hostQueue } from '../src/plan/queues.ts';

/** A cancelled step is waited for: nothing is undone while it may still write. */
const every = {
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const satisfies ActivityOptions;

/** A step is retried until its profile's time is up, or until its error is final. */
export const profiles: Record<Profile, ActivityOptions> = {
  // Looks and returns: tried often, given up after minutes, since a person waits for it.
  probe: { startToCloseTimeout: '10m', scheduleToCloseTimeout: '30m', ...every },
  // A few calls to Azure's control plane, which may throttle, fail and recover for a while.
  control: { startToCloseTimeout: '30m', scheduleToCloseTimeout: '2h', ...every },
  // Long work that resumes from its cursor: a lost worker is noticed within seconds, the work may take hours.
  transfer: { startToCloseTimeout: '12h', scheduleToCloseTimeout: '24h', ...every },
};

/** A webhook is tried again while its outage lasts: seldom, and for hours. */
export const telling: ActivityOptions = {
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '12h',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
};

/** The control store may not answer; without it no other run begins, so that nothing waits for this one's report. */
export const reporting: ActivityOptions = { ...profiles.control, scheduleToCloseTimeout: '2m' };

/** A step of a named host waits for that host's worker, and not for ever. */
export function queueOf(host: string | undefined): ActivityOptions {
  return host === undefined ? {} : { taskQueue: hostQueue(host), scheduleToStartTimeout: '2m' };
}
