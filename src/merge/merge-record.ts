/**
 * What was decided about a divergence point: sealed by the run that carries it out, and recorded once that is done, so
 * that a later run decides the same and gives no second number.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { RecoveryPointRef } from '../plan/plan.ts';
import { DecidedItem } from './decisions.ts';

const DecidedMerge = z.strictObject({
  divergence: RecoveryPointRef,
  newest: RecoveryPointRef,
  items: z.array(DecidedItem),
  /** Both sides have made it of one content: the writer's files are those that count. */
  alike: z.array(z.string()),
});
export type DecidedMerge = z.infer<typeof DecidedMerge>;

/** Sealed below `decidedFolder`. */
export const decidedMerges = documentKind('decided merge', 1, DecidedMerge);
export const decidedFolder = 'merges/decided';

const MergeRecord = z.strictObject({ run: z.string(), items: z.array(DecidedItem) });
const records = documentKind('record of a merge', 1, MergeRecord);
const nameOf = (divergence: string) => `merges/${divergence}.json`;

/** What earlier runs have carried out of the divergence point, by item. */
export async function readMerged(store: ControlStore, divergence: string): Promise<Map<string, DecidedItem>> {
  const found = await records.read(store, nameOf(divergence));
  return new Map(found?.value.items.map((each) => [each.item, each]));
}

/** Adds what this run has carried out; its decisions replace earlier ones. Idempotent. */
export async function recordMerged(
  store: ControlStore,
  { run, divergence, items }: { run: string; divergence: string; items: readonly DecidedItem[] },
): Promise<void> {
  for (;;) {
    const found = await records.read(store, nameOf(divergence));
    const all = new Map(found?.value.items.map((each) => [each.item, each]));
    for (const each of items) all.set(each.item, each);
    if (await records.swap(store, nameOf(divergence), { run, items: [...all.values()] }, found?.etag)) return;
  }
}
