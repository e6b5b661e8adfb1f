/** Counts what happened to each thing, so that expected = done + skipped + failed. Survives a restart in a cursor. */
import { z } from 'zod';
import { reconcile, type Counts } from './outcome.ts';

const Count = z.int().nonnegative();
const ByReason = z.record(z.string(), Count);

/** Plain JSON: it travels in cursors. */
export const Tally = z.strictObject({
  done: Count,
  /** The part of `done` that was there already. */
  already: Count,
  bytes: Count,
  skipped: ByReason,
  failed: ByReason,
});
export type Tally = z.infer<typeof Tally>;

/** A tally that has counted nothing. */
export function newTally(): Tally {
  return { done: 0, already: 0, bytes: 0, skipped: {}, failed: {} };
}

/** Counts things that were skipped, under `reason`. */
export function skip(tally: Tally, reason: string, count = 1): void {
  tally.skipped[reason] = (tally.skipped[reason] ?? 0) + count;
}

/** Counts things that failed, under `reason`. */
export function fail(tally: Tally, reason: string, count = 1): void {
  tally.failed[reason] = (tally.failed[reason] ?? 0) + count;
}

/** Adds one tally to another. */
export function addTally(to: Tally, { done, already, bytes, skipped, failed }: Tally): void {
  to.done += done;
  to.already += already;
  to.bytes += bytes;
  for (const [reason, count] of Object.entries(skipped)) skip(to, reason, count);
  for (const [reason, count] of Object.entries(failed)) fail(to, reason, count);
}

/** Returns the sum of the values. */
export function sum(record: Record<string, number>): number {
  return Object.values(record).reduce((total, count) => total + count, 0);
}

/** How many things are counted so far. */
export function seen(tally: Tally): number {
  return tally.done + sum(tally.skipped) + sum(tally.failed);
}

/** Throws RangeError if they do not add up to what was expected. */
export function toCounts(tally: Tally, kind: string, expected: number): Counts {
  const parts = (record: Record<string, number>) =>
    Object.entries(record).map(([reason, count]) => ({ reason, count }));
  return reconcile({
    kind,
    expected,
    done: tally.done,
    skipped: parts(tally.skipped),
    failed: parts(tally.failed),
  });
}
