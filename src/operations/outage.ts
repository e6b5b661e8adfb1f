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

/** When an outage began (ISO 8601), and how that is known. */
export interface Outage {
  outageBeganAt: string;
  outageSource: string;
}

/** Empty if no check has failed: a healthy region that is failed over has no outage. */
export async function outageOf(store: ControlStore, region: string, known: Known): Promise<Outage | object> {
  if (known.outageBeganAt !== undefined)
    return { outageBeganAt: known.outageBeganAt, outageSource: 'told by the person' };
  const { firstUnhealthyAt, lastHealthyAt } = await seenHealth(store, region);
  if (firstUnhealthyAt === undefined) return {};
  const triggeredAt = known.triggeredAt.toISOString();
  const atTheLatest = (why: string) => ({
    outageBeganAt: triggeredAt,
    outageSource: `the trigger at the latest: ${why}`,
  });
  if (known.readAt !== undefined && known.readAt > firstUnhealthyAt)
    return atTheLatest(
      `a health check failed at ${firstUnhealthyAt}, but the region was read for a recovery point at ${known.readAt}`,
    );
  const healthy = lastHealthyAt === undefined ? '' : ` (healthy at ${lastHealthyAt})`;
  // The command's own check comes after the trigger, but the outage that caused the trigger began before it.
  return firstUnhealthyAt < triggeredAt
    ? { outageBeganAt: firstUnhealthyAt, outageSource: `the first failed health check${healthy}` }
    : atTheLatest(`no health check had failed before${healthy}`);
}
