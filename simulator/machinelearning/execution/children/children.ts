/** Jobs that a job submits: steps of a pipeline, trials of a sweep. */

import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { rootOf } from '../../job-life/job-family.ts';
import { FINISHED, lifeOf, statusAt } from '../../job-life/job-life.ts';
import { changeLife } from '../../job-life/job-queue.ts';
import { submitOwnJob } from '../../jobs/job-submission.ts';

/**
 * Between two looks at what has become of children, in real time; their lives go by the cloud's clock or by processes.
 */
const LOOK_MS = 200;

/**
 * Submits a child, or finds it as submitted before the local Azure was restarted. Errors: ArmError for a compute that
 * is gone.
 */
export async function submitChild(cloud: Cloud, parent: Stored, name: string, properties: JsonObject): Promise<Stored> {
  const hidden = { parent: parent.resource.name, root: rootOf(parent) };
  return submitOwnJob(cloud, { maker: parent, name, properties, hidden });
}

/** The status of a child now; one that is gone has failed. */
export function statusOf(cloud: Cloud, id: string): string {
  const job = cloud.store.get(id);
  return job ? statusAt(lifeOf(job), cloud.clock.now()) : 'Failed';
}

/** Asks all that have not finished to be canceled. */
export function cancelAll(cloud: Cloud, ids: Iterable<string>): void {
  for (const id of ids) {
    const job = cloud.store.get(id);
    if (!job || FINISHED.has(statusOf(cloud, id)) || lifeOf(job).cancelRequestedAt !== undefined) continue;
    changeLife(cloud, job, { ...lifeOf(job), cancelRequestedAt: cloud.clock.now() });
  }
}

/** Resolves after a moment, to look again. */
export function nextLook(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
}
