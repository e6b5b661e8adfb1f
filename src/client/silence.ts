/** Detects whether what a run waits for still shows progress. A killed worker is noticed within seconds. */
import { z } from 'zod';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { toldBy, type RunHandle } from './runs.ts';

/** What has shown no progress, and for how long. */
export const Silence = z.object({
  what: z
    .string()
    .describe('What shows no sign of life: `step "restore/data/blobs"`, `its activity endRun`, `its workflow`'),
  kind: z.enum(['no heartbeat', 'no worker']),
  seconds: z.number().describe('For how long'),
});
export type Silence = z.infer<typeof Silence>;

/**
 * Steps send a heartbeat every second, and a running worker starts waiting work at once. Clocks may differ by a few
 * seconds.
 */
const silentSeconds = 15;

/** temporal.api.enums.v1.PendingActivityState: no worker has it; a worker has it. */
const scheduled = 1;
const started = 2;

interface Timestamp {
  seconds?: { toString(): string } | number | null;
  nanos?: number | null;
}

/** What Temporal shows of a run that it executes. */
export interface Signs {
  /** What has been silent for longest. Absent if everything shows progress. */
  silent?: Silence;
  /**
   * What steps say that they wait for, one line each: `fence/platform/drain: 2 of 5 jobs; waits for …`. Absent: none.
   */
  waits?: string[];
}

/** Asks once. */
export async function readSigns(handle: RunHandle, now: Date): Promise<Signs> {
  const { raw } = await handle.describe();
  const silent = silenceIn(raw, now);
  const waits = (raw.pendingActivities ?? []).flatMap((activity) => {
    const { waitsFor, done, total, unit } = toldBy(activity) ?? {};
    return waitsFor === undefined
      ? []
      : [`${activity.activityId}: ${done} of ${total ?? '?'} ${unit}; waits ${waitsFor}`];
  });
  return { ...(silent ? { silent } : {}), ...(waits.length > 0 ? { waits } : {}) };
}

function silenceIn(raw: WorkflowExecutionDescription['raw'], now: Date): Silence | undefined {
  const found: Silence[] = [];
  const note = (what: string, kind: Silence['kind'], since: number | undefined) => {
    const seconds = since === undefined ? 0 : Math.round((now.getTime() - since) / 1000);
    if (seconds > silentSeconds) found.push({ what, kind, seconds });
  };
  for (const activity of raw.pendingActivities ?? []) {
    const id = activity.activityId ?? '';
    // Steps have their own ids. Other activities have numbers.
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
