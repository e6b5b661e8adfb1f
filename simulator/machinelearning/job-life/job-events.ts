/** Who must hear of it when the life of a job has changed: what runs jobs, and what waits for them. */

import type { Cloud, Stored } from '../../contract/index.ts';

type Listener = (job: Stored) => void;

const listeners = new WeakMap<Cloud, Listener[]>();

/**
 * `listener` hears of every job that is new, or was moved, canceled, failed or ended. Of what the clock alone does
 * nobody is told.
 */
export function onLifeChanged(cloud: Cloud, listener: Listener): void {
  listeners.set(cloud, [...(listeners.get(cloud) ?? []), listener]);
}

/** Says that this job's life is another now. It must be in the store. */
export function lifeChanged(cloud: Cloud, job: Stored): void {
  for (const listener of listeners.get(cloud) ?? []) listener(job);
}
