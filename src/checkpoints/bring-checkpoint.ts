/** The interface for copying a job's last checkpoint to the standby, and what its result means. */
import { z } from 'zod';
import { isObject, objectAt, textAt } from '../azure/body/json.ts';
import { type RawJob } from '../workspace/jobs/job.ts';
import type { LedgerCheckpoint, LedgerEntry } from '../ledger/ledger.ts';
import { checkpointFolder, type CheckpointPolicy } from '../workspace/jobs/checkpoint.ts';

/** A checkpoint to copy. */
export interface CheckpointToBring {
  checkpoint: LedgerCheckpoint;
  /** Name of the job that gets the folder. */
  successor: string;
  /** Called while bytes are copied. Throws FencedError once the lease is lost. */
  beat: () => Promise<void>;
}

/** How many of the checkpoint's files are in the folder with the digests of the recovery point. */
export type Brought = { uri: string; files: number } | { missing: string; files: number };

/**
 * Copies every file of a recovery point's checkpoint to `checkpointFolder`, once, and reads the copies. `missing`: why
 * the checkpoint is incomplete there. Idempotent.
 * Errors: AzureUnavailable, AzureError, RecoveryPointError, FencedError.
 */
export type BringCheckpoint = (request: CheckpointToBring) => Promise<Brought>;

/** Counts the files of a checkpoint. */
export const CheckpointFiles = z.strictObject({
  expected: z.int().nonnegative(),
  done: z.int().nonnegative(),
});
export type CheckpointFiles = z.infer<typeof CheckpointFiles>;

/** Counts the files of a checkpoint that was copied. */
export function filesOf({ checkpoint }: LedgerEntry, brought: Brought | undefined): { files?: CheckpointFiles } {
  return checkpoint && brought ? { files: { expected: checkpoint.files, done: brought.files } } : {};
}

/**
 * Returns what an existing successor resumes from: its checkpoint was copied before the job was submitted. `files` are
 * counted if the checkpoint came from this recovery point, and not from that of an earlier run.
 */
export function broughtBefore(
  held: RawJob,
  checkpoint: LedgerCheckpoint,
  { input }: CheckpointPolicy,
): { uri: string; files: number } | undefined {
  const declared = objectAt(held.properties, 'inputs')?.[input];
  const uri = isObject(declared) ? textAt(declared, 'uri') : undefined;
  if (uri === undefined) return undefined;
  const same = uri.includes(`/${checkpointFolder(held.name, checkpoint.recoveryPoint)}`);
  return { uri, files: same ? checkpoint.files : 0 };
}
