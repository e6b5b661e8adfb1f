/**
 * The region pointer: who may write, and who serves each unit. It lives in the control store and is changed only by
 * compare-and-swap. The epoch is the fencing token: it only ever rises.
 */
import { z } from 'zod';
import { resourceClasses } from './words.ts';

const EpochNumber = z.int().min(1);

const Epoch = z.strictObject({
  number: EpochNumber,
  /** `control-store`, or the id of a break-glass issuer. Two issuers at one number are a split brain. */
  issuer: z.string().min(1),
});

/** region → weight: whole numbers that sum to 100. They record intent: the front is brought to them. */
export const Weights = z
  .record(z.string(), z.int().min(0).max(100))
  .refine(
    (weights) => Object.values(weights).reduce((sum, each) => sum + each, 0) === 100,
    'expected weights that sum to 100',
  );
export type Weights = z.infer<typeof Weights>;

export const RegionPointer = z.strictObject({
  epoch: Epoch,
  /** The region that may be written. */
  writer: z.string().min(1),
  /** The run that made `writer` the writer, and the epoch that it took; absent until a run has. */
  takenBy: z.strictObject({ run: z.string(), epoch: EpochNumber }).optional(),
  /** unit (a resource class, or a named override) → who serves it. */
  serving: z.record(z.string(), Weights),
  lease: z
    .strictObject({
      /** Who writes now: a run's id. */
      holder: z.string(),
      /** Milliseconds since 1970; after it (and the clock skew) a takeover need not wait. */
      expiresAt: z.number(),
    })
    .optional(),
  /**
   * Set by a takeover: until then (milliseconds since 1970, clock skew included) a writer of the epoch before may still
   * believe in its lease. Nobody writes before.
   */
  oldWritersUntil: z.number().optional(),
  /** What changed it last (a run's id, or a command and who gave it), and when (ISO 8601). */
  changedBy: z.string(),
  changedAt: z.string(),
});
export type RegionPointer = z.infer<typeof RegionPointer>;

export function firstPointer(region: string, changedBy: string, now: Date): RegionPointer {
  return {
    epoch: { number: 1, issuer: 'control-store' },
    writer: region,
    serving: Object.fromEntries(resourceClasses.map((name) => [name, servedBy(region)])),
    changedBy,
    changedAt: now.toISOString(),
  };
}

/** One region serves all of a unit. */
export function servedBy(region: string): Weights {
  return { [region]: 100 };
}

/** Whether a region serves any of a unit; of a unit that has no weights of its own, the writer serves all. */
export function serves(pointer: RegionPointer, unit: string, region: string): boolean {
  const weights = pointer.serving[unit];
  return weights ? (weights[region] ?? 0) > 0 : pointer.writer === region;
}

/** `eastus`, or `eastus 60 %, westus3 40 %`. */
export function showWeights(weights: Weights): string {
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  const [only] = parts;
  return parts.length === 1 && only
    ? only[0]
    : parts.map(([region, weight]) => `${region} ${weight} %`).join(', ');
}

/** Whether this run has made `region` the writer, and nobody has changed the writer since. */
export function isTakenBy({ takenBy, epoch, writer }: RegionPointer, run: string, region: string): boolean {
  return takenBy?.run === run && takenBy.epoch === epoch.number && writer === region;
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
  const number = pointer.epoch.number + 1;
  return {
    ...rest,
    epoch: { number, issuer: pointer.epoch.issuer },
    writer: to,
    takenBy: { run, epoch: number },
    ...(lease ? { oldWritersUntil: lease.expiresAt + clockSkewMs } : {}),
    changedBy: run,
    changedAt: now.toISOString(),
  };
}
