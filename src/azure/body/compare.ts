/** Compares what was sent with what Azure stored. */
import { z } from 'zod';
import type { Json } from '../azure.ts';
import { isObject } from './json.ts';

/** A field that Azure stored differently. Both values as kind and size only. */
export const Difference = z.strictObject({ place: z.string(), sent: z.string(), held: z.string() });
export type Difference = z.infer<typeof Difference>;

/**
 * Returns fields that were sent and stored differently. Fields that Azure adds, and empty values that it omits, do not
 * count.
 */
export function differences(sent: Json, held: Json | undefined, place: string): Difference[] {
  if (isEmpty(sent) && (held === undefined || isEmpty(held))) return [];
  if (Array.isArray(sent) && Array.isArray(held) && sent.length === held.length) {
    return sent.flatMap((each, index) => differences(each, held[index], `${place}[${index}]`));
  }
  if (isObject(sent) && isObject(held)) {
    return Object.entries(sent).flatMap(([key, each]) => differences(each, held[key], `${place}.${key}`));
  }
  if (sent === held || sameId(sent, held)) return [];
  return [{ place, sent: show(sent), held: show(held) }];
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Azure returns ids in its own spelling. */
function sameId(sent: Json, held: Json | undefined): boolean {
  if (typeof sent !== 'string' || typeof held !== 'string') return false;
  return /^(azureml:)?\/{0,2}\/?subscriptions\//i.test(sent) && sent.toLowerCase() === held.toLowerCase();
}

/** Returns kind and size only: a value may be a secret. */
function show(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isObject(value) ? `an object with ${Object.keys(value).join(', ') || 'no keys'}` : JSON.stringify(value);
}
