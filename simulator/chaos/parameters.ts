/**
 * Parameters of scenarios: what they are called, their kinds and units, and reading them. What is not understood is an
 * error.
 */

import { ArmError, type Json, type JsonObject } from '../contract/index.ts';

/** A parameter. `T` is what the scenario gets. */
export interface Parameter<T extends number | string = number | string> {
  kind: 'duration' | 'share' | 'count' | 'perSecond' | 'factor' | 'choice' | 'text';
  /** What it is, and its unit, for people. */
  about: string;
  /** As people write it. */
  default: string;
  options?: readonly string[];
  /** Undefined: it is none of these. */
  read: (value: Json) => T | undefined;
}

export type Parameters = Record<string, Parameter>;
export type ValuesOf<P extends Parameters> = {
  [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Thirty years: what is longer leads to moments that no calendar has. */
const LONGEST_MS = 1e12;
const LARGEST = 1e9;

const EXPECTED: Record<Parameter['kind'], string> = {
  duration: "a duration, as in '500ms', '30s', '15m' or '1h', or a number of seconds",
  share: "a share, from 0 to 1 or as in '25%'",
  count: 'a whole number from 0',
  perSecond: 'a number a second, from 0',
  factor: 'a factor above 0',
  choice: 'one of its options',
  text: 'a text',
};

/** Milliseconds, of '500ms', '30s', '15m', '1h', or of a number of seconds; undefined if it is none of these. */
export function readDuration(value: Json): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(plain(value));
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000);
  return milliseconds <= LONGEST_MS ? milliseconds : undefined;
}

export function duration(text: string, about: string): Parameter<number> {
  return { kind: 'duration', default: text, about, read: readDuration };
}

export function share(text: string, about: string): Parameter<number> {
  return number('share', text, about, (value) => value <= 1, true);
}

export function count(text: string, about: string): Parameter<number> {
  return number('count', text, about, Number.isInteger);
}

export function perSecond(text: string, about: string): Parameter<number> {
  return number('perSecond', text, about, () => true);
}

export function factor(text: string, about: string): Parameter<number> {
  return number('factor', text, about, (value) => value > 0);
}

export function choice<const T extends string>(options: readonly [T, ...T[]], about: string): Parameter<T> {
  const read = (value: Json): T | undefined => options.find((option) => option === plain(value));
  return { kind: 'choice', default: options[0], about, options, read };
}

export function text(standard: string, about: string): Parameter<string> {
  return {
    kind: 'text',
    default: standard,
    about,
    read: (value) => (typeof value === 'string' ? value : undefined),
  };
}

function number(
  kind: Parameter['kind'],
  standard: string,
  about: string,
  fits: (value: number) => boolean,
  percent = false,
): Parameter<number> {
  const read = (value: Json): number | undefined => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(plain(value));
    if (!match || (match[2] && !percent)) return undefined;
    const parsed = Number(match[1]) / (match[2] ? 100 : 1);
    return parsed <= LARGEST && fits(parsed) ? parsed : undefined;
  };
  return { kind, default: standard, about, read };
}

/** All parameters of a scenario, those not given by their defaults. Throws ArmError 400 naming what there is. */
export function readParameters(scenario: string, parameters: Parameters, given: JsonObject): JsonObject {
  const names = Object.keys(parameters);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const has = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    throw new ArmError(400, 'BadRequest', `scenario '${scenario}' has no parameter '${unknown}': ${has}`);
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const value = given[name] ?? parameter.default;
      const read = parameter.read(value);
      if (read === undefined) {
        const expected = parameter.options ? parameter.options.join(', ') : EXPECTED[parameter.kind];
        throw new ArmError(
          400,
          'BadRequest',
          `scenario '${scenario}', parameter '${name}': expected ${expected}, got ${JSON.stringify(value)}`,
        );
      }
      return [name, value];
    }),
  );
}

/** What the scenario gets, of parameters that were read before. */
export function valuesOf(parameters: Parameters, given: JsonObject): Record<string, never> {
  const values = Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const value = parameter.read(given[name] ?? parameter.default);
      if (value === undefined) throw new Error(`parameter '${name}' was not read before`);
      return [name, value];
    }),
  );
  // Only the scenario itself knows their names and types: `scenario()` holds the two together.
  return values as Record<string, never>;
}

/** A text or a number as a person writes it; all else is none. */
function plain(value: Json): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
