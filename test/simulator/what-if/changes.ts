/** Changes to templates as people make them: something left out, set, added, dropped or moved. */

import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { textOf } from '../../../simulator/resource/fields.ts';

/** A seeded source of numbers in [0, 1). Source: mulberry32. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What cannot be changed of a resource without making it another. */
const FIXED = new Set(['type', 'apiVersion', 'name', 'location', 'dependsOn', 'kind']);

/** The resources with one thing changed somewhere; said in words for a failure. */
export function changed(resources: JsonObject[], random: () => number): { resources: JsonObject[]; what: string } {
  const copy = structuredClone(resources);
  const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)] as T;
  const target = pick(copy);
  const places: { holder: JsonObject | Json[]; key: string; path: string }[] = [];
  const visit = (holder: JsonObject | Json[], path: string): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (holder === target && FIXED.has(key)) continue;
      const place = `${path}/${key}`;
      places.push({ holder, key, path: place });
      if (typeof value === 'object' && value !== null) visit(value, place);
    }
  };
  visit(target, textOf(target.name));
  if (places.length === 0 || random() < 0.15) {
    target.tags = { ...(target.tags as JsonObject | undefined), added: 'now' };
    return { resources: copy, what: `${textOf(target.name)}: a tag added` };
  }
  const { holder, key, path } = pick(places);
  const value = (holder as JsonObject)[key] as Json;
  if (random() < 0.5) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
    return { resources: copy, what: `${path}: left out` };
  }
  const other = otherThan(value);
  (holder as JsonObject)[key] = other;
  return { resources: copy, what: `${path}: ${JSON.stringify(value)} → ${JSON.stringify(other)}` };
}

function otherThan(value: Json): Json {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return value.toReversed();
  if (typeof value === 'object' && value !== null) return { ...value, more: 'than before' };
  const twins: Record<string, string> = {
    Deny: 'Allow',
    Enabled: 'Disabled',
    Disabled: 'Enabled',
    Hot: 'Cool',
  };
  return twins[String(value)] ?? `${String(value)}2`;
}
