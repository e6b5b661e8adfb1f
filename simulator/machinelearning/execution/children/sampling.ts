/**
 * The values that the trials of a sweep are made with. What is random comes from the sweep's seed: the same sweep has
 * the same trials.
 */

import { isObject, numberOf, objectOf, textOf } from '../../bodies/fields.ts';
import type { Json, JsonObject } from '../../../contract/index.ts';
import { seededRandom } from '../../../clock/random.ts';
import { RunFailure } from '../data/run-failure.ts';

export type Sample = Record<string, Json>;

/** Whoever samples, a sweep without a limit ends. */
const DEFAULT_TRIALS = 10;
/** Azure's limit. */
const MOST_TRIALS = 1000;

/**
 * The samples of a sweep, at most `limit`, and a thousand. Grid: all combinations of choices, in order. Random, and
 * Bayesian, which is not offered and taken as random: each drawn by itself.
 *
 * Errors: RunFailure for a distribution that is not known, or a grid of anything but choices.
 */
export function samplesOf(properties: JsonObject, seed: number, limit: number | undefined): Sample[] {
  const space = Object.entries(objectOf(properties.searchSpace)).map(
    ([name, value]) => [name, distributionOf(name, value)] as const,
  );
  const most = Math.min(limit ?? MOST_TRIALS, MOST_TRIALS);
  const { samplingAlgorithmType: kind } = objectOf(properties.samplingAlgorithm);
  if (kind === 'Grid') return grid(space, most);
  const random = seededRandom(seed);
  return Array.from({ length: limit === undefined ? DEFAULT_TRIALS : most }, () =>
    Object.fromEntries(space.map(([name, distribution]) => [name, draw(name, distribution, random)])),
  );
}

/** A search space as jobs have it: `{ lr: ['uniform', [0, 1]] }`; steps of pipelines have objects. */
export function searchSpaceOf(space: JsonObject): JsonObject {
  const entries = Object.entries(space).map(([name, value]) => {
    const { kind, values } = distributionOf(name, value);
    const distribution: Json = [kind, kind === 'choice' ? [values] : values];
    return [name, distribution] as const;
  });
  return Object.fromEntries(entries);
}

interface Distribution {
  kind: string;
  values: Json[];
}

/** `['uniform', [0, 1]]`, `['choice', [[1, 2]]]`, and the same as objects. */
function distributionOf(name: string, value: Json): Distribution {
  const [kind, values] = Array.isArray(value) ? value : [objectOf(value).type ?? null, valuesOf(value)];
  if (textOf(kind) === undefined || !Array.isArray(values))
    throw new RunFailure('UserError', `searchSpace.${name}: expected a distribution, got ${JSON.stringify(value)}.`);
  const [first] = values;
  const isNested = kind === 'choice' && Array.isArray(first);
  return { kind: (textOf(kind) ?? '').toLowerCase(), values: isNested ? first : values };
}

function valuesOf(value: Json): Json {
  if (!isObject(value)) return null;
  const { values, min_value: low, max_value: high, mu, sigma, upper, q } = value;
  if (values !== undefined) return values;
  return [low ?? mu ?? upper, high ?? sigma, q].filter((one) => one !== undefined);
}

function grid(space: readonly (readonly [string, Distribution])[], most: number): Sample[] {
  let samples: Sample[] = [{}];
  // The last varies fastest. Built from behind, so that no more are made than are asked for.
  for (const [name, { kind, values }] of space.toReversed()) {
    if (kind !== 'choice')
      throw new RunFailure('UserError', `searchSpace.${name}: a grid has choices only, not '${kind}'.`);
    samples = values.flatMap((value) => samples.map((sample) => ({ [name]: value, ...sample }))).slice(0, most);
  }
  return samples;
}

function draw(name: string, { kind, values }: Distribution, random: () => number): Json {
  const [a = 0, b = 0, c = 1] = values.map((value) => numberOf(value) ?? 0);
  const uniform = (): number => a + (b - a) * random();
  // Box and Muller.
  const normal = (): number => a + b * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const stepped = (value: number): number => Math.round(value / c) * c;
  switch (kind) {
    case 'choice':
      return values[Math.floor(random() * values.length)] ?? null;
    case 'randint':
      return Math.floor(random() * a);
    case 'uniform':
      return uniform();
    case 'quniform':
      return stepped(uniform());
    case 'loguniform':
      return Math.exp(uniform());
    case 'qloguniform':
      return stepped(Math.exp(uniform()));
    case 'normal':
      return normal();
    case 'qnormal':
      return stepped(normal());
    case 'lognormal':
      return Math.exp(normal());
    case 'qlognormal':
      return stepped(Math.exp(normal()));
    default:
      throw new RunFailure('UserError', `searchSpace.${name}: the distribution '${kind}' is not known.`);
  }
}
