/**
 * What the compiler needs to know about a recovery point. Small, and part of its seal, so that making a plan needs one
 * read.
 */
import { z } from 'zod';
import { RecoveryPointRef } from './plan.ts';

const Count = z.int().nonnegative();
const Counts = z.record(z.string(), Count);

export const ComputeSummary = z.strictObject({
  name: z.string(),
  /** Example: `AmlCompute`, `ComputeInstance`. */
  type: z.string(),
  vmSize: z.string().optional(),
  /** `Dedicated` or `LowPriority`. */
  vmPriority: z.string().optional(),
  minNodes: z.number().optional(),
  maxNodes: z.number().optional(),
});
export type ComputeSummary = z.infer<typeof ComputeSummary>;

export const EndpointSummary = z.strictObject({
  name: z.string(),
  deployments: z.array(
    z.strictObject({ name: z.string(), instanceType: z.string().optional(), instanceCount: z.number() }),
  ),
});
export type EndpointSummary = z.infer<typeof EndpointSummary>;

export const RecoveryPointSummary = z.strictObject({
  ref: RecoveryPointRef,
  epoch: z.int().min(1),
  region: z.string(),
  /** Number of each kind: models, data, environments, components, codes, datastores, connections, schedules, … */
  counts: Counts,
  blobs: Count,
  bytes: Count,
  computes: z.array(ComputeSummary),
  endpoints: z.array(EndpointSummary),
  /** Number of unfinished jobs by status. */
  jobs: Counts,
  /** Number of assets that changed while they were copied. */
  fuzzy: Count,
});
export type RecoveryPointSummary = z.infer<typeof RecoveryPointSummary>;

/** Returns how many jobs were unfinished. */
export function unfinishedJobs({ jobs }: Pick<RecoveryPointSummary, 'jobs'>): number {
  return Object.values(jobs).reduce((sum, count) => sum + count, 0);
}
