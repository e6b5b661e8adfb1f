/** Since when a region has been out, and how that is known: reports measure RTO and RPO from it. */
import type { ControlStore } from '../control-store/store.ts';
import { seenHealth } from './health.ts';

/** What is known about the beginning of an outage. */
export interface Known {
  triggeredAt: Date;
  /** What the person says. */
  outageBeganAt?: string;
  /** When the region was read for the recovery point that the run restores: it answered then. */
  readAt: string | undefined;
}

/**
 * When an outage began (ISO 8601), and how that is known. It began after `answeredAt`, when the region last answered,
 * and at `outageBeganAt` at the latest.
 */
export interface Outage {
  outageBeganAt?: string;
  outageSource?: string;
  /** Absent where a person has told when it began. */
  answeredAt?: string;
}

/** A healthy region that is failed over has no outage: only when it answered is known then. */
export async function outageOf(store: ControlStore, region: string, known: Known): Promise<Outage> {
  if (known.outageBeganAt !== undefined)
    return { outageBeganAt: known.outageBeganAt, outageSource: 'told by the person' };
  const { firstUnhealthyAt, lastHealthyAt } = await seenHealth(store, region);
  const triggeredAt = known.triggeredAt.toISOString();
  // The command's own check comes after the trigger: if it could not be made, nobody knows whether there is an outage.
  if (firstUnhealthyAt === undefined)
    return lastHealthyAt !== undefined && lastHealthyAt >= triggeredAt ? { answeredAt: lastHealthyAt } : {};
  const between = (outageBeganAt: string, outageSource: string): Outage => ({
    outageBeganAt,
    outageSource,
    ...lastAnswer([lastHealthyAt, known.readAt], outageBeganAt),
  });
  const atTheLatest = (why: string) => between(triggeredAt, `the trigger at the latest: ${why}`);
  if (known.readAt !== undefined && known.readAt > firstUnhealthyAt)
    return atTheLatest(
      `a health check failed at ${firstUnhealthyAt}, but the region was read for a recovery point at ${known.readAt}`,
    );
  // The command's own check comes after the trigger, but the outage that caused the trigger began before it.
  return firstUnhealthyAt < triggeredAt
    ? between(firstUnhealthyAt, 'first failed health check')
    : atTheLatest('no health check had failed before');
}

/** The latest of the times at which the region answered. One after the outage began says nothing about its beginning. */
function lastAnswer(times: readonly (string | undefined)[], outageBeganAt: string): Pick<Outage, 'answeredAt'> {
  const answeredAt = times.reduce<string | undefined>(
    (latest, time) => (time !== undefined && time <= outageBeganAt && time > (latest ?? '') ? time : latest),
    undefined,
  );
  return answeredAt === undefined ? {} : { answeredAt };
}
