/** Reads and checks what is sealed: the seal of one recovery point, and its parts. */
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import { epochOf, folderOf, type OpenRecoveryPoint, type SealedManifest } from './manifest.ts';
import { partText } from './parts.ts';
import { checkSeal, digestOfSeal } from './recovery-point-checks.ts';
import { readManifest, sealedName } from './sealed-manifest.ts';

/** As `openRecoveryPoint`, but does not read the parts. */
export async function readChecked(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  return (await findChecked(store, id)) ?? neverSealed(id);
}

async function findChecked(store: ControlStore, id: string): Promise<OpenRecoveryPoint | undefined> {
  const open = await findSealed(store, id);
  if (open) checkSeal(open.sealed, sealedName(epochOf(id) ?? open.sealed.epoch, id));
  return open;
}

function neverSealed(id: string): never {
  const message = `there is no recovery point "${id}", or it was never sealed`;
  throw new UnderstudyError('RecoveryPointError', message, { place: sealedName(epochOf(id) ?? 0, id) });
}

/**
 * Reads and checks the seal of a recovery point.
 * Errors: RecoveryPointError if it is missing, never sealed, or altered.
 */
export async function readSealed(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  return (await findSealed(store, id)) ?? neverSealed(id);
}

/** Undefined if it does not exist, or was never sealed. */
async function findSealed(store: ControlStore, id: string): Promise<OpenRecoveryPoint | undefined> {
  const epoch = epochOf(id);
  if (epoch === undefined) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `"${id}" is no id of a recovery point: expected one such as "2026-11-21T10-00-00.000Z-e1"`,
    );
  }
  const place = sealedName(epoch, id);
  const sealed = await readManifest(store, place);
  if (!sealed) return undefined;
  if (sealed.id !== id) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `recovery point "${place}": expected id "${id}", got "${sealed.id}"`,
      { place },
    );
  }
  return { ref: { id, digest: digestOfSeal(sealed), startedAt: sealed.startedAt }, sealed };
}

/** As `readSealed`, but returns undefined if it was never sealed. */
export async function tryPoint(
  store: ControlStore,
  id: string,
): Promise<OpenRecoveryPoint | { id: string; reason: string } | undefined> {
  try {
    return await findChecked(store, id);
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    return { id, reason: messageOf(error) };
  }
}

/** How many parts are in memory at once. A part may have a few megabytes. */
const partsAtOnce = 8;

/**
 * Reads and checks all parts.
 * Errors: RecoveryPointError for the first part that is missing or altered.
 */
export async function readParts(store: ControlStore, { epoch, id, parts }: SealedManifest): Promise<void> {
  await forEachBounded(parts, partsAtOnce, async (part) => {
    await partText(store, folderOf(epoch, id), part);
  });
}

/** Returns what the plan compiler needs to know. */
export function summarise({ ref, sealed }: OpenRecoveryPoint): RecoveryPointSummary {
  return { ref, ...sealed.summary };
}
