/**
 * Resubmits in the standby the jobs that were interrupted in the old workspace: by priority, from the plan's recovery
 * point alone. Each job is resubmitted at most once, however often the step is killed and run again.
 */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { copyCheckpoints } from '../checkpoints/copy-checkpoints.ts';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import { FenceWatch } from '../fence/watch-fence.ts';
import { specFolder, type LedgerEntry } from '../ledger/ledger.ts';
import { byUrgency, rankOf } from '../ledger/urgency.ts';
import { readLedger } from '../recovery-point/recovery-point.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { everySecond } from '../run/work/every-second.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { openStandby, openPointOfRun } from '../standby/standby.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { describeJob } from '../workspace/describe-job.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { outcomeForReaders, type Producers } from './follow-outputs.ts';
import { JobQueue } from './job-queue.ts';
import type { JobRecord } from './job-record.ts';
import { producersOf, type ReadsAndWrites } from './producers.ts';
import { resubmitJob, type Resubmission } from './resubmit-job.ts';
import { ResubmittedJobs } from './resubmitted-jobs.ts';
import { sharedDatastores } from './shared-datastores.ts';
import { findUnrestored } from './unrestored.ts';

/**
 * How many jobs of one priority are processed concurrently. Azure allows about ten writes a second, and a job needs
 * nine sequential requests. If each takes a third of a second, fewer jobs would not use the whole rate.
 */
const window = 32;

/** The action `resubmitJobs`. `checkpoints`: copies the recovery point's checkpoints to the standby. */
export async function resubmitJobs(context: StepContext, checkpoints = copyCheckpoints): Promise<StepResult> {
  if (!(await recoveryPointOf(context)))
    return { state: 'skipped', detail: 'the run has no recovery point, so there is no job to resubmit' };
  const point = await openPointOfRun(context);
  const entries = await Array.fromAsync(readLedger(context.store, point));
  if (entries.length === 0) {
    return { state: 'skipped', detail: `no job was unfinished at recovery point ${point.ref.id}` };
  }
  const watch = await FenceWatch.open(context);
  const evidence = new ResubmittedJobs(context, entries.length);
  const before = await evidence.writtenBefore();
  const outcomes = new Map([...before].map(([name, record]) => [name, outcomeForReaders(record)]));
  const { queue, producers } = await putInOrder(context, entries);
  queue.remove(before.keys());
  const all = {
    ...(await prepare(context, { point, entries, watch, checkpoints })),
    producers: { ...producers, outcomes },
  };
  const { jobBatch } = context.topology.policies;
  while (queue.size > 0) {
    const batch = queue.next(jobBatch, (entry) => watch.oldState(entry) !== undefined);
    if (batch.length === 0) {
      if (watch.isOver) break;
      await evidence.say();
      await watch.wait();
      continue;
    }
    const records = await resubmitBatch(batch, all, (done) => evidence.say(done));
    for (const record of records) outcomes.set(record.old, outcomeForReaders(record));
    queue.remove(batch.map(({ name }) => name));
    await evidence.add(records, watch.isOver ? 1 : jobBatch);
    if (!watch.isOver) await watch.look();
  }
  await evidence.add([], 1);
  if (queue.size > 0) throw stopHasFailed(queue.size, entries.length, watch, context);
  return evidence.tally.result(entries.length, context.from.region);
}

/** It is not known whether these jobs are still running. */
function stopHasFailed(left: number, of: number, { step }: FenceWatch, { from }: StepContext): UnderstudyError {
  return new UnderstudyError(
    'PreconditionError',
    `${left} of ${of} jobs have no successor: step ${step} failed, and they may run on in ${from.region}`,
    {
      next: 'Fix what that step names, then "understudy retry" the run: what is submitted is not submitted again.',
    },
  );
}

/** The queue of these jobs, and which of them write what others read. */
export async function putInOrder(
  context: Pick<StepContext, 'store' | 'topology'>,
  entries: readonly LedgerEntry[],
): Promise<{ queue: JobQueue; producers: Omit<Producers, 'outcomes'> }> {
  const { jobs } = context.topology;
  const described = await describedJobs(context, entries);
  const of = producersOf(described);
  const queue = new JobQueue({
    entries: byUrgency(entries, jobs),
    rankOf: (entry) => rankOf(entry, jobs.priority),
    producers: of,
  });
  const writes = (job: string) => described.get(job)?.writes ?? [];
  return { queue, producers: { of, writes, circular: queue.circular } };
}

/**
 * Descriptions by name. Jobs of recovery points that an earlier release made are described from their specs. A spec
 * that cannot be read becomes an error of that job later.
 */
async function describedJobs(
  { store }: Pick<StepContext, 'store'>,
  entries: readonly LedgerEntry[],
): Promise<ReadonlyMap<string, ReadsAndWrites>> {
  const described = await mapBounded(entries, window, async (entry): Promise<[string, ReadsAndWrites]> => {
    const { name, description, spec } = entry;
    if (description) return [name, description];
    try {
      return [name, describeJob(await store.open<RawJob>(specFolder, spec))];
    } catch (error) {
      if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
      return [name, { reads: [], writes: [] }];
    }
  });
  return new Map(described);
}

interface Prepare {
  point: OpenRecoveryPoint;
  entries: readonly LedgerEntry[];
  watch: FenceWatch;
  checkpoints: typeof copyCheckpoints;
}

type Prepared = Omit<Resubmission, 'beat' | 'producers'>;

async function prepare(context: StepContext, { point, entries, watch, checkpoints }: Prepare): Promise<Prepared> {
  const { azure, signal } = context;
  const standby = await openStandby(context, point);
  const { workspace, sourceDatastores, datastores } = standby;
  const computes = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/computes`, apiVersions.machineLearning, { signal }),
  );
  const names = (resources: readonly ArmResource[]) => new Set(resources.map(({ name }) => name.toLowerCase()));
  const inPoint = new Set(entries.map(({ name }) => name));
  return {
    context,
    jobs: azureJobs(azure.arm, workspace),
    mapping: { ...standby.mapping, has: { computes: names(computes), datastores: names(datastores) } },
    unrestored: await findUnrestored(context, standby),
    isShared: sharedDatastores(sourceDatastores, datastores),
    isInPoint: (name) => inPoint.has(name),
    oldState: (entry) => watch.oldState(entry) ?? { is: 'asked' },
    bring: checkpoints(context, standby, entries),
  };
}

async function resubmitBatch(
  batch: readonly LedgerEntry[],
  all: Omit<Resubmission, 'beat'>,
  progress: (done: number) => Promise<void>,
): Promise<JobRecord[]> {
  let done = 0;
  await progress(done);
  const beat = everySecond(() => progress(done));
  return mapBounded(batch, window, async (entry) => {
    // A run that has lost its lease must not submit. Work in progress is awaited before the error is rethrown, so that
    // nothing is submitted while the next attempt runs.
    await beat();
    const record = await resubmitJob(entry, { ...all, beat });
    done += 1;
    return record;
  });
}
