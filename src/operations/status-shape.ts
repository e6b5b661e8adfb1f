/** What the findings of `status` are made from, and how bad they are. */
import type { RecoveryPointList } from '../recovery-point/list-points.ts';
import type { UnderstudyError } from '../errors/error.ts';
import type { StoppedIntake } from '../fence/stop-intake.ts';
import type { Unprotected } from '../fence/departures.ts';
import type { OpenRun } from '../run/lease.ts';
import type { Overtaken } from '../run/overtaken.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import type { Severity, Status } from './documents/status.ts';
import type { Session } from './session.ts';

/** The worst severity; it decides the exit code. */
export function worstOf({ findings }: Pick<Status, 'findings'>): Severity | undefined {
  if (findings.some(({ severity }) => severity === 'critical')) return 'critical';
  return findings.length > 0 ? 'warning' : undefined;
}

/** What the findings of `status` are made from. */
export interface StatusInput {
  status: Omit<Status, 'findings'>;
  points: RecoveryPointList;
  pointer: RegionPointer | undefined;
  /** What shows that there was a pointer. */
  lost: string | undefined;
  open: OpenRun | undefined;
  /** Why the region that is not the writer is no standby; undefined if it is one; `unread`: nobody knows. */
  left: Unprotected | 'unread' | undefined;
  /** Schedules of the writer that a run has stopped, and nothing has enabled again, although no move is open. */
  stopped?: StoppedIntake | undefined;
  /** The move that has overtaken the newest replication, if it failed. */
  overtaken?: Overtaken | undefined;
  /** Errors of documents that could not be read: runs, the run lease. */
  damaged: readonly UnderstudyError[];
  session: Session;
  now: Date;
}
