/** Schedules: which job to create when. They can be disabled, and are made by long-running operations. */

import type { Call, Cloud, ResourceType, Stored } from '../../provider.ts';
import { fillDefaults, isObject, numberOf, objectOf, textOf, workspaceIdOf, WORKSPACES } from './fields.ts';
import { checkAsset, checkReferencesInside, resolveCompute } from './references.ts';
import { requireName, validationError } from './refusals.ts';
import { armSchedule, disarmSchedule } from './schedule-firing.ts';
import { readCron } from './trigger-times.ts';

const ACTIONS = ['CreateJob', 'InvokeBatchEndpoint', 'CreateMonitor', 'ImportData'];
const FREQUENCIES = ['Minute', 'Hour', 'Day', 'Week', 'Month'];

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
  list(call, entries) {
    // Unlike other lists, this one is of the enabled unless asked otherwise.
    const view = (call.query.get('listViewType') ?? 'EnabledOnly').toLowerCase();
    if (view === 'all') return entries;
    return entries.filter(
      (entry) => (entry.resource.properties.isEnabled !== false) === (view === 'enabledonly'),
    );
  },
};

/** After a restart of the local Azure: what was due while it was stopped is not made up for. */
export function continueSchedules(cloud: Cloud): void {
  for (const schedule of cloud.store.ofType(SCHEDULES)) armSchedule(cloud, schedule);
}

function checkTrigger(next: Stored): void {
  const trigger = next.resource.properties.trigger;
  if (!isObject(trigger)) throw validationError('properties.trigger: required.', 'trigger');
  fillDefaults(trigger, { timeZone: 'UTC' });
  switch (trigger.triggerType) {
    case 'Cron':
      if (!readCron(textOf(trigger.expression) ?? ''))
        throw validationError(
          `properties.trigger.expression: expected five fields (minute hour day month weekday), got '${textOf(trigger.expression)}'.`,
          'trigger',
        );
      return;
    case 'Recurrence':
      if (!FREQUENCIES.includes(textOf(trigger.frequency) ?? '') || !((numberOf(trigger.interval) ?? 0) >= 1))
        throw validationError(
          `properties.trigger: a recurrence must have a frequency (${FREQUENCIES.join(', ')}) and an interval from 1.`,
          'trigger',
        );
      return;
    default:
      throw validationError(
        `properties.trigger.triggerType: expected Cron or Recurrence, got '${textOf(trigger.triggerType)}'.`,
        'trigger',
      );
  }
}

function checkAction(call: Call, next: Stored): void {
  const action = next.resource.properties.action;
  if (!isObject(action) || !ACTIONS.includes(textOf(action.actionType) ?? ''))
    throw validationError(`properties.action.actionType: expected one of ${ACTIONS.join(', ')}.`, 'action');
  if (action.actionType !== 'CreateJob') return;
  if (!isObject(action.jobDefinition))
    throw validationError('properties.action.jobDefinition: required.', 'action');
  const workspaceId = workspaceIdOf(call.id.id);
  checkReferencesInside(call.cloud, workspaceId, action.jobDefinition, 'properties.action.jobDefinition');
  const settings = objectOf(action.jobDefinition.settings);
  resolveCompute(call.cloud, workspaceId, settings.default_compute ?? null);
  for (const input of Object.values(objectOf(action.jobDefinition.inputs))) {
    const { uri } = objectOf(input);
    if (textOf(uri)?.startsWith('/subscriptions/'))
      checkAsset(call.cloud, workspaceId, 'data', uri, 'properties.action.jobDefinition.inputs');
  }
}
