/**
 * `tellOfEnd`: tells those whom the topology names (`notify`) how a run ended. It is a workflow of its own, so that a
 * webhook that is down for an hour is tried for that hour, while the run's own workflow closes and the next run begins.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { RunReference } from '../src/run/reference.ts';
import { telling } from './profiles.ts';

const activities = proxyActivities<Activities>(telling);

/** Fails where somebody could not be told in time; the run's document says whom, and why, and `status` shows it. */
export async function tellOfEnd(run: RunReference): Promise<void> {
  await activities.tellOfEnd(run);
}
