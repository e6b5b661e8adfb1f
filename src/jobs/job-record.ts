/** What happened to one job: an item of the run's evidence. */
import { z } from 'zod';
import { UnderstudyError } from '../errors/error.ts';
import { CheckpointFiles } from '../checkpoints/bring-checkpoint.ts';
import { interactiveGroup, JobClass } from './classify.ts';
import { LostWork, lostWorkOf, type WorkedUntil } from './lost-work.ts';
import { Change, Unmapped } from './spec/rewrite-spec.ts';
import { Difference } from '../azure/body/compare.ts';
import { submittedAs, type LedgerEntry } from '../ledger/ledger.ts';
import { PassedOver } from '../ledger/whole-checkpoint.ts';

/** What happened to one job. */
export const JobRecord = z.strictObject({
  /** Names of the old job and of its successor. */
  old: z.string(),
  new: z.string().optional(),
  /** The name that its owner knows, if the old job is itself a successor. */
  submittedAs: z.string().optional(),
  class: JobClass,
  outcome: z.enum(['submitted', 'skipped', 'owed', 'failed']),
  reason: z.string(),
  /** The reason without names. Jobs are counted by it. */
  group: z.string(),
  type: z.string(),
  /** Status in the old workspace, as last seen. */
  status: z.string(),
  owner: z.string().optional(),
  priority: z.string().optional(),
  hop: z.int().nonnegative().optional(),
  /** Where the successor reads its checkpoint. */
  checkpoint: z.string().optional(),
  /** How many files its checkpoint has in the recovery point, and how many were copied to a folder of their own. */
  files: CheckpointFiles.optional(),
  /** A newer checkpoint that was incomplete. */
  passedOver: PassedOver.optional(),
  /** Absent if the job was not interrupted, or if a person worked in it: that work cannot be measured. */
  lost: LostWork.optional(),
  changes: z.array(Change).optional(),
  unmapped: z.array(Unmapped).optional(),
  /** What a person should know about its spec. The job was submitted anyway. */
  warnings: z.array(Unmapped).optional(),
  /** Fields that the standby stored differently from what was sent. */
  differences: z.array(Difference).optional(),
});
export type JobRecord = z.infer<typeof JobRecord>;

/** Returns what a record says about the job itself. */
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
 * Parses the records that an earlier attempt wrote. They are kept unchanged, so that writing them again gives the same
 * digest. `place`: their name in the control store.
 * Errors: ControlStoreError if they were altered.
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

/** Adds the lost work to a record. `until`: when the job worked no more. */
export function withLostWork(record: JobRecord, entry: LedgerEntry, until: WorkedUntil): JobRecord {
  // The work of a person in a job cannot be measured.
  if (record.class === 'skip' || record.group === interactiveGroup) return record;
  const { passedOver } = entry;
  const lost = lostWorkOf(entry, goesOn(record), until);
  return { ...record, ...(passedOver ? { passedOver } : {}), lost };
}

/** Whether its successor reads its checkpoint, or a complete copy of it is there for a person. */
function goesOn({ class: jobClass, checkpoint, files }: JobRecord): boolean {
  if (jobClass === 'restart') return false;
  return checkpoint !== undefined || (files !== undefined && files.done === files.expected);
}
