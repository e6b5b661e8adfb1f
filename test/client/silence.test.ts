/** Whether a run still shows a sign of life, by what Temporal says of it. */
import { expect, it } from 'vitest';
import type { RunHandle } from '../../src/client/runs.ts';
import { readSigns } from '../../src/client/silence.ts';

const now = new Date('2026-11-21T10:01:00.000Z');
const ago = (seconds: number) => ({ seconds: Math.floor(now.getTime() / 1000) - seconds, nanos: 0 });
const look = async (raw: object) =>
  (await readSigns({ describe: () => Promise.resolve({ raw }) } as unknown as RunHandle, now)).silent;
const activity = (id: string, more: object) => ({
  activityId: id,
  activityType: { name: 'copyBlobs' },
  ...more,
});

it('says nothing of steps that tell that they live, nor of ones that a worker has just been offered', async () => {
  expect(
    await look({
      pendingActivities: [
        activity('restore/data/blobs', { state: 2, lastHeartbeatTime: ago(1), lastStartedTime: ago(900) }),
        activity('verify/data/blobs', { state: 1, scheduledTime: ago(2) }),
        // It waits for its next attempt, which is to come.
        activity('copy', { state: 1, scheduledTime: ago(500), nextAttemptScheduleTime: ago(-5) }),
      ],
      pendingWorkflowTask: { scheduledTime: ago(1) },
    }),
  ).toBeUndefined();
  expect(await look({})).toBeUndefined();
});

it('names a step whose worker was killed, from its last heartbeat or its start on', async () => {
  const killed = activity('restore/data/blobs', { state: 2, lastHeartbeatTime: ago(22) });
  expect(await look({ pendingActivities: [killed] })).toEqual({
    what: 'step "restore/data/blobs"',
    kind: 'no heartbeat',
    seconds: 22,
  });
  const never = activity('7', { state: 2, lastStartedTime: ago(40) });
  expect(await look({ pendingActivities: [killed, never] })).toEqual({
    what: 'its activity copyBlobs',
    kind: 'no heartbeat',
    seconds: 40,
  });
});

it('names what no worker takes', async () => {
  const waits = activity('restore/data/blobs', { state: 1, scheduledTime: ago(30) });
  expect(await look({ pendingActivities: [waits] })).toMatchObject({ kind: 'no worker', seconds: 30 });
  expect(await look({ pendingWorkflowTask: { scheduledTime: ago(20), startedTime: null } })).toEqual({
    what: 'its workflow',
    kind: 'no worker',
    seconds: 20,
  });
});
