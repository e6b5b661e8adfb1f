/** What became of one job: an item of the run's evidence. */
import type { CheckpointFiles } from './bring-checkpoint.ts';
import type { JobClass } from './classify.ts';
import type { LostWork } from './lost-work.ts';
import type { Change, Unmapped } from './rewrite-spec.ts';
import type { Difference } from './submit.ts';
import type { PassedOver } from './whole-checkpoint.ts';

export interface JobRecord {
  /** Names of the old job and of its successor. */
  old: string;
  new?: string;
  /** The name that its owner knows, where the old job is itself a successor. */
  submittedAs?: string;
  class: JobClass;
  outcome: 'submitted' | 'skipped' | 'owed' | 'failed';
  reason: string;
  /** By which it is counted. */
  group: string;
  type: string;
  /** As last seen, in the old workspace. */
  status: string;
  owner?: string;
  priority?: string;
  hop?: number;
  /** Where the successor reads its checkpoint. */
  checkpoint?: string;
  /** Files of its checkpoint: in the recovery point, and brought to a folder of their own. */
  files?: CheckpointFiles;
  /** A newer one, which was not whole. */
  passedOver?: PassedOver;
  /** Absent: it was not interrupted, or a person worked in it, and what that was cannot be measured. */
  lost?: LostWork;
  changes?: Change[];
  unmapped?: Unmapped[];
  /** What the standby holds otherwise than it was sent. */
  differences?: Difference[];
}
