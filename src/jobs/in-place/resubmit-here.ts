/** The action `resubmitHere`: the jobs that the plan names go on in the workspace in which they were interrupted. */
import { UnderstudyError } from '../../errors/error.ts';
import type { StepResult } from '../../run/work/outcome.ts';
import type { StepContext } from '../../run/work/step-context.ts';
import { azureJobs } from '../../workspace/jobs/azure-jobs.ts';
import { ResubmittedJobs } from '../resubmitted-jobs.ts';
import { resubmitInPlace, type InterruptedJob } from './resubmit-in-place.ts';

/** What the plan says of a job. */
export interface PlannedJob {
  name: string;
  status: string;
  /** Absent: nobody has seen it unfinished. */
  lastSeenAt?: string;
  endedAs: string;
  /** See `InterruptedJob`. */
  cancelledBy?: string;
}

/** Idempotent. Errors: those of `resubmitInPlace`; PreconditionError if a job is gone since the plan was made. */
export async function resubmitHere(context: StepContext): Promise<StepResult> {
  const { azure, from, now, signal } = context;
  const planned = context.step.input.jobs as PlannedJob[];
  const jobs = azureJobs(azure.arm, from.workspace);
  const interrupted: InterruptedJob[] = [];
  for (const { name, status, lastSeenAt, endedAs, cancelledBy } of planned) {
    await context.checkpoint({ unit: 'jobs', done: 0, total: planned.length });
    const raw = (await jobs.find(name, { signal }))?.raw;
    if (!raw) throw new UnderstudyError('PreconditionError', `job "${name}" is gone since the plan was made`);
    const seenAt = now().toISOString();
    interrupted.push({
      raw,
      status,
      lastSeenAt: lastSeenAt ?? seenAt,
      ...(cancelledBy === undefined ? {} : { cancelledBy }),
      old: { is: 'interrupted', endedAs, seenAt, ...(lastSeenAt === undefined ? {} : { lastSeenAt }) },
    });
  }
  const evidence = new ResubmittedJobs(context, planned.length);
  await evidence.add(await resubmitInPlace(context, from, interrupted), 1);
  return evidence.tally.result(planned.length, from.region);
}
