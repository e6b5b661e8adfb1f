/** Submits a successor to the standby, once, and reads it back. */
import type { JsonObject } from '../azure/azure.ts';
import { differences, type Difference } from '../azure/body/compare.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { originOf } from './spec/successor-spec.ts';

/** The successor to submit. */
export interface SubmitSuccessor {
  /** The standby's jobs. */
  jobs: Pick<AzureJobs, 'find' | 'submit'>;
  name: string;
  body: { properties: JsonObject };
  /** The job of this name, if an earlier attempt or run has submitted it. */
  before: RawJob | undefined;
  signal: AbortSignal;
}

/** The result of submitting a successor. */
export interface Submitted {
  /** It existed before: an earlier attempt, whose response was lost, or an earlier run submitted it. */
  already: boolean;
  /** Fields that the standby stored differently from what was sent. */
  differences: Difference[];
}

/**
 * Submits the job unless it exists, and reads it back whatever the response was: after a 409 or a lost response it may
 * exist.
 * Errors: AzureUnavailable (can be retried); AzureError if Azure refuses it, or has another job of this name.
 */
export async function submitSuccessor(request: SubmitSuccessor): Promise<Submitted> {
  const { jobs, name, body, before, signal } = request;
  let refusal: unknown;
  if (!before) {
    try {
      await jobs.submit(name, body, { signal });
    } catch (error) {
      if (!isUnderstudyError(error, 'AzureError') && !isUnderstudyError(error, 'AzureUnavailable')) throw error;
      refusal = error;
    }
  }
  const held = before ?? (await jobs.find(name, { signal }))?.raw;
  if (!held)
    throw refusal ?? new UnderstudyError('AzureUnavailable', `job "${name}" was accepted and is not yet to be read`);
  checkOrigin(held, { ...held, properties: body.properties });
  return {
    already: before !== undefined,
    differences: differences(body.properties, held.properties, 'properties'),
  };
}

function checkOrigin(held: RawJob, sent: RawJob): void {
  const [expected, actual] = [originOf(sent), originOf(held)];
  if (expected?.lineageRoot === actual?.lineageRoot && expected?.hop === actual?.hop) return;
  throw new UnderstudyError(
    'AzureError',
    `the standby has a job "${held.name}" already that is not the successor of "${expected?.lineageRoot}"`,
    {
      place: held.id,
      next: 'Find out who made it, and delete it once it has finished.',
    },
  );
}
