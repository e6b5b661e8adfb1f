import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { nextTime, readCron } from '../../../simulator/machinelearning/jobs/trigger-times.ts';

const MADE = '2026-01-01T10:20:00Z';

/** The first times that a trigger fires after a time. */
function times(trigger: JsonObject, after: string, count = 3): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(after);
  for (let i = 0; i < count && at !== undefined; i += 1) {
    at = nextTime(trigger, Date.parse(MADE), at);
    found.push(at === undefined ? undefined : new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

const cron = (expression: string, more: JsonObject = {}): JsonObject => ({
  triggerType: 'Cron',
  expression,
  ...more,
});
const every = (interval: number, frequency: string, more: JsonObject = {}): JsonObject => ({
  triggerType: 'Recurrence',
  interval,
  frequency,
  ...more,
});

describe('a cron trigger', () => {
  it.each<[string, JsonObject, string, (string | undefined)[]]>([
    [
      'every quarter',
      cron('*/15 * * * *'),
      '2026-03-01T00:14:00Z',
      ['2026-03-01T00:15', '2026-03-01T00:30', '2026-03-01T00:45'],
    ],
    [
      'on weekdays',
      cron('30 6 * * 1-5'),
      '2026-03-06T07:00:00Z',
      ['2026-03-09T06:30', '2026-03-10T06:30', '2026-03-11T06:30'],
    ],
    [
      'on Sunday as seven',
      cron('0 0,12 * * 7'),
      '2026-03-06T00:00:00Z',
      ['2026-03-08T00:00', '2026-03-08T12:00', '2026-03-15T00:00'],
    ],
    [
      'whatever day and month say',
      cron('0 4 31 12 *'),
      '2026-03-01T00:00:00Z',
      ['2026-03-01T04:00', '2026-03-02T04:00', '2026-03-03T04:00'],
    ],
    [
      'between its start and its end',
      cron('0 4 * * *', { startTime: '2026-03-05T04:00:00', endTime: '2026-03-06 04:00:00' }),
      '2026-01-01T00:00:00Z',
      ['2026-03-05T04:00', '2026-03-06T04:00', undefined],
    ],
    [
      'by the clocks of its zone, as they change',
      cron('30 1 * * *', { timeZone: 'Eastern Standard Time' }),
      '2026-03-07T00:00:00Z',
      ['2026-03-07T06:30', '2026-03-08T06:30', '2026-03-09T05:30'],
    ],
    [
      'once where the clocks skip it',
      cron('30 2 * * *', { timeZone: 'Eastern Standard Time' }),
      '2026-03-08T00:00:00Z',
      ['2026-03-08T07:30', '2026-03-09T06:30', '2026-03-10T06:30'],
    ],
    [
      'once where the clocks show it twice',
      cron('30 1 * * *', { timeZone: 'Eastern Standard Time' }),
      '2026-11-01T00:00:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30', '2026-11-03T06:30'],
    ],
    ['never in a zone that is none', cron('0 4 * * *', { timeZone: 'Moon' }), '2026-01-01T00:00:00Z', [undefined]],
  ])('fires %s', (_, trigger, after, expected) => {
    expect(times(trigger, after)).toEqual(expected);
  });

  it.each([
    'every night',
    '60 * * * *',
    '* 24 * * *',
    '* * * * 8',
    '* * * *',
    '* * * * * *',
    '5-1 * * * *',
    '*/0 * * * *',
    'a b c d e',
  ])('is none: %s', (expression) => {
    expect(readCron(expression)).toBeUndefined();
  });
});

describe('a recurrence', () => {
  it.each<[string, JsonObject, string, (string | undefined)[]]>([
    [
      'minutes from when it was made',
      every(20, 'Minute'),
      MADE,
      ['2026-01-01T10:40', '2026-01-01T11:00', '2026-01-01T11:20'],
    ],
    [
      'hours from its start',
      every(5, 'Hour', { startTime: '2026-02-01T03:00:00' }),
      '2026-01-01T00:00:00Z',
      ['2026-02-01T03:00', '2026-02-01T08:00', '2026-02-01T13:00'],
    ],
    [
      'days at the time of its start',
      every(2, 'Day', { startTime: '2026-02-01T03:15:00' }),
      '2026-02-02T00:00:00Z',
      ['2026-02-03T03:15', '2026-02-05T03:15', '2026-02-07T03:15'],
    ],
    [
      'days at hours and minutes',
      every(1, 'Day', { startTime: '2026-02-01T04:10:00', schedule: { hours: [4, 16], minutes: [0, 30] } }),
      '2026-01-01T00:00:00Z',
      ['2026-02-01T04:30', '2026-02-01T16:00', '2026-02-01T16:30'],
    ],
    [
      'weeks on days',
      every(2, 'Week', {
        startTime: '2026-03-02T00:00:00',
        schedule: { hours: [9], minutes: [0], weekDays: ['Monday', 'Friday'] },
      }),
      '2026-03-02T10:00:00Z',
      ['2026-03-06T09:00', '2026-03-16T09:00', '2026-03-20T09:00'],
    ],
    [
      'months on days that they have',
      every(1, 'Month', {
        startTime: '2026-01-01T00:00:00',
        schedule: { hours: [1], minutes: [5], monthDays: [31] },
      }),
      '2026-01-31T02:00:00Z',
      ['2026-03-31T01:05', '2026-05-31T01:05', '2026-07-31T01:05'],
    ],
    [
      'months on no day that there is',
      every(12, 'Month', {
        startTime: '2026-02-01T00:00:00',
        schedule: { hours: [1], minutes: [0], monthDays: [30] },
      }),
      '2026-01-31T02:00:00Z',
      [undefined],
    ],
  ])('fires every so many %s', (_, trigger, after, expected) => {
    expect(times(trigger, after)).toEqual(expected);
  });
});

describe('a trigger that nobody can mean', () => {
  it.each<[string, JsonObject]>([
    ['hours that are none', every(1, 'Day', { schedule: { hours: [99, -1, 1e300], minutes: [0.5] } })],
    ['a start beyond all calendars', every(1, 'Week', { startTime: '+275760-09-13T00:00:00' })],
    ['an interval without end', every(1e308, 'Hour')],
    ['words for numbers', every(1, 'Month', { schedule: { hours: 'all', weekDays: [5], monthDays: 'last' } })],
  ])('throws nothing: %s', (_, trigger) => {
    const next = nextTime(trigger, Date.parse(MADE), Date.parse(MADE));
    expect(next).toBeGreaterThan(Date.parse(MADE));
  });
});
