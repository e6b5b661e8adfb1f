/**
 * What a reference must read like after the move, worked out here and by spelling alone: a name is replaced where
 * Azure's forms have it, in whatever case it was written. The product's rewriter parses; this one must not share its
 * mistakes.
 */
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import type { Place, World } from './world.ts';

export type Expect = (value: string) => string;

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const groupOf = ({ group }: Place) => group.split('/').at(-1) ?? '';

/** From one place to the other. `special`: references whose counterpart follows from no rule of spelling. */
export function mover(world: World, from: Place, to: Place, special: ReadonlyMap<string, string> = new Map()): Expect {
  const [group, name] = [escaped(groupOf(from)), escaped(from.name)];
  const inWorkspace = new RegExp(
    `^((?:azureml:/{0,2})?/?subscriptions/${world.subscriptionId}/resourceGroups/)${group}` +
      `(/(?:providers/Microsoft.MachineLearningServices/)?workspaces/)${name}(?=/|$)`,
    'i',
  );
  const containers = [
    [`${from.account.endpoint}${from.container}`, `${to.account.endpoint}${to.container}`],
    [`${from.account.endpoint}${from.artifacts}`, `${to.account.endpoint}${to.artifacts}`],
  ] as const;
  return (value) => {
    const known = special.get(value);
    if (known !== undefined) return known;
    if (/[\r\n]/.test(value)) return value;
    if (value.toLowerCase() === from.accountId.toLowerCase()) return to.accountId;
    for (const [here, there] of containers)
      if (value === here || value.startsWith(`${here}/`)) return there + value.slice(here.length);
    return value.replace(
      inWorkspace,
      (_, before: string, between: string) => `${before}${groupOf(to)}${between}${to.name}`,
    );
  };
}

/** Every text of a value, but for what stands under the names given (where nothing is followed). */
export function moved(value: Json, expect: Expect, stays: readonly string[] = []): Json {
  if (typeof value === 'string') return expect(value);
  if (Array.isArray(value)) return value.map((each) => moved(each, expect, stays));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, stays.includes(key) ? each : moved(each, expect, stays)]),
  );
}

/** What people say of things. */
export const words = ['description', 'tags', 'properties', 'displayName', 'display_name', 'experimentName'];

/** Places at which two values differ; what is null and what is absent are the same, as they are to Azure. */
export function differing(wanted: Json | undefined, held: Json | undefined, place = ''): string[] {
  const [a, b] = [wanted ?? null, held ?? null];
  if (isObject(a) && isObject(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].flatMap((name) => differing(a[name], b[name], place === '' ? name : `${place}.${name}`));
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.flatMap((each, index) => differing(each, b[index], `${place}[${index}]`));
  return JSON.stringify(a) === JSON.stringify(b)
    ? []
    : [`${place}: expected ${JSON.stringify(a)}, got ${JSON.stringify(b)}`];
}

export function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** An object without some of its fields. */
export function without(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
