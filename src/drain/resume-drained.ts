/**
 * The undo of `drainJobs`: a switchover was given up, and the jobs that it had drained go on where they were, each from
 * its last checkpoint.
 */
import { LiveCheckpoints } from '../checkpoints/live-checkpoints.ts';
import { drainedBy, type StoppedJob } from '../fence/stopped-jobs.ts';
import { resubmitInPlace, type InterruptedJob } from '../jobs/resubmit-in-place.ts';
import { lastSuccessor } from '../ledger/ledger.ts';
import { forEachBounded, mapBounded } from '../run/work/bounded.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';

const window = 16;

/** Idempotent. A job whose successor runs on the other side by now is left alone. Errors: those of `resubmitInPlace`. */
export async function resumeDrained(context: StepContext): Promise<string> {
  const { azure, store, from, run, signal } = context;
  const jobs = azureJobs(azure.arm, from.workspace);
  await withdrawRequests(context);
  const drained = [...(await drainedBy(store, run.runId))].filter(([, { minor }]) => minor !== true);
  if (drained.length === 0) return 'no job was cancelled';
  const moved: string[] = [];
  const found = await mapBounded(drained, window, async ([name, job]): Promise<InterruptedJob | undefined> => {
    const last = await lastSuccessor(store, job);
    const raw = (await jobs.find(name, { signal }))?.raw;
    if (last && last.region !== from.region) moved.push(name);
    return !raw || (last && last.region !== from.region) ? undefined : { raw, ...stateBefore(job) };
  });
  const records = await resubmitInPlace(
    context,
    from,
    found.filter((each) => each !== undefined),
  );
  const goOn = records.filter(({ outcome }) => outcome === 'submitted').length;
  const left = drained.length - goOn - moved.length;
  return [
    `${goOn} of ${drained.length} drained jobs go on in ${from.region}`,
    ...(moved.length > 0 ? [`${moved.length} run on the other side by now`] : []),
    ...(left > 0 ? [`${left} left for people`] : []),
  ].join(', ');
}

function stateBefore({ status, canceledAt = '', endedAs }: StoppedJob): Omit<InterruptedJob, 'raw'> {
  const old = { is: 'cancelled' as const, at: canceledAt, ...(endedAs === undefined ? {} : { endedAs }) };
  return { status, lastSeenAt: canceledAt, old };
}

/** Nobody waits for checkpoints any more. */
async function withdrawRequests(context: StepContext): Promise<void> {
  const { azure, from, signal } = context;
  const checkpoints = await LiveCheckpoints.open(context, from);
  const unfinished = azureJobs(azure.arm, from.workspace).unfinished({ signal });
  await forEachBounded(unfinished, window, ({ raw }) => checkpoints.withdraw(raw));
}
