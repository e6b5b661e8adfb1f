/**
 * Finds the jobs of the writer's own workspace that an outage has interrupted: unfinished at a recovery point, and
 * ended since without having completed.
 */
import type { Azure } from '../../azure/azure.ts';
import type { ControlStore } from '../../control-store/store.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { jobsLeftCancelled, leftCancelledBy } from '../../fence/left-cancelled.ts';
import { lastSuccessor, lineageOf, toLedgerEntry, type LedgerEntry, type Successor } from '../../ledger/ledger.ts';
import type { OpenRecoveryPoint } from '../../recovery-point/manifest.ts';
import { readLedger } from '../../recovery-point/recovery-point.ts';
import { mapBounded } from '../../run/work/bounded.ts';
import type { Side } from '../../topology/sides.ts';
import type { Topology } from '../../topology/topology.ts';
import { azureJobs } from '../../workspace/jobs/azure-jobs.ts';
import { isFinished, ownerOf, parentOf, statusOf, withStatus, type RawJob } from '../../workspace/jobs/job.ts';
import { whyNot, type Classification } from '../classify.ts';

/** Where to look. */
export interface FindInterrupted {
  azure: Azure;
  store: ControlStore;
  side: Side;
  /** The newest of the side's region; absent: there is none, and only named jobs are found. */
  point: OpenRecoveryPoint | undefined;
  /** Jobs that a person names, whatever the recovery point has of them. */
  names: readonly string[];
  policy: Topology['jobs'];
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
  /** Absent: nobody has seen it unfinished. */
  lastSeenAt?: string;
  /** The run whose fence cancelled it, if that run was itself cancelled before the job was last seen. */
  cancelledBy?: string;
  /** Why it does not go on by itself. Whether its checkpoint can be found is not known yet. */
  left?: Classification;
}

/** How many jobs are read concurrently. */
const window = 16;

/**
 * Errors: UsageError if a named job does not exist, runs, completed or goes on already; AzureUnavailable,
 * ControlStoreError, RecoveryPointError.
 */
export async function findInterrupted(where: FindInterrupted): Promise<FoundInterrupted[]> {
  const { azure, store, side, point, names, policy, signal } = where;
  const jobs = azureJobs(azure.arm, side.workspace);
  const find = async (name: string) => (await jobs.find(name, signal ? { signal } : {}))?.raw;
  const successorOf = (raw: RawJob) => lastSuccessor(store, lineageOf(raw, side));
  const ledger = point ? await Array.fromAsync(readLedger(store, point)) : [];
  const entries = ledger.filter(({ region }) => region === side.region);
  const classified = (found: FoundInterrupted) => ({ ...found, ...leftOf(found, side, policy) });
  if (names.length > 0) {
    const known = new Map(entries.map((entry) => [entry.name, entry]));
    return mapBounded([...new Set(names)], window, async (name) => {
      const raw = await find(name);
      return classified(named({ name, raw, before: known.get(name), successor: raw && (await successorOf(raw)) }));
    });
  }
  if (entries.length === 0) return [];
  const leftCancelled = await jobsLeftCancelled(store, side.region);
  const found = await mapBounded(entries, window, async ({ name, status, lastSeenAt, cancelledBy }) => {
    const raw = await find(name);
    if (!raw || parentOf(raw) !== undefined || !isInterrupted(raw, leftCancelled)) return undefined;
    // One whose successor has been submitted already goes on there, or its end is that successor's.
    if (await successorOf(raw)) return undefined;
    return classified(foundOf(raw, { status, lastSeenAt, ...(cancelledBy === undefined ? {} : { cancelledBy }) }));
  });
  return found.filter((each) => each !== undefined);
}

/** A person ends a job as Canceled; an outage fails it. */
function isInterrupted(raw: RawJob, leftCancelled: Readonly<Record<string, string>>): boolean {
  return statusOf(raw) === 'Failed' || leftCancelledBy(raw, leftCancelled) !== undefined;
}

interface Named {
  name: string;
  raw: RawJob | undefined;
  /** As the recovery point has it. */
  before: LedgerEntry | undefined;
  successor: Successor | undefined;
}

function named({ name, raw, before, successor }: Named): FoundInterrupted {
  const found = () => {
    if (!raw) return 'no job of this name';
    if (successor) return `one that goes on already as ${successor.name} in ${successor.region}`;
    return `one that is ${statusOf(raw)}`;
  };
  const status = raw && statusOf(raw);
  if (raw && !successor && status !== undefined && isFinished(status) && status !== 'Completed')
    return foundOf(raw, stateBefore(before));
  throw new UnderstudyError(
    'UsageError',
    `job "${name}": expected one that has ended without completing, got ${found()}`,
  );
}

/** The person who names a job says that it shall go on, even if somebody has cancelled it. */
function stateBefore(entry: LedgerEntry | undefined): Before {
  if (!entry) return { status: 'Running' };
  const { status, lastSeenAt } = entry;
  if (isFinished(status)) return { status: 'Running' };
  return { status: status === 'CancelRequested' ? 'Running' : status, lastSeenAt };
}

type Before = Pick<FoundInterrupted, 'status' | 'lastSeenAt' | 'cancelledBy'>;

function foundOf(raw: RawJob, before: Before): FoundInterrupted {
  const owner = ownerOf(raw);
  return { raw, name: raw.name, ...(owner === undefined ? {} : { owner }), endedAs: statusOf(raw), ...before };
}

function leftOf(
  { raw, status, endedAs, lastSeenAt, cancelledBy }: FoundInterrupted,
  side: Side,
  policy: Topology['jobs'],
): Pick<FoundInterrupted, 'left'> {
  const seenAt = new Date().toISOString();
  const spec = withStatus(raw, status);
  const entry = toLedgerEntry({ job: spec, side, lastSeenAt: lastSeenAt ?? seenAt, spec: '', cancelledBy });
  const left = whyNot({ entry, spec, policy, goneSince: seenAt, old: { is: 'interrupted', endedAs, seenAt } });
  return !left || left.class === 'restart' || left.class === 'resubmit' ? {} : { left };
}
