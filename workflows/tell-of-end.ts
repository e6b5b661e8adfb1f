/**
 * `tellOfEnd`: notifies the webhooks that the topology names (`notify`) of how a run ended. It is a workflow of its
 * own, so that a webhook that is down for an hour is retried for that hour, while the run's own workflow closes and the
 * next run begins.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { RunReference } from '../src/run/reference.ts';
import { telling } from './profiles.ts';

const activities = proxyActivities<Activities>(telling);

/** Fails if a webhook could not be notified in time; the run's document says which, and why, and `status` shows it. */
export async function tellOfEnd(run: RunReference): Promise<void> {
  await activities.tellOfEnd(run);
}
