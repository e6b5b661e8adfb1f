/**
 * Copies one unit consistently: lists its blobs, copies them at the listed etags, and lists them again. If the two
 * listings differ, it starts again, up to `attempts` times. What still changes is sealed as fuzzy. Lists are spooled,
 * because a unit may have more blobs than fit in memory.
 */
import type { BlobAccount } from '../azure/azure.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import type { ListedBlob } from '../azure/storage/blobs.ts';
import type { Suspects } from '../recovery-point/damage.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import { repairReplica } from './repair-replica.ts';
import type { BlobLine, FuzzyLine, Unit } from '../recovery-point/manifest.ts';
import type { PreviousUnit } from './previous.ts';
import { listReplicas, makeReplica, replicaFolder, replicaName, type PresentReplica } from './replica.ts';
import { cursor, spools, type Spool } from '../run/work/spool.ts';
import {
  compareListings,
  emptyPlaces,
  keyIn,
  listUnit,
  sealChanging,
  type StableBlob,
  type UnitListing,
  type UnitWork,
} from './unit-listing.ts';
import { indexUnit } from '../recovery-point/units.ts';

/** One unit to copy. */
export interface CopyUnit {
  unit: Unit;
  epoch: number;
  source: BlobAccount;
  standby: BlobAccount;
  /** What the previous recovery point has of the unit. */
  previous: PreviousUnit;
  /** Replicas that must be read before they are reused. */
  suspects: Suspects;
  attempts: number;
  /** Shared with the other units that are copied at the same time. */
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  signal: AbortSignal;
}

/** The result of copying a unit. */
export interface CopiedUnit {
  /** In `orderKey` order. */
  blobs: Spool<StableBlob>;
  /** In `orderKey` order, including late blobs. */
  fuzzy: Spool<FuzzyLine>;
  /** Number of blobs listed. Each of them has a line, is fuzzy, or was late. */
  expected: number;
  /** Blobs added to a growing folder after it was listed. Left to the next recovery point. */
  late: number;
  /** Places without any blob where one was expected. */
  empty: string[];
}

interface Work extends CopyUnit, UnitWork {
  /** Replicas that exist already. */
  present: Spool<PresentReplica>;
}

/** More than any limiter runs at once, but a unit of a million blobs must not become a million promises. */
const sideBySide = 256;

/** Copies a unit. The caller discards the lists in the result. */
export async function copyUnit(request: CopyUnit): Promise<CopiedUnit> {
  const lists = spools();
  const present = lists.make<PresentReplica>(keyIn(request.unit));
  const work: Work = { ...request, lists, present, index: indexUnit(request.unit) };
  let copied: CopiedUnit | undefined;
  try {
    await findReplicas(work);
    copied = await copyUntilSteady(work);
    return copied;
  } finally {
    await lists.discard(copied ? [copied.blobs, copied.fuzzy] : []);
  }
}

async function copyUntilSteady(work: Work): Promise<CopiedUnit> {
  const { lists, unit, attempts } = work;
  let before = await listUnit(work);
  let earlier = lists.make<StableBlob>(({ line }) => keyIn(unit)(line));
  for (let attempt = 1; ; attempt++) {
    const { confirmed, isWhole } = await confirmAll(work, before, earlier);
    const after = await listUnit(work);
    // Blobs are copied at the listed etags. One that changed before it was copied has no line, and the second listing
    // shows why.
    const fuzzy = isWhole ? await compareListings(work, before, after) : undefined;
    if (fuzzy) {
      const expected = before.blobs.count;
      return { blobs: confirmed, fuzzy, expected, late: 0, empty: emptyPlaces(work, before) };
    }
    if (attempt >= attempts) {
      return { ...(await sealChanging(work, { before, after, confirmed })), empty: emptyPlaces(work, after) };
    }
    before = after;
    earlier = confirmed;
  }
}

async function findReplicas({ unit, epoch, standby, previous, present, signal, heartbeat }: Work): Promise<void> {
  for (const each of new Set([epoch, ...previous.epochs])) {
    for await (const replica of listReplicas(standby, replicaFolder(each, unit), signal)) {
      await present.add(replica);
      await heartbeat.beat();
    }
  }
}

/** A blob of a listing, and what is known about it. */
interface Known {
  blob: ListedBlob;
  /** What an earlier attempt of this call confirmed of it, at this or an earlier etag. */
  earlier: StableBlob | undefined;
  /** The blob as the previous recovery point has it. */
  previous: BlobLine | undefined;
  replicas: PresentReplica[];
}

