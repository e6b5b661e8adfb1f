/** Counts the pollers of a task queue. Without one, nothing in it is executed. */
import type { Client } from '@temporalio/client';

/** A poll waits for at most a minute, so a worker that has not polled for longer is gone. */
const staleMs = 75_000;

/** temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: all our workers run activities. */
const activityQueue = 2;

/** Returns how many pollers the queue has had within the last minute. */
export async function pollersOf(client: Client, queue: string, now = Date.now()): Promise<number> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum's package is not one of ours
    taskQueueType: activityQueue,
  });
  return (pollers ?? []).filter(({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1000 < staleMs)
    .length;
}
