/** Recovery points in the control store: which there are, opening one, and reading its parts. */
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import {
  epochOf,
  folderOf,
  type OpenRecoveryPoint,
  type PartKind,
  type PartLines,
  type SealedManifest,
} from './manifest.ts';
import { partText, readLines } from './parts.ts';
import { checkSeal, digestOf, unfinishedJobs } from './recovery-point-checks.ts';
import { readManifest, sealedName } from './sealed-manifest.ts';

export { digestOf };

export interface RecoveryPointList {
  /** Newest first: by epoch, then by start. A late seal of an older epoch never comes before a newer epoch's. */
  sealed: RecoveryPointSummary[];
  /** Sealed, but not readable as such: altered or cut short. */
  damaged: { id: string; reason: string }[];
  /** Begun and never sealed. */
  unsealed: string[];
}

export interface ListOptions {
  /** At most so many sealed ones are read. */
  limit?: number;
  /** Only those of this region. */
  region?: string;
}

/** AzureUnavailable when the control store does not answer. */
export async function listRecoveryPoints(
  store: ControlStore,
  options: ListOptions = {},
): Promise<RecoveryPointList> {
  const { sealed, unsealed } = await recoveryPointIds(store);
  const list: RecoveryPointList = { sealed: [], damaged: [], unsealed };
  for (const id of sealed) {
    if (options.limit !== undefined && list.sealed.length >= options.limit) break;
    try {
      const open = await readChecked(store, id);
      if (options.region !== undefined && open.sealed.region !== options.region) continue;
      list.sealed.push(summarise(open));
    } catch (error) {
      if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
      list.damaged.push({ id, reason: messageOf(error) });
    }
  }
  return list;
}

/** Ids of those that were sealed, newest first. */
export async function sealedIds(store: ControlStore): Promise<string[]> {
  return (await recoveryPointIds(store)).sealed;
}

/** Ids, newest first. */
async function recoveryPointIds(store: ControlStore): Promise<{ sealed: string[]; unsealed: string[] }> {
  const sealed = new Map<string, boolean>();
  for await (const name of store.list('epochs/')) {
    const [, , kind, id, file] = name.split('/');
    if (kind !== 'recovery-points' || id === undefined || epochOf(id) === undefined) continue;
    sealed.set(id, (sealed.get(id) ?? false) || file === 'sealed.json');
  }
  const newestFirst = [...sealed.keys()].toSorted(
    (a, b) => (epochOf(b) ?? 0) - (epochOf(a) ?? 0) || (a < b ? 1 : -1),
  );
  return {
    sealed: newestFirst.filter((id) => sealed.get(id)),
    unsealed: newestFirst.filter((id) => !sealed.get(id)),
  };
}

/** A part may have a few megabytes, and this many are in memory. */
const partsAtOnce = 8;

/**
 * Opens a recovery point and checks its seal, and the digest of every part of it. The job specs and the replicas that its lines name are
 * checked as they are read.
 * Errors: RecoveryPointError if it is not there, not sealed, cut short or altered; `details.next` then names the one before.
 */
export async function openRecoveryPoint(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  return advised(store, id, async () => {
    const open = await readChecked(store, id);
    const folder = folderOf(open.sealed.epoch, id);
    await forEachBounded(open.sealed.parts, partsAtOnce, async (part) => {
      await partText(store, folder, part);
    });
    return open;
  });
}

/** What is wrong with a recovery point is said with the one before it. */
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
 * By the reference a plan holds: the manifest must have the plan's digest, which is that of a seal that was checked when it was planned. Parts
 * are checked as they are read.
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

/** As `openRecoveryPoint`, with its parts unread. */
export async function readChecked(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  const open = await readSealed(store, id);
  checkSeal(open.sealed, sealedName(epochOf(id) ?? open.sealed.epoch, id));
  return open;
}

async function readSealed(store: ControlStore, id: string): Promise<OpenRecoveryPoint> {
  const epoch = epochOf(id);
  if (epoch === undefined) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `"${id}" is no id of a recovery point: expected one such as "2026-11-21T10-00-00.000Z-e1"`,
    );
  }
  const place = sealedName(epoch, id);
  const sealed = await readManifest(store, place);
  if (!sealed) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `there is no recovery point "${id}", or it was never sealed`,
      { place },
    );
  }
  if (sealed.id !== id) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `recovery point "${place}": expected id "${id}", got "${sealed.id}"`,
      { place },
    );
  }
  return { ref: { id, digest: digestOf(sealed), startedAt: sealed.startedAt }, sealed };
}

/** How many recovery points are offered to who names one that is not there. */
const offered = 3;

async function adviceAfter(store: ControlStore, id: string): Promise<string> {
  const { sealed } = await recoveryPointIds(store);
  if (sealed.length === 0) return 'There is none: take one with "understudy replicate".';
  const at = sealed.indexOf(id);
  if (at < 0) {
    const newest = sealed.slice(0, offered).map((each) => `"${each}"`);
    return `Name one that is there, or none for the newest; of ${sealed.length}, newest first: ${newest.join(', ')}${sealed.length > offered ? ', …' : ''}.`;
  }
  const region = await regionOf(store, id);
  for (const before of sealed.slice(at + 1)) {
    const of = await regionOf(store, before);
    if (of !== undefined && (region === undefined || of === region))
      return `Use the one before it: --recovery-point ${before}`;
  }
  return 'There is no recovery point before it: take one with "understudy replicate".';
}

/** Undefined where its seal cannot be read. */
async function regionOf(store: ControlStore, id: string): Promise<string | undefined> {
  try {
    return (await readChecked(store, id)).sealed.region;
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    return undefined;
  }
}

/** What the plan compiler needs to know. */
export function summarise({ ref, sealed }: OpenRecoveryPoint): RecoveryPointSummary {
  return { ref, ...sealed.summary };
}

/** The lines of one kind, each part checked against its digest as it is read. */
export function readPart<K extends PartKind>(
  store: ControlStore,
  sealed: SealedManifest,
  kind: K,
): AsyncIterable<PartLines[K]> {
  return readLines(store, folderOf(sealed.epoch, sealed.id), sealed.parts, kind);
}

/**
 * The job ledger as it was sealed.
 * Errors: RecoveryPointError if it is altered, or, after its last line, if it has not as many jobs as the plan was told.
 */
export async function* readLedgerSnapshot(
  store: ControlStore,
  ref: RecoveryPointRef,
): AsyncIterable<LedgerEntry> {
  yield* readLedger(store, await openByRef(store, ref));
}

/** As `readLedgerSnapshot`, of a recovery point that is open. */
export async function* readLedger(
  store: ControlStore,
  { ref, sealed }: OpenRecoveryPoint,
): AsyncIterable<LedgerEntry> {
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
