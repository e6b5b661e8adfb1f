/** What became of one job: an item of the run's evidence. */
import { z } from 'zod';
import { UnderstudyError } from '../errors/error.ts';
import { CheckpointFiles } from '../checkpoints/bring-checkpoint.ts';
import { JobClass } from './classify.ts';
import { LostWork } from './lost-work.ts';
import { Change, Unmapped } from './spec/rewrite-spec.ts';
import { Difference } from '../azure/body/compare.ts';
import { submittedAs, type LedgerEntry } from '../ledger/ledger.ts';
import { PassedOver } from '../ledger/whole-checkpoint.ts';

export const JobRecord = z.strictObject({
  /** Names of the old job and of its successor. */
  old: z.string(),
  new: z.string().optional(),
  /** The name that its owner knows, where the old job is itself a successor. */
  submittedAs: z.string().optional(),
  class: JobClass,
  outcome: z.enum(['submitted', 'skipped', 'owed', 'failed']),
  reason: z.string(),
  /** By which it is counted. */
  group: z.string(),
  type: z.string(),
  /** As last seen, in the old workspace. */
  status: z.string(),
  owner: z.string().optional(),
  priority: z.string().optional(),
  hop: z.int().nonnegative().optional(),
  /** Where the successor reads its checkpoint. */
  checkpoint: z.string().optional(),
  /** Files of its checkpoint: in the recovery point, and brought to a folder of their own. */
  files: CheckpointFiles.optional(),
  /** A newer one, which was not whole. */
  passedOver: PassedOver.optional(),
  /** Absent: it was not interrupted, or a person worked in it, and what that was cannot be measured. */
  lost: LostWork.optional(),
  changes: z.array(Change).optional(),
  unmapped: z.array(Unmapped).optional(),
  /** What a person should know of its spec, which was submitted all the same. */
  warnings: z.array(Unmapped).optional(),
  /** What the standby holds otherwise than it was sent. */
  differences: z.array(Difference).optional(),
});
export type JobRecord = z.infer<typeof JobRecord>;

/** What a record says of the job itself. */
export function aboutJob(
  entry: LedgerEntry,
): Pick<JobRecord, 'old' | 'submittedAs' | 'type' | 'status' | 'owner' | 'priority'> {
  const { name, type, status, owner, priority } = entry;
  return {
    old: name,
    ...submittedAs(entry),
    type,
    status,
    ...(owner === undefined ? {} : { owner }),
    ...(priority === undefined ? {} : { priority }),
  };
}

/**
 * What an earlier attempt has written, as it is: written once more, it has the same digest. ControlStoreError where it was altered.
 * `place`: its name in the control store.
 */
export function parseJobRecords(value: unknown, place: string): JobRecord[] {
  const parsed = z.array(JobRecord).safeParse(value);
  if (parsed.success) return value as JobRecord[];
  const issue = parsed.error.issues[0];
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new UnderstudyError(
    'ControlStoreError',
    `list of resubmitted jobs "${place}": ${where}${issue?.message ?? 'not as expected'}`,
    {
      place,
      next: 'It was altered since: put it back from a backup of the control store, or see "Damaged documents" in docs/operations.md.',
    },
  );
}
