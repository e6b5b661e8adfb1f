/**
 * What a step needs of the platform that runs jobs, to stop, take over and resubmit them. `workspace/azure-jobs.ts`
 * implements it for Azure Machine Learning.
 */
import { z } from 'zod';

const Place = z.strictObject({ store: z.string(), path: z.string() });

/** A job in words that every platform has. Its owner, priority and GPUs are in the ledger's entry itself. */
export const JobDescription = z.strictObject({
  /** Its command line, without secrets; or its kind, where it has none. */
  runs: z.string(),
  /** Names of the computes it runs on; empty: the platform chooses. */
  computes: z.array(z.string()),
  /** How many machines it uses at a time; absent: not known. */
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
  /** The complete description. */
  raw: Raw;
}

/** What each request to the platform carries. */
export interface JobRequestOptions {
  signal?: AbortSignal;
  /** Not urgent: leaves room for requests that are. */
  patient?: true;
  /** Called when a request is sent, after it has waited for its turn. */
  onSent?: () => void;
  /** Called when the platform accepts no more requests for now. */
  onThrottled?: () => void;
}

/**
 * `Raw`: a job as the platform describes it; `Spec`: what a job is made from. Errors are an UnderstudyError, as those
 * of `Arm`.
 */
export interface JobPlatform<Raw, Spec> {
  /**
   * Every unfinished job, complete; of the jobs named in `cancelled`, those that are cancelled and whose owner does not
   * say otherwise; and those named in `ended`, however they ended. `onListed` is called for every job that there is.
   */
  unfinished(
    options?: JobRequestOptions & {
      cancelled?: ReadonlySet<string>;
      ended?: ReadonlySet<string>;
      onListed?: (job: Raw) => void;
    },
  ): AsyncIterable<PlatformJob<Raw>>;
  /** Undefined: there is no such job. */
  find(name: string, options?: JobRequestOptions): Promise<PlatformJob<Raw> | undefined>;
  /** Returns once the request is accepted: the job ends later. */
  cancel(name: string, options?: JobRequestOptions): Promise<void>;
  /** A job with this name that already exists stays as it is, or the request is refused. */
  submit(name: string, spec: Spec, options?: JobRequestOptions): Promise<void>;
}
