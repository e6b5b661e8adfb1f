/** Schedules: which job to create when. They can be disabled, and are made by long-running operations. */

import type { ActionResult, Call, Cloud, Json, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { fillDefaults, numberOf, objectOf, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { checkJob } from '../job-life/job-checks.ts';
import { readTime, zoneNamed } from './local-time.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';
import { armSchedule, disarmSchedule, fireNow } from './schedule-firing.ts';
import { readCron } from './trigger-times.ts';

/** The numbers of a recurrence's pattern: from, to. */
const PATTERN = [
  ['hours', 0, 23],
  ['minutes', 0, 59],
  ['monthDays', 1, 31],
] as const;

const SCHEDULES = `${WORKSPACES}/schedules`;

export const schedules: ResourceType = {
  type: SCHEDULES,
  verbs: ['get', 'put', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 1500, delete: 1000 },
  beforePut(call, next) {
    requireName(
      'schedule',
      call.id.name,
      /^[a-zA-Z0-9][\w-]{0,254}$/,
      '1 to 255 letters, digits, hyphens and underscores, the first a letter or a digit',
    );
    const { properties } = next.resource;
    fillDefaults(properties, {
      description: null,
      tags: {},
      properties: {},
      displayName: call.id.name,
      isEnabled: true,
    });
    checkTrigger(next);
    checkAction(call, next);
  },
  afterPut(call, stored) {
    armSchedule(call.cloud, stored);
  },
  afterDelete(call, stored) {
    disarmSchedule(call.cloud, stored);
  },
  actions: { trigger },
  list(call, entries) {
    // Unlike other lists, this one is of the enabled unless asked otherwise.
    const view = (call.query.get('listViewType') ?? 'EnabledOnly').toLowerCase();
    if (view === 'all') return entries;
    return entries.filter((entry) => (entry.resource.properties.isEnabled !== false) === (view === 'enabledonly'));
  },
};

/** Fires once, whatever the trigger says: azure-ai-ml's `schedules.trigger`. */
async function trigger(call: Call): Promise<ActionResult> {
  const schedule = call.existing;
  if (!schedule) throw new Error(`no schedule '${call.id.id}'`); // The envelope answers 404 before it gets here.
  const { actionType } = objectOf(schedule.resource.properties.action);
  if (actionType !== 'CreateJob')
    throw userError(
      `The schedule '${schedule.resource.name}' cannot be triggered: the local Azure fires only schedules that create jobs.`,
    );
  const asked = textOf(call.body.scheduleTime);
  const time = asked === undefined ? call.cloud.clock.now() : Date.parse(asked);
  if (Number.isNaN(time))
    throw validationError(`scheduleTime: expected a date and time in ISO 8601, got '${asked}'.`, 'scheduleTime');
  const job = await fireNow(call.cloud, schedule, time);
  return { status: 200, body: { scheduleActionType: actionType, submissionId: job.resource.name } };
}

/** After a restart of the local Azure: what was due while it was stopped is not made up for. */
export function continueSchedules(cloud: Cloud): void {
  for (const schedule of cloud.store.ofType(SCHEDULES)) armSchedule(cloud, schedule);
}

function checkTrigger(next: Stored): void {
  const trigger = objectOf(next.resource.properties.trigger);
  fillDefaults(trigger, { timeZone: 'UTC' });
  checkTimes(trigger);
  if (trigger.triggerType === 'Cron' && !readCron(textOf(trigger.expression) ?? ''))
    throw validationError(
      `properties.trigger.expression: expected five fields (minute hour day month weekday), got '${textOf(trigger.expression)}'.`,
      'trigger',
    );
  if (trigger.triggerType === 'Recurrence') checkRecurrence(trigger);
}

/** Errors: 400 for a time zone that there is not, a time that is none, an end before the start. */
function checkTimes(trigger: JsonObject): void {
  const named = textOf(trigger.timeZone) ?? '';
  const zone = zoneNamed(named);
  if (zone === undefined)
    throw validationError(
      `properties.trigger.timeZone: expected a time zone as Windows names it ('Pacific Standard Time'), got '${named}'.`,
      'trigger',
    );
  const start = timeOf(trigger, 'startTime', zone);
  const end = timeOf(trigger, 'endTime', zone);
  if (start !== undefined && end !== undefined && end < start)
    throw validationError(
      `properties.trigger.endTime: ${textOf(trigger.endTime)} is before the start, ${textOf(trigger.startTime)}.`,
      'trigger',
    );
}

function timeOf(trigger: JsonObject, field: 'startTime' | 'endTime', zone: string): number | undefined {
  const text = textOf(trigger[field]);
  const time = text === undefined ? undefined : readTime(zone, text);
  if (text !== undefined && time === undefined)
    throw validationError(
      `properties.trigger.${field}: expected a date and time in ISO 8601 ('2030-01-31T06:00:00'), got '${text}'.`,
      'trigger',
    );
  return time;
}

function checkRecurrence(trigger: JsonObject): void {
  const { interval } = trigger;
  if ((numberOf(interval) ?? 0) < 1)
    throw validationError(
      `properties.trigger.interval: expected a whole number from 1, got ${JSON.stringify(interval)}.`,
      'trigger',
    );
  for (const [field, least, most] of PATTERN)
    for (const value of listOf(objectOf(trigger.schedule)[field]))
      if ((numberOf(value) ?? -1) < least || (numberOf(value) ?? -1) > most)
        throw validationError(
          `properties.trigger.schedule.${field}: expected ${least} to ${most}, got ${JSON.stringify(value)}.`,
          'trigger',
        );
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function checkAction(call: Call, next: Stored): void {
  const { actionType, jobDefinition } = objectOf(next.resource.properties.action);
  if (actionType !== 'CreateJob') return;
  const path = 'properties.action.jobDefinition';
  const properties = objectOf(jobDefinition);
  checkJob({ cloud: call.cloud, workspaceId: workspaceIdOf(call.id.id), properties, path });
}
