/**
 * The region pointer: which region may write, and which serves each unit. It is in the control store and is changed
 * only by compare-and-swap. The epoch is the fencing token: it only ever rises.
 */
import { z } from 'zod';
import { resourceClasses } from './words.ts';

const EpochNumber = z.int().min(1);

const Epoch = z.strictObject({
  number: EpochNumber,
  /** `control-store`, or the id of a break-glass issuer. Two issuers at one number mean a split brain. */
  issuer: z.string().min(1),
});

/** region → weight: whole numbers that sum to 100. They are the intent: the front is changed to match them. */
export const Weights = z
  .record(z.string(), z.int().min(0).max(100))
  .refine(
    (weights) => Object.values(weights).reduce((sum, each) => sum + each, 0) === 100,
    'expected weights that sum to 100',
  );
export type Weights = z.infer<typeof Weights>;

/** The document that names the writer, what is serving, and the epoch. */
export const RegionPointer = z.strictObject({
  epoch: Epoch,
  /** The region that may be changed. */
  writer: z.string().min(1),
  /** The run that made `writer` the writer, and its epoch. Absent until a run has. */
  takenBy: z.strictObject({ run: z.string(), epoch: EpochNumber }).optional(),
  /** unit (a resource class, or a named override) → which regions serve it. */
  serving: z.record(z.string(), Weights),
  lease: z
    .strictObject({
      /** The run that may write now. */
      holder: z.string(),
      /** Milliseconds since 1970. After this time (plus the clock skew) a takeover does not have to wait. */
      expiresAt: z.number(),
    })
    .optional(),
  /**
   * Set by a takeover. Until then (milliseconds since 1970, clock skew included) a writer of the previous epoch may
   * still rely on its lease, so nobody writes before.
   */
  oldWritersUntil: z.number().optional(),
  /** What changed it last (a run's id, or a command and its user), and when (ISO 8601). */
  changedBy: z.string(),
  changedAt: z.string(),
});
export type RegionPointer = z.infer<typeof RegionPointer>;

/** Returns the pointer of a new control store: epoch 1, and `region` serves everything. */
export function firstPointer(region: string, changedBy: string, now: Date): RegionPointer {
  return {
    epoch: { number: 1, issuer: 'control-store' },
    writer: region,
    serving: Object.fromEntries(resourceClasses.map((name) => [name, servedBy(region)])),
    changedBy,
    changedAt: now.toISOString(),
  };
}

/** Returns weights that let one region serve all of a unit. */
export function servedBy(region: string): Weights {
  return { [region]: 100 };
}

/** Whether a region serves any of a unit. The writer serves all of a unit that has no weights of its own. */
export function serves(pointer: RegionPointer, unit: string, region: string): boolean {
  const weights = pointer.serving[unit];
  return weights ? (weights[region] ?? 0) > 0 : pointer.writer === region;
}

/** Example: `eastus`, or `eastus 60 %, westus3 40 %`. */
export function showWeights(weights: Weights): string {
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  const [only] = parts;
  return parts.length === 1 && only ? only[0] : parts.map(([region, weight]) => `${region} ${weight} %`).join(', ');
}

/** Whether this run has made `region` the writer, and nobody has changed the writer since. */
export function isTakenBy({ takenBy, epoch, writer }: RegionPointer, run: string, region: string): boolean {
  return takenBy?.run === run && takenBy.epoch === epoch.number && writer === region;
}

/**
 * Returns the pointer after a takeover: the next epoch, no lease yet, and the time until which the old lease may be
 * relied on.
 */
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
    // The run knows what it has written itself.
    ...(lease && lease.holder !== run ? { oldWritersUntil: lease.expiresAt + clockSkewMs } : {}),
    changedBy: run,
    changedAt: now.toISOString(),
  };
}
