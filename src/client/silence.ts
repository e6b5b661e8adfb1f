/** Whether what a run waits for still shows a sign of life: a worker that was killed is seen by that within seconds. */
import type { RunHandle } from './runs.ts';

export interface Silence {
  /** `step "restore/data/blobs"`, `its activity endRun`, `its workflow`. */
  what: string;
  kind: 'no heartbeat' | 'no worker';
  /** How long it has been so. */
  seconds: number;
}

/** Steps tell once a second that they live, and a worker that is there takes what waits at once; clocks may differ by a few seconds. */
const silentSeconds = 15;

/** temporal.api.enums.v1.PendingActivityState: no worker has it; a worker has it. */
const scheduled = 1;
const started = 2;

interface Timestamp {
  seconds?: { toString(): string } | number | null;
  nanos?: number | null;
}

/** What has been silent for longest; undefined where all shows signs of life. */
export async function readSilence(handle: RunHandle, now: Date): Promise<Silence | undefined> {
  const { raw } = await handle.describe();
  const found: Silence[] = [];
  const note = (what: string, kind: Silence['kind'], since: number | undefined) => {
    const seconds = since === undefined ? 0 : Math.round((now.getTime() - since) / 1000);
    if (seconds > silentSeconds) found.push({ what, kind, seconds });
  };
  for (const activity of raw.pendingActivities ?? []) {
    const id = activity.activityId ?? '';
    // Steps have their own ids; what surrounds them has numbers.
    const what = id.includes('/') ? `step "${id}"` : `its activity ${activity.activityType?.name ?? id}`;
    const state = Number(activity.state);
    if (state === started)
      note(what, 'no heartbeat', millis(activity.lastHeartbeatTime) ?? millis(activity.lastStartedTime));
    if (state === scheduled)
      note(what, 'no worker', millis(activity.nextAttemptScheduleTime) ?? millis(activity.scheduledTime));
  }
  const task = raw.pendingWorkflowTask;
  if (task && !task.startedTime) note('its workflow', 'no worker', millis(task.scheduledTime));
  return found.toSorted((a, b) => b.seconds - a.seconds)[0];
}

function millis(time: Timestamp | null | undefined): number | undefined {
  const seconds = Number(time?.seconds ?? 0);
  return seconds === 0 ? undefined : seconds * 1000 + (time?.nanos ?? 0) / 1e6;
}
