/** Opens recovery points and reads their parts. */
import { unfinishedJobs } from '../plan/recovery-point-summary.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import { folderOf, type OpenRecoveryPoint, type PartKind, type PartLines, type SealedManifest } from './manifest.ts';
import { readLines } from './parts.ts';
import { adviceAfter } from './point-advice.ts';
import { readChecked, readParts, readSealed } from './read-seal.ts';
import { digestOfSeal } from './recovery-point-checks.ts';
import { sealedName } from './sealed-manifest.ts';

export { digestOfSeal };

/**
 * Opens a recovery point and checks its seal and the digest of every part. The job specs and replicas that its lines
 * name are checked when they are read.
 * Errors: RecoveryPointError if it is missing, not sealed, cut short or altered. `details.next` then suggests the one
 * before.
 */
export async function openRecoveryPoint(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  return advised(store, id, async () => {
    const open = await readChecked(store, id);
    await readParts(store, open.sealed);
    return open;
  });
}

/** Adds the recovery point before to an error about this one. */
async function advised<T>(store: ControlStore, id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    throw new UnderstudyError('RecoveryPointError', error.message, {
      ...error.details,
      next: await adviceAfter(store, id),
    });
  }
}

/**
 * Opens a recovery point by the reference in a plan. The manifest must have the plan's digest, whose seal was checked
 * when the plan was made. Parts are checked when they are read.
 */
export async function openByRef(store: ControlStore, ref: RecoveryPointRef): Promise<OpenRecoveryPoint> {
  return advised(store, ref.id, async () => {
    const open = await readSealed(store, ref.id);
    if (open.ref.digest === ref.digest) return open;
    throw new UnderstudyError(
      'RecoveryPointError',
      `recovery point "${ref.id}" is not the one that was planned: its sha256 is ${open.ref.digest}, expected ${ref.digest}`,
      { place: sealedName(open.sealed.epoch, ref.id) },
    );
  });
}

/** Reads the lines of one kind. Each part is checked against its digest when it is read. */
export function readPart<K extends PartKind>(
  store: ControlStore,
  sealed: SealedManifest,
  kind: K,
): AsyncIterable<PartLines[K]> {
  return readLines(store, folderOf(sealed.epoch, sealed.id), sealed.parts, kind);
}

/**
 * Reads the job ledger as it was sealed.
 * Errors: RecoveryPointError if it is altered, or, after the last line, if it does not have as many jobs as the plan
 * says.
 */
export async function* readLedgerSnapshot(store: ControlStore, ref: RecoveryPointRef): AsyncIterable<LedgerEntry> {
  yield* readLedger(store, await openByRef(store, ref));
}

/** As `readLedgerSnapshot`, for a recovery point that is already open. */
export async function* readLedger(store: ControlStore, { ref, sealed }: OpenRecoveryPoint): AsyncIterable<LedgerEntry> {
  let read = 0;
  for await (const line of readPart(store, sealed, 'jobs')) {
    read += 1;
    yield line;
  }
  const planned = unfinishedJobs(sealed.summary);
  if (read === planned) return;
  throw new UnderstudyError(
    'RecoveryPointError',
    `the job ledger of recovery point "${ref.id}" has ${read} unfinished jobs, and its summary says ${planned}`,
    { next: await adviceAfter(store, ref.id), place: sealedName(sealed.epoch, ref.id) },
  );
}
