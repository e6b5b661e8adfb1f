/**
 * How long a step may take, from the policies. The plan carries the limits as data, so that an activity's timeout never
 * contradicts what the activity itself waits for. Pure. Workflows import it.
 */
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { actionOf, type ActionName, type Profile } from './actions.ts';
import type { TimeLimits } from './plan.ts';

type Policies = Topology['policies'];

const minutes = 60;
const hours = 60 * minutes;

/** Minimum limits, whatever the policies say. Also used for plans of releases without limits. */
export const timeLimits: Record<Profile, TimeLimits> = {
  // Reads and returns. Retried often, and fails after minutes, because a person waits for it.
  probe: { attemptSeconds: 10 * minutes, stepSeconds: 30 * minutes, silenceSeconds: 5 * minutes },
  // A few calls to Azure's control plane, which may throttle, fail and recover for a while.
  control: { attemptSeconds: 30 * minutes, stepSeconds: 2 * hours, silenceSeconds: 5 * minutes },
  // Long work that continues from its cursor. It may take hours; its progress shows that it is alive.
  transfer: { attemptSeconds: 12 * hours, stepSeconds: 24 * hours, silenceSeconds: 5 * minutes },
};

/** What an attempt needs beyond its policies: to begin, to end, and to report what it has waited for. */
const besidesSeconds = 5 * minutes;

/** A timed-out request that is sent again is not silence yet: the SDK's clients try up to four times. */
const triesOfRequest = 4;

/**
 * Returns the limits of a step that runs `action` under these policies. `waitsSeconds`: how long it may wait for people
 * or jobs.
 */
export function timeLimitsOf(action: ActionName, policies: Policies, waitsSeconds = 0): TimeLimits {
  const { profile, policies: bounds = [] } = actionOf(action);
  const least = timeLimits[profile];
  const declared = bounds.reduce((sum, name) => sum + toSeconds(policies[name]), waitsSeconds);
  const attemptSeconds = Math.max(least.attemptSeconds, declared + besidesSeconds);
  return {
    attemptSeconds,
    stepSeconds: Math.max(least.stepSeconds, 2 * attemptSeconds),
    silenceSeconds: Math.max(toSeconds(policies.progressDeadline), triesOfRequest * toSeconds(policies.requestTimeout)),
  };
}
