/**
 * The region pointer: who may write, and who serves each resource class. It lives in the control store and is changed
 * only by compare-and-swap. The epoch is the fencing token: it only ever rises.
 */
import type { ResourceClass } from './words.ts';

export interface Epoch {
  number: number;
  /** `control-store`, or the id of a break-glass issuer. Two issuers at one number are a split brain. */
  issuer: string;
}

export interface WriterLease {
  /** Who writes now: a run's id. */
  holder: string;
  /** Milliseconds since 1970; after it (and the clock skew) a takeover need not wait. */
  expiresAt: number;
}

export interface RegionPointer {
  epoch: Epoch;
  writer: string;
  serving: Record<ResourceClass, string>;
  lease?: WriterLease;
  /**
   * Set by a takeover: until then (milliseconds since 1970, clock skew included) a writer of the epoch before may still
   * believe in its lease. Nobody writes before.
   */
  oldWritersUntil?: number;
  /** The run that moved it last, and when (ISO 8601). */
  changedBy: string;
  changedAt: string;
}

export function firstPointer(region: string, changedBy: string, now: Date): RegionPointer {
  return {
    epoch: { number: 1, issuer: 'control-store' },
    writer: region,
    serving: { platform: region, data: region, training: region, inference: region },
    changedBy,
    changedAt: now.toISOString(),
  };
}

/** Who writes after a takeover: the next epoch, no lease yet, and a memory of how long the old lease may be believed in. */
export function takeOver(
  pointer: RegionPointer,
  to: string,
  run: string,
  now: Date,
  clockSkewMs: number,
): RegionPointer {
  const { lease, oldWritersUntil: _, ...rest } = pointer;
  return {
    ...rest,
    epoch: { number: pointer.epoch.number + 1, issuer: pointer.epoch.issuer },
    writer: to,
    ...(lease ? { oldWritersUntil: lease.expiresAt + clockSkewMs } : {}),
    changedBy: run,
    changedAt: now.toISOString(),
  };
}
