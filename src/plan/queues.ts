/** Task queues: one for all workers, and one a named host for what only that host can see. Loads nothing. */
export const taskQueue = 'understudy';

/** The queue of the worker on a named host, which alone sees that host's files. */
export function hostQueue(host: string): string {
  return `understudy-host-${host}`;
}
