/** Bodies and names that are wrong in one place or in several, from a seed. */
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { seededRandom } from '../../../simulator/clock/random.ts';

export class Wrong {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[Math.floor(this.random() * from.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  /** Something that no field expects, or few do. */
  value(): Json {
    return structuredClone(this.pick(VALUES));
  }

  /** A name or a segment of a path, percent-encoded or badly so. */
  segment(): string {
    return this.pick(SEGMENTS);
  }

  /** The body with one to three places changed, at whatever depth: another type, nothing, or one field more. */
  body(of: Json): Json {
    let body = structuredClone(of);
    for (let changes = 1 + Math.floor(this.random() * 3); changes > 0; changes -= 1) {
      const places = placesIn(body);
      body = changeAt(body, this.pick(places), (old) => this.change(old));
    }
    return body;
  }

  private change(old: Json): Json | undefined {
    if (this.chance(0.15)) return undefined;
    if (this.chance(0.2) && isObject(old)) return { ...old, [this.pick(NAMES)]: this.value() };
    if (this.chance(0.15)) return [old];
    if (this.chance(0.1)) return { nested: old };
    return this.value();
  }
}

const deep = Array.from({ length: 150 }).reduce<Json>((inner) => [inner], 'deep');

const VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  '',
  ' ',
  'x'.repeat(5000),
  '\u0000',
  '../../etc/passwd',
  '\ud800',
  '☃ ünïcode',
  "[resourceId('none')]",
  '[concat(',
  '[reference(1)]',
  '/subscriptions/none/resourceGroups/none/providers/None.None/none/none',
  '//',
  'azureml:',
  'azureml://datastores//paths/',
  'azureml://',
  'https://',
  'PT',
  'P99999999999Y',
  '2024-13-45T99:99:99Z',
  'NaN',
  '* * * * * * *',
  [],
  [null],
  [[]],
  [1, 'a', {}, null],
  {},
  { a: null },
  { '': '' },
  JSON.parse('{"__proto__": {"polluted": true}}') as Json,
  { constructor: { prototype: { polluted: true } } },
  { toString: 'x', valueOf: 1, hasOwnProperty: null, length: -1 },
  { type: 'SystemAssigned,UserAssigned', userAssignedIdentities: { none: null } },
  deep,
];

const NAMES = [
  'properties',
  'id',
  'name',
  'type',
  'location',
  'tags',
  'sku',
  'kind',
  'identity',
  '__proto__',
  'constructor',
  '',
  'a.b',
  '$ref',
  'copy',
  'condition',
];

const SEGMENTS = [
  '%',
  '%zz',
  '%00',
  '%2e%2e',
  '%2F',
  '%ff%fe',
  '..',
  '.',
  '~',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  encodeURIComponent('☃'),
  encodeURIComponent("';--"),
  encodeURIComponent('{"a":1}'),
  encodeURIComponent(' '),
  'x'.repeat(3000),
  '*',
  '$metadata',
  'default',
  '%5c',
  '?api-version',
  '#',
];

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every place of a value, the whole of it included. */
export function placesIn(value: Json, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries = Array.isArray(value) ? value.map((one, i) => [String(i), one] as const) : Object.entries(value);
  return [at, ...entries.flatMap(([key, inner]) => placesIn(inner, [...at, key]))];
}

/** A value with one place of it changed; undefined takes the field away. */
export function changeAt(value: Json, place: readonly string[], change: (old: Json) => Json | undefined): Json {
  const [key, ...rest] = place;
  if (key === undefined) return change(value) ?? null;
  if (Array.isArray(value)) {
    return value.flatMap((one, i) => {
      if (String(i) !== key) return [one];
      const changed = rest.length === 0 ? change(one) : changeAt(one, rest, change);
      return changed === undefined ? [] : [changed];
    });
  }
  if (!isObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
    if (name !== key) return [[name, inner]];
    const changed = rest.length === 0 ? change(inner) : changeAt(inner, rest, change);
    return changed === undefined ? [] : [[name, changed]];
  });
  return Object.fromEntries(members);
}
