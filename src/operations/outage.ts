/** Since when a region has been out, and how that is known: what a report measures RTO and RPO from. */
import type { ControlStore } from '../control-store/store.ts';
import { seenHealth } from './health.ts';

export interface Known {
  triggeredAt: Date;
  /** What the person says. */
  outageBeganAt?: string;
  /** When the region was read for the recovery point that the run restores: it answered then. */
  readAt: string | undefined;
}

export interface Outage {
  outageBeganAt: string;
  outageSource: string;
}

/** Nothing where no check has failed: a healthy region that is failed over has no outage. */
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
  // The check that the command itself makes comes after the trigger: the outage, which gave cause to it, was there before.
  return firstUnhealthyAt < triggeredAt
    ? { outageBeganAt: firstUnhealthyAt, outageSource: `the first failed health check${healthy}` }
    : atTheLatest(`no health check had failed before${healthy}`);
}
