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

/** A job as a platform has it. */
export interface PlatformJob<Raw> {
  name: string;
  /** In the platform's own words: `Running`. */
  status: string;
  isFinished: boolean;
  /** Whole. */
  raw: Raw;
}

export interface JobRequestOptions {
  signal?: AbortSignal;
  /** It is in no hurry, and leaves room for requests that are. */
  patient?: true;
  /** Called whenever a request is sent, after it has waited for its turn. */
  onSent?: () => void;
  /** Called whenever the platform takes no more requests for now. */
  onThrottled?: () => void;
}

/** `Raw`: a job as the platform describes it; `Spec`: what makes one. Errors are an UnderstudyError, as those of `Arm`. */
export interface JobPlatform<Raw, Spec> {
  /** Every unfinished job, whole; and of the jobs of these names those that are cancelled. */
  unfinished(
    options?: JobRequestOptions & { cancelled?: ReadonlySet<string> },
  ): AsyncIterable<PlatformJob<Raw>>;
  /** Undefined: there is no such job. */
  find(name: string, options?: JobRequestOptions): Promise<PlatformJob<Raw> | undefined>;
  /** Done once it is accepted: the job ends later. */
  cancel(name: string, options?: JobRequestOptions): Promise<void>;
  /** A job of this name that is there already is left as it is, or refused. */
  submit(name: string, spec: Spec, options?: JobRequestOptions): Promise<void>;
}