/**
 * Returns `confirmed`: the newest version of each listed blob that is in the standby; and `isWhole`: whether that is
 * the listed version for all of them.
 */
async function confirmAll(
  work: Work,
  listing: UnitListing,
  earlier: Spool<StableBlob>,
): Promise<{ confirmed: Spool<StableBlob>; isWhole: boolean }> {
  const confirmed = work.lists.make<StableBlob>(({ line }) => keyIn(work.unit)(line));
  let isWhole = true;
  await forEachBounded(known(work, listing, earlier), sideBySide, (each) =>
    work.limit(async () => {
      const exact = await confirm(work, each);
      if (!exact) isWhole = false;
      const line = exact ?? each.earlier;
      if (line) await confirmed.add(line);
    }),
  );
  return { confirmed, isWhole };
}

async function* known(work: Work, listing: UnitListing, earlier: Spool<StableBlob>): AsyncGenerator<Known> {
  const keyOf = keyIn(work.unit);
  const done = cursor(earlier, ({ line }) => keyOf(line));
  const before = cursor(work.previous.lines, keyOf);
  const present = cursor(work.present, keyOf);
  try {
    for await (const blob of listing.blobs) {
      const key = keyOf(blob);
      yield {
        blob,
        earlier: (await done.take(key))[0],
        previous: (await before.take(key))[0],
        replicas: await present.take(key),
      };
    }
  } finally {
    for (const each of [done, before, present]) await each.close();
  }
}

/**
 * Copies a blob at its listed etag, unless that version is in the standby already. Returns undefined if it changed
 * meanwhile.
 */
async function confirm(work: Work, known: Known): Promise<StableBlob | undefined> {
  const { blob, earlier, previous } = known;
  if (earlier?.line.etag === blob.etag) return earlier;
  const { heartbeat } = work;
  const confirmed = previous?.etag === blob.etag ? await takeOver(work, known, previous) : await copyAnew(work, known);
  if (!confirmed) return undefined;
  heartbeat.add(1, confirmed.reused ? 0 : blob.sizeBytes);
  await heartbeat.beat();
  return confirmed;
}

/**
 * Reuses a replica. One that is missing, overwritten or marked as damaged is repaired in place, because older recovery
 * points refer to it too.
 */
async function takeOver(work: Work, known: Known, previous: BlobLine): Promise<StableBlob | undefined> {
  const { blob, replicas } = known;
  const { source, standby, suspects, signal, heartbeat } = work;
  const line = lineOf(work, blob, previous, previous.replica);
  const there = replicas.find(({ name }) => name === previous.replica);
  const seemsWhole = there?.sizeBytes === blob.sizeBytes && (there.md5 === undefined || there.md5 === previous.md5);
  if (seemsWhole && !suspects.has(previous.replica)) return { line, reused: true };
  const repair = await repairReplica({
    line,
    account: standby,
    source: () => Promise.resolve(source),
    signal,
    beat: heartbeat.beat,
  });
  if (repair.state === 'whole') return { line, reused: true };
  return repair.state === 'repaired' ? { line, reused: false } : copyAnew(work, known);
}

async function copyAnew(work: Work, { blob, replicas }: Known): Promise<StableBlob | undefined> {
  const { unit, epoch, source, standby, signal, heartbeat } = work;
  const name = replicaName(epoch, { account: unit.account, container: unit.container, ...blob });
  const make = (present: boolean) =>
    makeReplica({
      source: { account: source, container: unit.container, path: blob.path },
      listed: blob,
      account: standby,
      name,
      present,
      signal,
      beat: heartbeat.beat,
    });
  const isPresent = replicas.some((each) => each.name === name && each.sizeBytes === blob.sizeBytes);
  let digests: Awaited<ReturnType<typeof make>>;
  try {
    digests = await make(isPresent);
  } catch (error) {
    // The replica was damaged, and has been removed.
    if (!isPresent || !isUnderstudyError(error, 'ReconciliationError')) throw error;
    digests = await make(false);
  }
  return digests === 'changed' ? undefined : { line: lineOf(work, blob, digests, name), reused: false };
}

function lineOf(
  { unit, index }: Work,
  blob: ListedBlob,
  { sha256, md5 }: { sha256: string; md5: string },
  replica: string,
): BlobLine {
  const { path, etag, sizeBytes, ...kept } = blob;
  return {
    assets: index.assetsOf(path),
    classes: index.classesOf(path),
    unit: unit.path,
    account: unit.account,
    container: unit.container,
    path,
    etag,
    sizeBytes,
    ...kept,
    sha256,
    md5,
    replica,
  };
}
