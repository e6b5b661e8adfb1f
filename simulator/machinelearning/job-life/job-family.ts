/**
 * Steps of a pipeline and trials of a sweep are jobs of their own, which know their parent. Lists show the parents
 * alone, as Azure's do.
 */

import type { Cloud, Stored } from '../../contract/index.ts';
import { textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';

/** The name of the job that a job is a step or a trial of. */
export function parentOf(job: Stored): string | undefined {
  return textOf(job.hidden.parent);
}

/** The name of the job that it all began with: of a step of a pipeline in a pipeline, the outermost. */
export function rootOf(job: Stored): string {
  return textOf(job.hidden.root) ?? parentOf(job) ?? job.resource.name;
}

/** The steps or trials of a job, in the order in which they were made. */
export function childrenOf(cloud: Cloud, job: Stored): Stored[] {
  return cloud.store
    .children(workspaceIdOf(job.resource.id), `${WORKSPACES}/jobs`)
    .filter((other) => parentOf(other) === job.resource.name);
}
