/** What the compiler needs to know of a recovery point: small, and part of its seal, so that a plan needs one read. */
import type { RecoveryPointRef } from './plan.ts';

export interface ComputeSummary {
  name: string;
  /** `AmlCompute`, `ComputeInstance`, … */
  type: string;
  vmSize?: string;
  /** `Dedicated` or `LowPriority`. */
  vmPriority?: string;
  minNodes?: number;
  maxNodes?: number;
}

export interface EndpointSummary {
  name: string;
  deployments: { name: string; instanceType?: string; instanceCount: number }[];
}

export interface RecoveryPointSummary {
  ref: RecoveryPointRef;
  epoch: number;
  region: string;
  /** How many of each kind: models, data, environments, components, codes, datastores, connections, schedules, … */
  counts: Record<string, number>;
  blobs: number;
  bytes: number;
  computes: ComputeSummary[];
  endpoints: EndpointSummary[];
  /** Unfinished jobs by status. */
  jobs: Record<string, number>;
  /** Assets that changed while they were copied. */
  fuzzy: number;
}
