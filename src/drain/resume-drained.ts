/**
 * The undo of `drainJobs`: a switchover was given up, and the jobs that it had drained go on where they were, each from
 * its last checkpoint.
 */
import { drainedBy, type StoppedJob } from '../fence/stopped-jobs.ts';
import { resubmitInPlace, type InterruptedJob } from '../jobs/in-place/resubmit-in-place.ts';
import { lastSuccessor, type Successor } from '../ledger/ledger.ts';
import { mapBounded } from '../run/work/bounded.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { JobEnds, whileItAnswers, window } from './job-ends.ts';

/**
 * Idempotent. A job whose successor was submitted on the other side is left alone; one that was only planned there runs
 * nowhere. Errors: NotYetError while the region does not answer; AzureUnavailable; those of `resubmitInPlace`.
 */
export async function resumeDrained(context: StepContext): Promise<string> {
  const { store, run, from } = context;
  await whileItAnswers(context, () => settle(context));
  // Without an end, Azure has refused to cancel it: it runs on.
  const drained = [...(await drainedBy(store, run.runId))].filter(
    ([, { minor, canceledAt }]) => minor !== true && canceledAt !== undefined,
  );
  if (drained.length === 0) return 'no job was cancelled';
  const { jobs, moved } = await toGoOn(context, drained);
  const records = await resubmitInPlace(context, from, jobs);
  const goOn = records.filter(({ outcome }) => outcome === 'submitted').length;
  const left = drained.length - goOn - moved;
  return [
    `${goOn} of ${drained.length} drained jobs go on in ${from.region}`,
    ...(moved > 0 ? [`${moved} run on the other side by now`] : []),
    ...(left > 0 ? [`${left} left for people`] : []),
  ].join(', ');
}

/**
 * Nobody waits for checkpoints any more; and what was cancelled, and not seen to end, has a successor only once it has.
 */
async function settle(context: StepContext): Promise<void> {
  const ends: JobEnds = await JobEnds.open(context, () => context.checkpoint({ unit: 'jobs', done: ends.drained }));
  await ends.withdrawAll();
  // What Azure refuses to cancel runs on.
  await ends.settleEarlier();
}

async function toGoOn(
  context: StepContext,
  drained: readonly [name: string, job: StoppedJob][],
): Promise<{ jobs: InterruptedJob[]; moved: number }> {
  const { azure, store, from, signal } = context;
  const jobs = azureJobs(azure.arm, from.workspace);
  let moved = 0;
  const found = await mapBounded(drained, window, async ([name, job]): Promise<InterruptedJob | undefined> => {
    const last = await lastSuccessor(store, job);
    if (last && last.region !== from.region && (await wasSubmitted(context, last))) {
      moved += 1;
      return undefined;
    }
    const raw = (await jobs.find(name, { signal }))?.raw;
    return raw && { raw, ...stateBefore(job) };
  });
  return { jobs: found.filter((each) => each !== undefined), moved };
}

/**
 * A run that is cancelled between a submission and its record has submitted all the same: the region itself says so.
 */
async function wasSubmitted({ azure, to, signal }: StepContext, { state, name }: Successor): Promise<boolean> {
  return state !== 'planned' || (await azureJobs(azure.arm, to.workspace).find(name, { signal })) !== undefined;
}

function stateBefore({ status, canceledAt = '', endedAs }: StoppedJob): Omit<InterruptedJob, 'raw'> {
  const old = {
    is: 'cancelled',
    at: canceledAt,
    drained: true,
    ...(endedAs === undefined ? {} : { endedAs }),
  } as const;
  return { status, lastSeenAt: canceledAt, old };
}
