/** Task queues: one for all workers, and one for each named host. Has no dependencies. */
export const taskQueue = 'understudy';

/** Returns the queue of the worker on a named host. Only that worker can access the host's files. */
export function hostQueue(host: string): string {
  return `understudy-host-${host}`;
}
