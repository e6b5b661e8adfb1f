/** .NET's composite formats: `format('{0,-10}|{1:N2}', …)`, for the invariant culture. */

import type { Json } from '../../contract/index.ts';
import { LanguageError } from './language-error.ts';
import { textOf } from './values.ts';

/** Fills `{index[,alignment][:format]}` in `text`. Throws LanguageError on a broken format or a missing argument. */
export function formatText(text: string, args: Json[]): string {
  let result = '';
  let at = 0;
  const item = /\{\{|\}\}|\{(\d+)(?:,\s*(-?\d+)\s*)?(?::([^}]*))?\}|[{}]/g;
  for (const match of text.matchAll(item)) {
    result += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') result += match[0].charAt(0);
    else result += fill(text, match, args);
  }
  return result + text.slice(at);
}

function fill(text: string, match: RegExpMatchArray, args: Json[]): string {
  const [whole, index, alignment = '0', format = ''] = match;
  if (index === undefined) {
    throw new LanguageError(
      `Unable to evaluate language function 'format': the format is invalid: 'Input string was not in a correct format' ('${whole}' in '${text}'). Please see https://aka.ms/arm-functions#format for usage details.`,
    );
  }
  const value = args[Number(index)];
  if (value === undefined) {
    throw new LanguageError(
      `Unable to evaluate language function 'format': the format is invalid: 'Index (zero based) must be greater than or equal to zero and less than the size of the argument list' ('${whole}' with ${args.length} argument(s)). Please see https://aka.ms/arm-functions#format for usage details.`,
    );
  }
  const shown = typeof value === 'number' ? formatNumber(value, format) : textOf(value);
  const width = Number(alignment);
  return width < 0 ? shown.padEnd(-width) : shown.padStart(width);
}

/** Formats a number as .NET's `ToString(format)` does. */
function formatNumber(value: number, format: string): string {
  const standard = /^([A-Za-z])(\d{0,2})$/.exec(format);
  if (standard === null) return format === '' ? String(value) : customNumber(value, format);
  const [, letter = '', digits = ''] = standard;
  const precision = digits === '' ? undefined : Number(digits);
  const shown = standardNumber(Math.abs(value), letter.toUpperCase(), precision, value);
  if (shown === undefined) {
    throw new LanguageError(
      `Unable to evaluate language function 'format': the number format '${format}' is not valid.`,
    );
  }
  if (letter === letter.toLowerCase()) return signed(value, letter, shown).toLowerCase();
  return signed(value, letter, shown);
}

function signed(value: number, letter: string, shown: string): string {
  return value < 0 && letter.toUpperCase() !== 'X' && letter.toUpperCase() !== 'C' ? `-${shown}` : shown;
}

function standardNumber(
  size: number,
  letter: string,
  precision: number | undefined,
  value: number,
): string | undefined {
  switch (letter) {
    case 'C':
      return value < 0 ? `(¤${grouped(size, precision ?? 2)})` : `¤${grouped(size, precision ?? 2)}`;
    case 'D':
      return String(size).padStart(precision ?? 0, '0');
    case 'E':
      return size
        .toExponential(precision ?? 6)
        .toUpperCase()
        .replace(/E([+-])(\d+)$/, (_, sign: string, power: string) => `E${sign}${power.padStart(3, '0')}`);
    case 'F':
      return size.toFixed(precision ?? 2);
    case 'G':
      return String(size);
    case 'N':
      return grouped(size, precision ?? 2);
    case 'P':
      return `${grouped(size * 100, precision ?? 2)} %`;
    case 'R':
      return String(size);
    case 'X':
      return BigInt.asUintN(64, BigInt(value))
        .toString(16)
        .toUpperCase()
        .padStart(precision ?? 0, '0');
    default:
      return undefined;
  }
}

function grouped(size: number, decimals: number): string {
  const [whole = '0', fraction] = size.toFixed(decimals).split('.');
  const groups = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** A custom format of '0', '#', ',', '.', '%' and literals: '000', '#,##0.00'. */
function customNumber(value: number, format: string): string {
  const sections = format.split(';');
  const negative = value < 0 && sections[1] !== undefined && sections[1] !== '';
  const section = (value === 0 ? (sections[2] ?? sections[0]) : negative ? sections[1] : sections[0]) ?? '';
  const match = /^([^0#]*)([0#,]*)(?:\.([0#]*))?(.*)$/s.exec(section);
  if (match === null) return section;
  const [, before = '', whole = '', decimals = '', after = ''] = match;
  if (whole === '' && decimals === '') return section;
  const scaled = Math.abs(value) * (section.includes('%') ? 100 : 1);
  const [integer = '0', fraction = ''] = scaled.toFixed(decimals.length).split('.');
  const least = whole.replaceAll(/[^0#]/g, '').replace(/^#+/, '').length;
  const digits = (integer === '0' && least === 0 ? '' : integer).padStart(least, '0');
  const shown = whole.includes(',') ? digits.replaceAll(/\B(?=(\d{3})+$)/g, ',') : digits;
  const kept =
    fraction.slice(0, decimals.lastIndexOf('0') + 1) + fraction.slice(decimals.lastIndexOf('0') + 1).replace(/0+$/, '');
  return `${value < 0 && !negative ? '-' : ''}${before}${shown}${kept === '' ? '' : `.${kept}`}${after}`;
}
