/**
 * How long a step may take, from the policies: the plan carries it as data, so that what bounds an activity never contradicts what the
 * activity itself waits for. Pure; workflows import it.
 */
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { actionOf, type ActionName, type Profile } from './actions.ts';
import type { TimeLimits } from './plan.ts';

type Policies = Topology['policies'];

const minutes = 60;
const hours = 60 * minutes;

/** At least so long, whatever the policies say; also of plans of releases that did not say it. */
export const timeLimits: Record<Profile, TimeLimits> = {
  // Looks and returns: tried often, given up after minutes, since a person waits for it.
  probe: { attemptSeconds: 10 * minutes, stepSeconds: 30 * minutes, silenceSeconds: 5 * minutes },
  // A few calls to Azure's control plane, which may throttle, fail and recover for a while.
  control: { attemptSeconds: 30 * minutes, stepSeconds: 2 * hours, silenceSeconds: 5 * minutes },
  // Long work that resumes from its cursor: the work may take hours, its progress shows that it lives.
  transfer: { attemptSeconds: 12 * hours, stepSeconds: 24 * hours, silenceSeconds: 5 * minutes },
};

/** What an attempt needs besides what its policies give it: it begins, ends, and tells what it has waited for in vain. */
const besidesSeconds = 5 * minutes;

/** A request that is sent again after its time is over is no silence yet: the SDK's clients try up to four times. */
const triesOfRequest = 4;

/** Of a step that carries out `action` under these policies. */
export function timeLimitsOf(action: ActionName, policies: Policies): TimeLimits {
  const { profile, policies: bounds = [] } = actionOf(action);
  const least = timeLimits[profile];
  const declared = bounds.reduce((sum, name) => sum + toSeconds(policies[name]), 0);
  const attemptSeconds = Math.max(least.attemptSeconds, declared + besidesSeconds);
  return {
    attemptSeconds,
    stepSeconds: Math.max(least.stepSeconds, 2 * attemptSeconds),
    silenceSeconds: Math.max(
      toSeconds(policies.progressDeadline),
      triesOfRequest * toSeconds(policies.requestTimeout),
    ),
  };
}
