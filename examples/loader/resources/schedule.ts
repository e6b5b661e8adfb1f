import { z } from 'zod';
import { Texts } from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';

const Clock = {
  start_time: z.string().optional(),
  end_time: z.string().optional(),
  time_zone: z.string().default('UTC'),
};
const Trigger = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('cron'), expression: z.string(), ...Clock }),
  z.strictObject({
    type: z.literal('recurrence'),
    frequency: z.enum(['minute', 'hour', 'day', 'week', 'month']),
    interval: z.number().int().positive(),
    ...Clock,
  }),
]);

export const Schedule = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  display_name: z.string().optional(),
  description: z.string().optional(),
  trigger: Trigger,
  /** The job's YAML file. */
  create_job: z.string(),
  tags: Texts.optional(),
});
export type Schedule = z.infer<typeof Schedule>;

/** `job` is the converted job that the schedule creates each time. */
export function toSchedule(schedule: Schedule, job: JsonObject): JsonObject {
  return {
    properties: compact({
      displayName: schedule.display_name,
      description: schedule.description,
      tags: schedule.tags ?? {},
      properties: {},
      isEnabled: true,
      trigger: toTrigger(schedule.trigger),
      action: { actionType: 'CreateJob', jobDefinition: job },
    }),
  };
}

function toTrigger(trigger: Schedule['trigger']): JsonObject {
  const clock = { startTime: trigger.start_time, endTime: trigger.end_time, timeZone: trigger.time_zone };
  if (trigger.type === 'cron')
    return compact({ triggerType: 'Cron', expression: trigger.expression, ...clock });
  return compact({
    triggerType: 'Recurrence',
    frequency: trigger.frequency.charAt(0).toUpperCase() + trigger.frequency.slice(1),
    interval: trigger.interval,
    ...clock,
  });
}
