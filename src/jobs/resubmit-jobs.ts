/**
 * Resubmits in the standby what was interrupted in the old workspace: from the plan's recovery point alone, by priority, each job at
 * most once however often the step is killed and run again.
 */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { resumeFolders } from '../checkpoints/resume-folder.ts';
import { UnderstudyError } from '../errors/error.ts';
import { FenceWatch } from '../fence/watch-fence.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { byUrgency } from '../ledger/urgency.ts';
import { readLedger } from '../recovery-point/recovery-point.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { everySecond } from '../run/work/every-second.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { openStandby, planned } from '../standby/standby.ts';
import type { JobRecord } from './job-record.ts';
import { resubmitJob, type Resubmission } from './resubmit-job.ts';
import { ResumedJobs } from './resumed-jobs.ts';
import { sharedDatastores } from './shared-datastores.ts';
import { findUnrestored } from './unrestored.ts';

/**
 * How many jobs of one priority are under way side by side. Azure takes about ten writes a second, and a job waits for nine answers,
 * one after the other: with answers that take a third of a second, fewer jobs would leave some of that unused.
 */
const window = 32;

/** Action `resubmitJobs`. `checkpoints`: how those of the recovery point are brought to the standby. */
export async function resubmitJobs(context: StepContext, checkpoints = resumeFolders): Promise<StepResult> {
  if (!context.plan.recoveryPoint)
    return { state: 'skipped', detail: 'the plan has no recovery point, so there is no job to resubmit' };
  const point = await planned(context);
  const entries = await Array.fromAsync(readLedger(context.store, point));
  if (entries.length === 0) {
    return { state: 'skipped', detail: `no job was unfinished at recovery point ${point.ref.id}` };
  }
  const watch = await FenceWatch.open(context);
  const resubmission = await prepare(context, { point, entries, watch, checkpoints });
  const evidence = new ResumedJobs(context, entries.length);
  let left = byUrgency(entries, context.topology.jobs);
  const before = await evidence.writtenBefore();
  left = left.filter(({ name }) => !before.has(name));
  while (left.length > 0) {
    const batch = nextBatch(left, watch, context.topology.policies.jobBatch);
    if (batch.length === 0) {
      if (watch.isOver) break;
      await evidence.say();
      await watch.wait();
      continue;
    }
    const records = await resubmitBatch(batch, resubmission, (done) => evidence.say(done));
    const taken = new Set(batch);
    left = left.filter((entry) => !taken.has(entry));
    await evidence.add(records, watch.isOver ? 1 : context.topology.policies.jobBatch);
    if (!watch.isOver) await watch.look();
  }
  await evidence.add([], 1);
  if (left.length > 0) throw stopHasFailed(left.length, entries.length, watch, context);
  return evidence.tally.result(entries.length, context.from.region);
}

/** Nobody knows whether these jobs run on. */
function stopHasFailed(
  left: number,
  of: number,
  { step }: FenceWatch,
  { from }: StepContext,
): UnderstudyError {
  return new UnderstudyError(
    'PreconditionError',
    `${left} of ${of} jobs have no successor: step ${step} failed, and they may run on in ${from.region}`,
    {
      next: 'Fix what that step names, then "understudy retry" the run: what is submitted is not submitted again.',
    },
  );
}

/**
 * The most urgent of the jobs that are settled, at most `size`. None mixes priorities, since the jobs of a batch may overtake each
 * other.
 */
function nextBatch(left: readonly LedgerEntry[], watch: FenceWatch, size: number): LedgerEntry[] {
  const batch: LedgerEntry[] = [];
  for (const entry of left) {
    if (batch.length === size || (batch[0] && batch[0].priority !== entry.priority)) break;
    if (watch.oldState(entry)) batch.push(entry);
  }
  return batch;
}

interface Prepare {
  point: OpenRecoveryPoint;
  entries: readonly LedgerEntry[];
  watch: FenceWatch;
  checkpoints: typeof resumeFolders;
}

type Prepared = Omit<Resubmission, 'beat'>;

async function prepare(
  context: StepContext,
  { point, entries, watch, checkpoints }: Prepare,
): Promise<Prepared> {
  const { azure, signal } = context;
  const standby = await openStandby(context, point);
  const { workspace, sourceDatastores, datastores } = standby;
  const computes = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/computes`, apiVersions.machineLearning, { signal }),
  );
  const names = (resources: readonly ArmResource[]) =>
    new Set(resources.map(({ name }) => name.toLowerCase()));
  return {
    context,
    mapping: { ...standby.mapping, has: { computes: names(computes), datastores: names(datastores) } },
    unrestored: await findUnrestored(context, standby),
    isShared: sharedDatastores(sourceDatastores, datastores),
    oldState: (entry) => watch.oldState(entry) ?? { is: 'asked' },
    bring: checkpoints(context, standby, entries),
  };
}

async function resubmitBatch(
  batch: readonly LedgerEntry[],
  prepared: Prepared,
  progress: (done: number) => Promise<void>,
): Promise<JobRecord[]> {
  let done = 0;
  await progress(done);
  const beat = everySecond(() => progress(done));
  return mapBounded(batch, window, async (entry) => {
    // A run that has lost its lease must not submit. What is under way is awaited before the error is thrown on: none goes on
    // submitting behind the back of the next attempt.
    await beat();
    const record = await resubmitJob(entry, { ...prepared, beat });
    done += 1;
    return record;
  });
}
