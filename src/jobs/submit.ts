/** Puts a successor into the standby, once, and reads it back. */
import type { JsonObject } from '../azure/azure.ts';
import { differences, type Difference } from '../azure/body/compare.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { originOf } from './spec/successor-spec.ts';

export interface SubmitSuccessor {
  /** Of the standby. */
  jobs: Pick<AzureJobs, 'find' | 'submit'>;
  name: string;
  body: { properties: JsonObject };
  /** The job of this name, if an earlier attempt or run has put it there. */
  before: RawJob | undefined;
  signal: AbortSignal;
}

export interface Submitted {
  /** It was there before: an earlier attempt, whose answer was lost, or an earlier run made it. */
  already: boolean;
  /** What the standby holds otherwise than it was sent. */
  differences: Difference[];
}

/**
 * Submits the job if it was not there, and reads it back whatever the answer was: a 409 or a lost answer may mean that it is
 * there. Errors: AzureUnavailable (try again); AzureError where Azure refuses it, or holds another job by this name.
 */
export async function submitSuccessor(request: SubmitSuccessor): Promise<Submitted> {
  const { jobs, name, body, before, signal } = request;
  let refusal: unknown;
  if (!before) {
    try {
      await jobs.submit(name, body, { signal });
    } catch (error) {
      if (!isUnderstudyError(error, 'AzureError') && !isUnderstudyError(error, 'AzureUnavailable'))
        throw error;
      refusal = error;
    }
  }
  const held = before ?? (await jobs.find(name, { signal }))?.raw;
  if (!held)
    throw (
      refusal ??
      new UnderstudyError('AzureUnavailable', `job "${name}" was accepted and is not yet to be read`)
    );
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
