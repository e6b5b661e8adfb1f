/** Days and times as a time zone has them, and the instants that they are. */

import { WINDOWS_TIME_ZONES } from './windows-time-zones.ts';

export const DAY_MS = 86_400_000;

/** The IANA zone of a name as Windows or IANA has it; undefined: there is none. */
export function zoneNamed(name: string): string | undefined {
  const zone = WINDOWS_TIME_ZONES[name] ?? name;
  try {
    formatOf(zone);
    return zone;
  } catch {
    return undefined; // RangeError: no such zone.
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** What the clocks of the zone show at an instant, as if it were UTC: milliseconds since 1970. */
export function wallTime(zone: string, instant: number): number {
  const parts = formatOf(zone).formatToParts(instant);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/**
 * The instant at which the clocks of the zone show a time. Where they skip it, as much later; where they show it twice,
 * the first.
 */
export function instantOf(zone: string, wall: number): number {
  const before = wall - (wallTime(zone, wall - DAY_MS) - (wall - DAY_MS));
  const after = wall - (wallTime(zone, wall + DAY_MS) - (wall + DAY_MS));
  const fits = [before, after].filter((instant) => wallTime(zone, instant) === wall);
  return fits.length > 0 ? Math.min(...fits) : before;
}

/** Times that a trigger may say: well within what can be reckoned with. */
const EARLIEST = Date.UTC(1970, 0, 2);
const LATEST = Date.UTC(9999, 0, 1);

/**
 * A time of a trigger ('2026-01-05T00:00:00'): of the zone, unless it says its own offset. Undefined: it is no time.
 */
export function readTime(zone: string, text: string): number | undefined {
  const isAbsolute = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const parsed = Date.parse(isAbsolute ? text : `${text.replace(' ', 'T')}Z`);
  if (Number.isNaN(parsed) || parsed < EARLIEST || parsed > LATEST) return undefined;
  return isAbsolute ? parsed : instantOf(zone, parsed);
}
