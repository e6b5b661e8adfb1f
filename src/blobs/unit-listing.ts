/** Lists a unit, and compares two listings to find what changed while its blobs were copied. */
import type { BlobAccount } from '../azure/azure.ts';
import { listBlobs, type ListedBlob } from '../azure/storage/blobs.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import { orderKey, type BlobLine, type FuzzyLine, type Unit } from '../recovery-point/manifest.ts';
import { cursor, type Spool, type Spools } from '../run/work/spool.ts';
import type { UnitIndex } from '../recovery-point/units.ts';

/** A blob that is in the standby, and whether it was copied or reused. */
export interface StableBlob {
  line: BlobLine;
  /** Reused from the previous recovery point. */
  reused: boolean;
}

/** Context that all work on one unit shares. */
export interface UnitWork {
  unit: Unit;
  index: UnitIndex;
  source: BlobAccount;
  heartbeat: Heartbeat;
  signal: AbortSignal;
  /** Where its lists are kept. */
  lists: Spools;
}

/** One listing of a unit. */
export interface UnitListing {
  /** In the order of `keyIn`. */
  blobs: Spool<ListedBlob>;
  /** Paths of places that have a blob. */
  filled: ReadonlySet<string>;
}

/** Returns the sort key of a unit's blobs. */
export function keyIn({ account, container }: Unit): (blob: { path: string }) => string {
  return ({ path }) => orderKey(account, container, path);
}

/** Lists a unit's blobs. */
export async function listUnit(work: UnitWork): Promise<UnitListing> {
  const { unit, index, source, heartbeat, signal } = work;
  const blobs = work.lists.make<ListedBlob>(keyIn(unit));
  const filled = new Set<string>();
  for await (const blob of listBlobs(source, unit.container, unit.path, signal)) {
    await blobs.add(blob);
    for (const path of index.pathsOf(blob.path)) filled.add(path);
    await heartbeat.beat();
  }
  return { blobs, filled };
}

/**
 * Describes places without a blob. A checkpoint folder may be empty, because the job has just begun; any other empty
 * place is reported.
 */
export function emptyPlaces({ unit }: UnitWork, { filled }: UnitListing): string[] {
  return unit.places
    .filter((place) => !place.growing && !filled.has(place.path))
    .map((place) => `${place.asset}: nothing at ${unit.account}/${unit.container}/${place.path}`);
}

interface Compared {
  path: string;
  before: ListedBlob | undefined;
  after: ListedBlob | undefined;
  confirmed: StableBlob | undefined;
}

/** The two listings to compare. */
export interface Compare {
  before: UnitListing;
  after: UnitListing;
  confirmed: Spool<StableBlob>;
}

/** Returns what was only added to a growing folder, which is no difference. Undefined if the listings differ. */
export async function compareListings(
  work: UnitWork,
  before: UnitListing,
  after: UnitListing,
): Promise<Spool<FuzzyLine> | undefined> {
  const none = work.lists.make<StableBlob>(() => '');
  const late = work.lists.make<FuzzyLine>(keyIn(work.unit));
  for await (const each of compared(work, { before, after, confirmed: none })) {
    if (isChanged(work, each)) return undefined;
    if (!each.before && each.after) await late.add(lateLine(work, each.after));
  }
  return late;
}

function lateLine({ unit, index }: UnitWork, { path, etag }: ListedBlob): FuzzyLine {
  const { account, container } = unit;
  return { assets: index.assetsOf(path), account, container, path, etag, copied: false, late: true };
}

function isChanged({ index }: UnitWork, { path, before, after }: Compared): boolean {
  return before ? after?.etag !== before.etag : after !== undefined && !index.isGrowing(path);
}

/** What is sealed of a unit that kept changing. */
export interface ChangingBlobs {
  blobs: Spool<StableBlob>;
  fuzzy: Spool<FuzzyLine>;
  expected: number;
  late: number;
}

/**
 * Returns what to seal of a unit that kept changing. What changed is fuzzy, with the newest version that was copied.
 */
export async function sealChanging(work: UnitWork, request: Compare): Promise<ChangingBlobs> {
  const { unit, index, lists } = work;
  const blobs = lists.make<StableBlob>(({ line }) => keyIn(unit)(line));
  const fuzzy = lists.make<FuzzyLine>(keyIn(unit));
  let late = 0;
  let expected = 0;
  for await (const each of compared(work, request)) {
    const { path, after, confirmed } = each;
    const isExact = after !== undefined && confirmed?.line.etag === after.etag;
    const isUnsettled = after !== undefined && !isExact && (!index.isGrowing(path) || confirmed !== undefined);
    const isFuzzy = isChanged(work, each) || isUnsettled;
    if (!after && !isFuzzy) continue;
    expected += 1;
    if (confirmed && (isExact || isFuzzy)) await blobs.add(confirmed);
    if (!isFuzzy) {
      if (isExact || !after) continue;
      late += 1;
      await fuzzy.add(lateLine(work, after));
      continue;
    }
    await fuzzy.add({
      assets: index.assetsOf(path),
      account: unit.account,
      container: unit.container,
      path,
      ...(after ? { etag: after.etag } : {}),
      copied: confirmed !== undefined,
    });
  }
  return { blobs, fuzzy, expected, late };
}

/** Yields every path in either listing, in order. */
async function* compared(
  { unit, heartbeat }: UnitWork,
  { before, after, confirmed }: Compare,
): AsyncGenerator<Compared> {
  const keyOf = keyIn(unit);
  const [first, second] = [cursor(before.blobs, keyOf), cursor(after.blobs, keyOf)];
  const lines = cursor(confirmed, ({ line }) => keyOf(line));
  try {
    for (;;) {
      const [one, other] = [await first.next(), await second.next()];
      const key = one === undefined || (other !== undefined && other < one) ? other : one;
      if (key === undefined) return;
      const [was] = await first.take(key);
      const [is] = await second.take(key);
      const path = was?.path ?? is?.path ?? '';
      yield { path, before: was, after: is, confirmed: (await lines.take(key))[0] };
      await heartbeat.beat();
    }
  } finally {
    for (const each of [first, second, lines]) await each.close();
  }
}
