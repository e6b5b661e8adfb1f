/** How a topology stands, and what of it is not as it should be. */
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

export interface Finding {
  severity: Severity;
  /** What it is about, where that has a word of its own. */
  kind?: 'owed' | 'damaged' | 'failed';
  /** Id of the run that it is about, and says all of that the list of runs would. */
  run?: string;
  what: string;
  next?: string;
}

export interface Status {
  topology: string;
  /** Absent where the region pointer is lost: nobody can say. */
  writer?: string;
  epoch?: number;
  /** unit → region → weight; absent until a run has begun. */
  serving?: RegionPointer['serving'];
  regions: Health[];
  recoveryPoint?: RecoveryPointList['sealed'][number];
  unsealed: number;
  /** What both workspaces use. */
  sharing: SharedNow;
  /** What scrubbing has found damaged; absent where its ledger cannot be read. */
  damage?: KnownDamage;
  /** What runs, waits or has failed, as the journal has it; and whether this Temporal executes it. */
  runs: (RunDocument & { executed?: boolean; silent?: Silence })[];
  /** Of those that are over. */
  newestReplicate?: RunDocument;
  /** The newest run of another operation that has ended. */
  newestMove?: RunDocument;
  owed: KeptDebt[];
  /** Absent where Temporal does not answer. */
  workers?: { queue: string; host?: string; polling: number }[];
  registered?: Registered;
  /** The file is other than what is registered; absent where its templates cannot be read. */
  differsFromRegistered?: boolean;
  findings: Finding[];
}

/** The worst severity decides; documented with the exit codes. */
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
  /** Of documents that could not be read: runs, the run lease. */
  damaged: readonly UnderstudyError[];
  session: Session;
  now: Date;
}
