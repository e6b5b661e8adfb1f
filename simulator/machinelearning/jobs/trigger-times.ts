/**
 * When a trigger fires. Cron: five fields, of which Azure Machine Learning ignores the day and the month; recurrence:
 * every so many minutes, hours, days, weeks or months from its start, by the clocks of its time zone.
 */

import type { JsonObject } from '../../contract/index.ts';
import { numberOf, objectOf, textOf } from '../bodies/fields.ts';
import { DAY_MS, instantOf, readTime, wallTime, zoneNamed } from './local-time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The first day of the weeks that a recurrence counts. */
const MONDAY = Date.UTC(1970, 0, 5);
/** No trigger that fires at all waits longer: the 29th of February, every second year. */
const LONGEST_WAIT_DAYS = 9 * 366;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/**
 * The next time that a trigger fires after `after`; undefined: never again, or it is none that can be read. `madeAt`:
 * from when a recurrence counts that has no start. Milliseconds since 1970.
 */
export function nextTime(trigger: JsonObject, madeAt: number, after: number): number | undefined {
  const zone = zoneNamed(textOf(trigger.timeZone) ?? 'UTC');
  if (zone === undefined) return undefined;
  const start = readTime(zone, textOf(trigger.startTime) ?? '');
  const end = readTime(zone, textOf(trigger.endTime) ?? '') ?? Infinity;
  // The start itself is a time at which it may fire.
  const from = start === undefined ? after : Math.max(after, start - 1);
  const next =
    trigger.triggerType === 'Cron'
      ? nextOfCron(textOf(trigger.expression) ?? '', zone, from)
      : nextOfRecurrence(trigger, zone, start ?? madeAt, from);
  return next === undefined || next > end ? undefined : next;
}

/** The values of a cron expression's fields; undefined: it is none. */
export function readCron(expression: string): { minutes: number[]; hours: number[]; weekdays: number[] } | undefined {
  const [minute, hour, day, month, weekday, ...more] = expression.trim().split(/\s+/);
  const minutes = fieldOf(minute, 0, 59);
  const hours = fieldOf(hour, 0, 23);
  const weekdays = fieldOf(weekday, 0, 7)?.map((one) => one % 7);
  if (!minutes || !hours || !weekdays || !fieldOf(day, 1, 31) || !fieldOf(month, 1, 12) || more.length > 0)
    return undefined;
  return { minutes, hours, weekdays };
}

/** `*`, `5`, `1-5`, `0-30/10` and lists of them. */
function fieldOf(text: string | undefined, least: number, most: number): number[] | undefined {
  const values: number[] = [];
  for (const part of (text ?? '').split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!match) return undefined;
    const [, low, high, step = '1'] = match;
    const first = low === undefined ? least : Number(low);
    const last = high === undefined ? (low === undefined || match[3] !== undefined ? most : first) : Number(high);
    if (first < least || last > most || first > last || Number(step) === 0) return undefined;
    for (let value = first; value <= last; value += Number(step)) values.push(value);
  }
  return [...new Set(values)].sort((a, b) => a - b);
}

function nextOfCron(expression: string, zone: string, after: number): number | undefined {
  const cron = readCron(expression);
  if (!cron) return undefined;
  const isDue = (day: number): boolean => cron.weekdays.includes(new Date(day).getUTCDay());
  return nextOfDays(zone, after, isDue, timesOf(cron.hours, cron.minutes));
}

function nextOfRecurrence(trigger: JsonObject, zone: string, start: number, after: number): number | undefined {
  const interval = Math.max(1, Math.floor(numberOf(trigger.interval) ?? 1));
  const frequency = textOf(trigger.frequency)?.toLowerCase();
  if (frequency === 'minute' || frequency === 'hour') {
    const period = interval * (frequency === 'minute' ? MINUTE_MS : HOUR_MS);
    return start + Math.max(0, Math.floor((after - start) / period) + 1) * period;
  }
  const first = wallTime(zone, start);
  const startDay = dayOf(first);
  const { hours, minutes, weekDays, monthDays } = objectOf(trigger.schedule);
  const [askedHours, askedMinutes] = [numbersOf(hours, 23), numbersOf(minutes, 59)];
  const times = askedHours || askedMinutes ? timesOf(askedHours ?? [0], askedMinutes ?? [0]) : [first - startDay];
  const asked = {
    weekdays: weekdaysOf(weekDays) ?? [new Date(startDay).getUTCDay()],
    days: numbersOf(monthDays, 31) ?? [new Date(startDay).getUTCDate()],
  };
  const isDue = (day: number): boolean =>
    day >= startDay && isDueDay(frequency ?? '', { day, startDay, interval, ...asked });
  return nextOfDays(zone, Math.max(after, start - 1), isDue, times);
}

interface DayToJudge {
  day: number;
  startDay: number;
  interval: number;
  weekdays: number[];
  days: number[];
}

function isDueDay(frequency: string, { day, startDay, interval, weekdays, days }: DayToJudge): boolean {
  const [date, start] = [new Date(day), new Date(startDay)];
  switch (frequency) {
    case 'day':
      return ((day - startDay) / DAY_MS) % interval === 0;
    case 'week':
      return (weekOf(day) - weekOf(startDay)) % interval === 0 && weekdays.includes(date.getUTCDay());
    case 'month': {
      const months = (date.getUTCFullYear() - start.getUTCFullYear()) * 12 + date.getUTCMonth() - start.getUTCMonth();
      return months % interval === 0 && days.includes(date.getUTCDate());
    }
    default:
      return false;
  }
}

/** The first time on a due day, by the clocks of the zone, after an instant. */
function nextOfDays(zone: string, after: number, isDue: (day: number) => boolean, times: number[]): number | undefined {
  // A day early: an hour that the clocks show twice must not be passed over.
  const first = dayOf(wallTime(zone, after)) - DAY_MS;
  for (let day = first; day <= first + LONGEST_WAIT_DAYS * DAY_MS; day += DAY_MS) {
    if (!isDue(day)) continue;
    for (const time of times) {
      const instant = instantOf(zone, day + time);
      if (instant > after) return instant;
    }
  }
  return undefined;
}

/** All combinations as milliseconds of a day, in order. */
function timesOf(hours: number[], minutes: number[]): number[] {
  return hours.flatMap((hour) => minutes.map((minute) => hour * HOUR_MS + minute * MINUTE_MS)).sort((a, b) => a - b);
}

function dayOf(wall: number): number {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

function weekOf(day: number): number {
  return Math.floor((day - MONDAY) / (7 * DAY_MS));
}

/** The numbers from 0 to `most` in a list; undefined: there are none. */
function numbersOf(value: JsonObject[string] | undefined, most: number): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value
    .map((one) => numberOf(one))
    .filter((one) => one !== undefined && Number.isInteger(one) && one >= 0 && one <= most) as number[];
  return numbers.length === 0 ? undefined : numbers;
}

function weekdaysOf(value: JsonObject[string] | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const days = value.map((one) => WEEKDAYS.indexOf((textOf(one) ?? '').toLowerCase())).filter((day) => day >= 0);
  return days.length === 0 ? undefined : days;
}
