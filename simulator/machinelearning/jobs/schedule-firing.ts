/**
 * The firing of schedules: when its time comes, by the cloud's clock, a schedule creates a job, named and shown as
 * Azure's documents have it, '{schedule}-20260105T063000Z'; also while its region is dark. Only schedules that create
 * jobs fire.
 */

import type { Cloud, Stored } from '../../contract/index.ts';
import { objectOf } from '../bodies/fields.ts';
import { submitOwnJob } from './job-submission.ts';
import { nextTime } from './trigger-times.ts';

/** The longest name of a job, less the time at its end. */
const LONGEST_PREFIX = 255 - '-20260105T063000Z'.length;

const armed = new WeakMap<Cloud, Map<string, { cancel(): void }>>();

/**
 * Arms the next firing of a schedule in place of the one before; none if it is disabled. `after`: the time of the last
 * firing.
 */
export function armSchedule(cloud: Cloud, schedule: Stored, after = cloud.clock.now()): void {
  disarmSchedule(cloud, schedule);
  const { isEnabled, trigger, action } = schedule.resource.properties;
  if (isEnabled === false || objectOf(action).actionType !== 'CreateJob') return;
  const due = nextTime(objectOf(trigger), schedule.createdAt, after);
  if (due === undefined) return;
  const key = schedule.resource.id.toLowerCase();
  timersOf(cloud).set(
    key,
    cloud.clock.after(due - cloud.clock.now(), () => fire(cloud, key, due)),
  );
}

export function disarmSchedule(cloud: Cloud, schedule: Stored): void {
  const key = schedule.resource.id.toLowerCase();
  timersOf(cloud).get(key)?.cancel();
  timersOf(cloud).delete(key);
}

function timersOf(cloud: Cloud): Map<string, { cancel(): void }> {
  let timers = armed.get(cloud);
  if (!timers) armed.set(cloud, (timers = new Map()));
  return timers;
}

function fire(cloud: Cloud, key: string, due: number): void {
  const schedule = cloud.store.get(key);
  if (!schedule) return;
  fireNow(cloud, schedule, due).catch((error: unknown) =>
    cloud.log(`schedule '${key}': its job could not be created: ${String(error)}`),
  );
  armSchedule(cloud, schedule, due);
}

/** Creates the job of a schedule, as for this time. Errors: ArmError for what has gone that it refers to. */
export function fireNow(cloud: Cloud, schedule: Stored, due: number): Promise<Stored> {
  const { jobDefinition } = objectOf(schedule.resource.properties.action);
  const name = `${schedule.resource.name.slice(0, LONGEST_PREFIX)}-${stampOf(due)}`;
  const properties = { ...structuredClone(objectOf(jobDefinition)), displayName: name };
  return submitOwnJob(cloud, {
    maker: schedule,
    name,
    properties,
    hidden: { schedule: schedule.resource.name },
  });
}

/** '20260105T063000Z' */
function stampOf(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
