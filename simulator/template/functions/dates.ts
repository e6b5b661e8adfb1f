/** Date functions. */

import { formatDate } from '../language/dotnet-dates.ts';
import { LanguageError, MisplacedFault } from '../language/language-error.ts';
import { expectInteger, expectString } from '../language/values.ts';
import { define } from './define.ts';

const BASIC = "yyyyMMdd'T'HHmmss'Z'";
const ISO = /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(\.\d+)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

function parseDate(call: string, text: string): Date {
  const match = ISO.exec(text.trim());
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match ?? [];
  const offset = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const milliseconds = fraction.slice(0, 4);
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${milliseconds}${offset}`);
  if (match === null || Number.isNaN(date.getTime())) {
    throw new LanguageError(
      `The template language function '${call}': the string '${text}' is not a valid ISO 8601 date and time. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
  return date;
}

/** The .NET format that the base value itself is in; Azure falls back to its servers' general format. */
function formatOf(text: string): string {
  if (/^\d{8}T\d{6}Z$/.test(text)) return BASIC;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return "yyyy-MM-dd'T'HH:mm:ss'Z'";
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(text)) return "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
  return 'M/d/yyyy h:mm:ss tt';
}

const DURATION = /^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds. A year, or twelve months, counts 365 days and a month 30, as in .NET's XmlConvert. */
function parseDuration(call: string, text: string): number {
  const match = DURATION.exec(text);
  const [, sign, ...parts] = match ?? [];
  if (match === null || parts.every((part) => part === undefined) || text.endsWith('T')) {
    throw new LanguageError(
      `The template language function '${call}': the string '${text}' is not a valid ISO 8601 duration. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
    );
  }
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
  const allDays = (years + Math.trunc(months / 12)) * 365 + (months % 12) * 30 + days;
  const total = allDays * 86_400_000 + hours * 3_600_000 + minutes * 60_000 + seconds * 1000;
  return sign === '-' ? -total : total;
}

export const dateFunctions = [
  define('utcNow', 0, 1, ([format], scope, call) => {
    if (scope.place !== 'parameterDefault') {
      throw new MisplacedFault(
        call,
        '. It can only be used in the default value of a parameter. Please see https://aka.ms/arm-functions for usage details',
      );
    }
    const now = scope.deployment.input.now ?? new Date();
    return formatDate(now, format === undefined ? BASIC : expectString(call, format));
  }),
  define('dateTimeAdd', 2, 3, ([base, duration, format], _, call) => {
    const text = expectString(call, base);
    const moved = new Date(parseDate(call, text).getTime() + parseDuration(call, expectString(call, duration)));
    return formatDate(moved, format === undefined ? formatOf(text) : expectString(call, format));
  }),
  define('dateTimeFromEpoch', 1, 1, ([seconds], _, call) =>
    formatDate(new Date(expectInteger(call, seconds) * 1000), "yyyy-MM-dd'T'HH:mm:ss'Z'"),
  ),
  define('dateTimeToEpoch', 1, 1, ([text], _, call) =>
    Math.floor(parseDate(call, expectString(call, text)).getTime() / 1000),
  ),
];
