/**
 * What a step needs of the platform that runs jobs: the little that stopping, taking over and resubmitting them asks of it. Azure Machine
 * Learning's is `workspace/azure-jobs.ts`.
 */
import { z } from 'zod';

const Place = z.strictObject({ store: z.string(), path: z.string() });

/** A job in words that every platform has. Its owner, its priority and its GPUs are in the ledger's entry itself. */
export const JobDescription = z.strictObject({
  /** Its command line, without secrets; or its kind, where it has none. */
  runs: z.string(),
  /** Names of the computes it runs on; none: the platform chooses. */
  computes: z.array(z.string()),
  /** How many machines it holds at a time; absent: not known. */
  nodes: z.number().nonnegative().optional(),
  reads: z.array(z.union([Place, z.strictObject({ job: z.string(), output: z.string() })])),
  writes: z.array(Place.extend({ output: z.string() })),
  timeLimitSeconds: z.number().nonnegative().optional(),
});
export type JobDescription = z.infer<typeof JobDescription>;
