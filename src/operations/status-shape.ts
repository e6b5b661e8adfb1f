/** The state of a topology, and what is wrong with it. */
import { type KnownDamage } from '../recovery-point/damage.ts';
import type { Silence } from '../client/silence.ts';
import type { RecoveryPointList } from '../recovery-point/list-points.ts';
import type { UnderstudyError } from '../errors/error.ts';
import type { KeptDebt } from '../fence/old-side.ts';
import type { OpenRun } from '../run/lease.ts';
import type { RunDocument } from '../run/run-document.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import type { Health } from './health.ts';
import type { Registered } from './register.ts';
import type { Session } from './session.ts';
import type { SharedNow } from './sharing.ts';

/** `critical`: a failover now would fail, or something is broken. `warning`: a person should see to it. */
export type Severity = 'warning' | 'critical';

/** One thing that a person should act on. */
export interface Finding {
  severity: Severity;
  /** The word that `status` shows for it, if it has one of its own. */
  kind?: 'owed' | 'damaged' | 'failed';
  /** Id of the run that it is about. It says everything that the list of runs would. */
  run?: string;
  what: string;
  next?: string;
}

/** What `status` reads, and its findings. */
export interface Status {
  topology: string;
  /** Absent if the region pointer is lost: the writer is then unknown. */
  writer?: string;
  epoch?: number;
  /** unit → region → weight; absent until a run has begun. */
  serving?: RegionPointer['serving'];
  regions: Health[];
  recoveryPoint?: RecoveryPointList['sealed'][number];
  unsealed: number;
  /** What both workspaces use. */
  sharing: SharedNow;
  /** What scrubbing has found damaged; absent if its ledger cannot be read. */
  damage?: KnownDamage;
  /** Runs that run, wait or have failed, by the journal; and whether this Temporal executes them. */
  runs: (RunDocument & { executed?: boolean; silent?: Silence })[];
  /** Of those that are over. */
  newestReplicate?: RunDocument;
  /** The newest run of another operation that has ended. */
  newestMove?: RunDocument;
  owed: KeptDebt[];
  /** Absent if Temporal does not answer. */
  workers?: { queue: string; host?: string; polling: number }[];
  registered?: Registered;
  /** The file differs from what is registered; absent if its templates cannot be read. */
  differsFromRegistered?: boolean;
  findings: Finding[];
}

/** The worst severity; it decides the exit code. */
export function worstOf({ findings }: Pick<Status, 'findings'>): Severity | undefined {
  if (findings.some(({ severity }) => severity === 'critical')) return 'critical';
  return findings.length > 0 ? 'warning' : undefined;
}

/** What the findings of `status` are made from. */
export interface Found {
  status: Omit<Status, 'findings'>;
  points: RecoveryPointList;
  pointer: RegionPointer | undefined;
  /** What shows that there was a pointer. */
  lost: string | undefined;
  open: OpenRun | undefined;
  /** Errors of documents that could not be read: runs, the run lease. */
  damaged: readonly UnderstudyError[];
  session: Session;
  now: Date;
}
