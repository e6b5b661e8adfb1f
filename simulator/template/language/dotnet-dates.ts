/** .NET's date formats, standard and custom, for UTC and the invariant culture. */

import { LanguageError } from './language-error.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Source: .NET's standard date and time format strings. */
const STANDARD: Record<string, string> = {
  d: 'MM/dd/yyyy',
  D: 'dddd, dd MMMM yyyy',
  f: 'dddd, dd MMMM yyyy HH:mm',
  F: 'dddd, dd MMMM yyyy HH:mm:ss',
  g: 'MM/dd/yyyy HH:mm',
  G: 'MM/dd/yyyy HH:mm:ss',
  m: 'MMMM dd',
  M: 'MMMM dd',
  o: "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'",
  O: "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'",
  r: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  R: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  s: "yyyy-MM-dd'T'HH:mm:ss",
  t: 'HH:mm',
  T: 'HH:mm:ss',
  u: "yyyy-MM-dd HH:mm:ss'Z'",
  U: 'dddd, dd MMMM yyyy HH:mm:ss',
  y: 'yyyy MMMM',
  Y: 'yyyy MMMM',
};

/** Formats `date` as .NET's `ToString(format)` does. Throws LanguageError on a format .NET refuses. */
export function formatDate(date: Date, format: string): string {
  if (format.length === 1) {
    const pattern = STANDARD[format];
    if (pattern === undefined) throw new LanguageError(`The date format '${format}' is not valid.`);
    return custom(date, pattern);
  }
  return custom(date, format);
}

function custom(date: Date, pattern: string): string {
  const token = /'([^']*)'|"([^"]*)"|\\(.)|%(?=.)|([yMdHhmsfFtKzg])\4*|[^]/g;
  return pattern.replace(token, (text: string, single?: string, double?: string, escaped?: string, kind?: string) => {
    const literal = single ?? double ?? escaped;
    if (literal !== undefined) return literal;
    if (text === '%') return '';
    return kind === undefined ? text : part(date, kind, text.length);
  });
}

function part(date: Date, kind: string, width: number): string {
  const number = (value: number): string => String(value).padStart(width, '0');
  const hour = date.getUTCHours();
  switch (kind) {
    case 'y':
      return number(width <= 2 ? date.getUTCFullYear() % 100 : date.getUTCFullYear());
    case 'M':
      return named(MONTHS, date.getUTCMonth(), width) ?? number(date.getUTCMonth() + 1);
    case 'd':
      return named(DAYS, date.getUTCDay(), width) ?? number(date.getUTCDate());
    case 'H':
      return number(hour);
    case 'h':
      return number(hour % 12 === 0 ? 12 : hour % 12);
    case 'm':
      return number(date.getUTCMinutes());
    case 's':
      return number(date.getUTCSeconds());
    case 'f':
      return fraction(date, width);
    case 'F':
      return fraction(date, width).replace(/0+$/, '');
    case 't':
      return (hour < 12 ? 'AM' : 'PM').slice(0, width);
    case 'K':
      return 'Z';
    case 'z':
      return ['+0', '+00', '+00:00'][Math.min(width, 3) - 1] ?? '+00:00';
    default:
      return 'A.D.';
  }
}

function named(names: string[], index: number, width: number): string | undefined {
  if (width < 3) return undefined;
  const name = names[index] ?? '';
  return width === 3 ? name.slice(0, 3) : name;
}

function fraction(date: Date, width: number): string {
  return String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(7, '0').slice(0, width);
}
