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

/** Milliseconds a takeover must still wait for the lease of another writer to be over everywhere. */
export function leaseWait(pointer: RegionPointer, holder: string, now: number, clockSkewMs: number): number {
  if (!pointer.lease || pointer.lease.holder === holder) return 0;
  return Math.max(0, pointer.lease.expiresAt + clockSkewMs - now);
}
