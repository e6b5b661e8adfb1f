/**
 * Finds the jobs of the writer's own workspace that an outage has interrupted: unfinished at a recovery point, and ended
 * since without having completed.
 */
import type { Azure } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { jobsLeftCancelled, leftCancelledBy } from '../fence/left-cancelled.ts';
import { lastSuccessor, lineageOf, type Successor } from '../ledger/ledger.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { readLedger } from '../recovery-point/recovery-point.ts';
import { mapBounded } from '../run/work/bounded.ts';
import type { Side } from '../topology/sides.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { isFinished, ownerOf, parentOf, statusOf, type RawJob } from '../workspace/jobs/job.ts';

/** Where to look. */
export interface FindInterrupted {
  azure: Azure;
  store: ControlStore;
  side: Side;
  /** The newest of the side's region; absent: there is none, and only named jobs are found. */
  point: OpenRecoveryPoint | undefined;
  /** Jobs that a person names, whatever the recovery point has of them. */
  names: readonly string[];
  signal?: AbortSignal;
}

/** A job that was interrupted. */
export interface FoundInterrupted {
  raw: RawJob;
  name: string;
  owner?: string;
  /** Its status when it was last seen unfinished, and the one that it ended in. */
  status: string;
  endedAs: string;
  lastSeenAt: string;
}

/** How many jobs are read concurrently. */
const window = 16;

/**
 * Errors: UsageError if a named job does not exist, runs, completed or goes on already; AzureUnavailable, ControlStoreError,
 * RecoveryPointError.
 */
export async function findInterrupted(where: FindInterrupted): Promise<FoundInterrupted[]> {
  const { azure, store, side, point, names, signal } = where;
  const jobs = azureJobs(azure.arm, side.workspace);
  const find = async (name: string) => (await jobs.find(name, signal ? { signal } : {}))?.raw;
  const successorOf = (raw: RawJob) => lastSuccessor(store, lineageOf(raw, side));
  if (names.length > 0) {
    return mapBounded([...new Set(names)], window, async (name) => {
      const raw = await find(name);
      return named(name, raw, raw && (await successorOf(raw)));
    });
  }
  if (!point) return [];
  const entries = (await Array.fromAsync(readLedger(store, point))).filter(({ region }) => region === side.region);
  const leftCancelled = await jobsLeftCancelled(store, side.region);
  const found = await mapBounded(entries, window, async ({ name, status, lastSeenAt }) => {
    const raw = await find(name);
    if (!raw || parentOf(raw) !== undefined || !isInterrupted(raw, leftCancelled)) return undefined;
    // One whose successor has been submitted already goes on there, or its end is that successor's.
    if (await successorOf(raw)) return undefined;
    return foundOf(raw, { status, lastSeenAt });
  });
  return found.filter((each) => each !== undefined);
}

/** A person ends a job as Canceled; an outage fails it. */
function isInterrupted(raw: RawJob, leftCancelled: Readonly<Record<string, string>>): boolean {
  return statusOf(raw) === 'Failed' || leftCancelledBy(raw, leftCancelled) !== undefined;
}

function named(name: string, raw: RawJob | undefined, successor: Successor | undefined): FoundInterrupted {
  const found = () => {
    if (!raw) return 'no job of this name';
    if (successor) return `one that goes on already as ${successor.name} in ${successor.region}`;
    return `one that is ${statusOf(raw)}`;
  };
  const status = raw && statusOf(raw);
  if (raw && !successor && status !== undefined && isFinished(status) && status !== 'Completed')
    return foundOf(raw, { status: 'Running', lastSeenAt: new Date().toISOString() });
  throw new UnderstudyError(
    'UsageError',
    `job "${name}": expected one that has ended without completing, got ${found()}`,
  );
}

function foundOf(raw: RawJob, before: Pick<FoundInterrupted, 'status' | 'lastSeenAt'>): FoundInterrupted {
  const owner = ownerOf(raw);
  return { raw, name: raw.name, ...(owner === undefined ? {} : { owner }), endedAs: statusOf(raw), ...before };
}
