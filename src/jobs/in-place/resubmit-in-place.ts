/**
 * Resubmits jobs in the workspace in which they ran: after an outage that ended by itself, or where a switchover that
 * had drained them was given up. As with a move, each job has at most one successor, which goes on from the last
 * checkpoint.
 */
import { LiveCheckpoints } from '../../checkpoints/live-checkpoints.ts';
import type { OldJobState } from '../../fence/stopped-jobs.ts';
import type { ReferenceMapping } from '../../azure/ids.ts';
import { specFolder, toLedgerEntry, type LedgerEntry } from '../../ledger/ledger.ts';
import { mapBounded } from '../../run/work/bounded.ts';
import { everySecond } from '../../run/work/every-second.ts';
import type { StepContext } from '../../run/work/step-context.ts';
import type { Side } from '../../topology/sides.ts';
import { azureJobs } from '../../workspace/jobs/azure-jobs.ts';
import { withStatus, type RawJob } from '../../workspace/jobs/job.ts';
import { outcomeForReaders } from '../follow-outputs.ts';
import type { JobRecord } from '../job-record.ts';
import { resubmitJob, type Resubmission } from '../resubmit-job.ts';
import { putInOrder } from '../resubmit-jobs.ts';

/** A job that has ended without having completed. */
export interface InterruptedJob {
  raw: RawJob;
  /** Its status before it was interrupted, and when it last had it (ISO 8601). */
  status: string;
  lastSeenAt: string;
  /** The run whose fence cancelled it, if that run was itself cancelled before the job was last seen. */
  cancelledBy?: string;
  /** How it ended. */
  old: OldJobState;
}

/** How many jobs are read, or resubmitted, concurrently. */
const window = 16;

/**
 * Resubmits the jobs where they ran, and returns what became of each. Idempotent: a job that has a successor already
 * gets no other. `versions`: of assets that have become another version since. Errors: AzureUnavailable, FencedError,
 * CredentialError; PreconditionError if the workspace does not exist.
 */
export async function resubmitInPlace(
  context: StepContext,
  side: Side,
  jobs: readonly InterruptedJob[],
  versions?: ReferenceMapping['versions'],
): Promise<JobRecord[]> {
  if (jobs.length === 0) return [];
  const within: StepContext = { ...context, from: side, to: side };
  const checkpoints = await LiveCheckpoints.open(within, side);
  const entries = await mapBounded(jobs, window, (job) => entryOf(within, job, checkpoints));
  const states = new Map(jobs.map(({ raw, old }) => [raw.name, old]));
  const { queue, producers } = await putInOrder(within, entries);
  const records: JobRecord[] = [];
  const outcomes = new Map<string, ReturnType<typeof outcomeForReaders>>();
  const place = { ...side.workspace, location: side.region };
  const all: Resubmission = {
    context: within,
    jobs: azureJobs(context.azure.arm, side.workspace),
    mapping: { from: place, to: place, compute: {}, storage: [], ...(versions ? { versions } : {}) },
    unrestored: new Map(),
    // The job itself has ended: nothing else writes to the paths that its owner chose.
    isShared: () => false,
    oldState: ({ name }) => states.get(name) ?? { is: 'unseen' },
    inLedger: new Set(states.keys()),
    producers: { ...producers, outcomes },
    bring: checkpoints.bring,
    beat: everySecond(() => context.checkpoint({ unit: 'jobs', done: records.length, total: jobs.length })),
  };
  while (queue.size > 0) {
    const batch = queue.next(window, () => true);
    const done = await mapBounded(batch, window, (entry) => resubmitJob(entry, all));
    for (const record of done) outcomes.set(record.old, outcomeForReaders(record));
    records.push(...done);
    queue.remove(batch.map(({ name }) => name));
  }
  return records;
}

async function entryOf(
  { store, from }: StepContext,
  { raw, status, lastSeenAt, cancelledBy }: InterruptedJob,
  checkpoints: LiveCheckpoints,
): Promise<LedgerEntry> {
  const job = withStatus(raw, status);
  const made = { job, side: from, lastSeenAt, cancelledBy, spec: await store.seal(specFolder, job) };
  return toLedgerEntry({ ...made, ...(await checkpoints.last(raw)) });
}
