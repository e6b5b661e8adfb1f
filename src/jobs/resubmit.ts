/**
 * Resubmits in the standby what was interrupted in the old workspace: from the plan's recovery point alone, by priority, each job at
 * most once however often the step is killed and run again.
 */
import type { ArmResource } from '../azure/azure.ts';
import { mapBounded } from '../run/work/bounded.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';
import type { ReferenceMapping } from '../azure/ids.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { BringCheckpoint } from '../checkpoints/bring-checkpoint.ts';
import { everySecond } from '../run/work/every-second.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { JobRecord } from './job-record.ts';
import { resumeJob, type Resumption } from './resume-job.ts';
import { ResumedJobs } from './resumed-jobs.ts';
import { readStandby, sharedDatastores } from './standby.ts';
import type { ReadLedger } from '../fence/stop-old-jobs.ts';
import { findUnrestored } from './unrestored.ts';
import { byUrgency } from '../ledger/urgency.ts';
import { FenceWatch } from '../fence/watch-fence.ts';

/** What is read of the recovery point: nothing here asks the old region. */
export interface ResubmitSources {
  readLedger: ReadLedger;
  /** How references of the old workspace read in the standby. */
  mapping(context: StepContext): Promise<ReferenceMapping>;
  /** The old workspace's datastores. */
  datastores(context: StepContext): AsyncIterable<ArmResource>;
  /** The assets of the recovery point. */
  assets(context: StepContext): AsyncIterable<AssetLine>;
  /** What of the recovery point has lost blobs in the standby, and why. */
  lost(context: StepContext): Promise<ReadonlyMap<string, string>>;
  /** Brings checkpoints of these jobs to the standby; nothing is read before the first is asked for. */
  checkpoints(context: StepContext, entries: readonly LedgerEntry[]): BringCheckpoint;
}

/**
 * How many jobs of one priority are under way side by side. Azure takes about ten writes a second, and a job waits for nine answers,
 * one after the other: with answers that take a third of a second, fewer jobs would leave some of that unused.
 */
const window = 32;

/** Makes the action `resubmitJobs`. */
export function makeResubmitJobs(sources: ResubmitSources): (context: StepContext) => Promise<StepResult> {
  return async (context) => {
    const { recoveryPoint } = context.plan;
    if (!recoveryPoint)
      return { state: 'skipped', detail: 'the plan has no recovery point, so there is no job to resubmit' };
    const entries = await Array.fromAsync(sources.readLedger(context.store, recoveryPoint));
    if (entries.length === 0) {
      return { state: 'skipped', detail: `no job was unfinished at recovery point ${recoveryPoint.id}` };
    }
    const watch = await FenceWatch.open(context);
    const resumption = await prepare(context, sources, entries, watch);
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
      const records = await resumeBatch(batch, resumption, (done) => evidence.say(done));
      const taken = new Set(batch);
      left = left.filter((entry) => !taken.has(entry));
      await evidence.add(records, watch.isOver ? 1 : context.topology.policies.jobBatch);
      if (!watch.isOver) await watch.look();
    }
    await evidence.add([], 1);
    if (left.length > 0) throw stopHasFailed(left.length, entries.length, watch, context);
    return evidence.tally.result(entries.length, context.from.region);
  };
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
      next: 'Mend what that step names, then "understudy retry" the run: what is submitted is not submitted again.',
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
    if (watch.sightOf(entry)) batch.push(entry);
  }
  return batch;
}

type Prepared = Omit<Resumption, 'beat'>;

async function prepare(
  context: StepContext,
  sources: ResubmitSources,
  entries: readonly LedgerEntry[],
  watch: FenceWatch,
): Promise<Prepared> {
  const { azure, to, signal } = context;
  const [mapping, standby, old] = await Promise.all([
    sources.mapping(context),
    readStandby(azure.arm, to.workspace, signal),
    Array.fromAsync(sources.datastores(context)),
  ]);
  const names = (resources: ArmResource[]) => new Set(resources.map(({ name }) => name.toLowerCase()));
  return {
    context,
    mapping: {
      ...mapping,
      has: { computes: names(standby.computes), datastores: names(standby.datastores) },
    },
    unrestored: await findUnrestored(context, {
      mapping,
      assets: (each) => sources.assets(each),
      lost: (each) => sources.lost(each),
      datastores: old,
    }),
    isShared: sharedDatastores(old, standby.datastores),
    sightOf: (entry) => watch.sightOf(entry) ?? { saw: 'asked' },
    bring: sources.checkpoints(context, entries),
  };
}

async function resumeBatch(
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
    const record = await resumeJob(entry, { ...prepared, beat });
    done += 1;
    return record;
  });
}
