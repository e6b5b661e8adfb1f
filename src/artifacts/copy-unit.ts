/**
 * Copies one unit so that it is consistent: its blobs are listed, copied at the etags listed, and listed again. If the second listing
 * does not agree, again, up to `attempts`; what then still changes is fuzzy, and said to be.
 */
import type { BlobAccount } from '../azure/azure.ts';
import { forEachBounded } from './bounded.ts';
import { listBlobs, type ListedBlob } from './blobs.ts';
import type { Heartbeat } from './heartbeat.ts';
import { orderKey, type BlobLine, type FuzzyLine, type Unit } from './manifest.ts';
import { listReplicas, makeReplica, replicaFolder, replicaName } from './replica.ts';
import { indexUnit, type UnitIndex } from './units.ts';

export interface CopyUnit {
  unit: Unit;
  epoch: number;
  source: BlobAccount;
  standby: BlobAccount;
  /** Of the recovery point before, by path. */
  previous: ReadonlyMap<string, BlobLine>;
  attempts: number;
  /** Shared with the other units that are copied beside this one. */
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  heartbeat: Heartbeat;
  signal: AbortSignal;
}

export interface CopiedUnit {
  /** In `orderKey` order. */
  blobs: BlobLine[];
  fuzzy: FuzzyLine[];
  /** As listed: every one of them has a line, is fuzzy, or came late. */
  expected: number;
  /** Added to a growing folder after it was listed: left to the next recovery point. */
  late: number;
  /** Of `blobs`: taken over from the recovery point before. */
  reused: number;
  /** Copied now. */
  newBytes: number;
  /** Places with not one blob, where one would be expected. */
  empty: string[];
}

interface Work extends CopyUnit {
  index: UnitIndex;
  /** Replicas that are there, by name. */
  present: Map<string, ListedBlob>;
  /** What this call has copied or taken over, by path and etag. */
  settled: Map<string, BlobLine>;
  /** The newest version that was settled, by path: what a fuzzy blob is sealed with. */
  latest: Map<string, BlobLine>;
  reused: Set<string>;
}

/** More than any limiter lets run: a unit of a million blobs is not a million promises. */
const sideBySide = 256;

export async function copyUnit(request: CopyUnit): Promise<CopiedUnit> {
  const work: Work = {
    ...request,
    index: indexUnit(request.unit),
    present: await presentReplicas(request),
    settled: new Map(),
    latest: new Map(),
    reused: new Set(),
  };
  let before = await listUnit(work);
  for (let attempt = 1; ; attempt++) {
    await forEachBounded(before.values(), sideBySide, (blob) => work.limit(() => settle(work, blob)));
    const after = await listUnit(work);
    const changed = changes(work.index, before, after);
    // Copied at the etags listed: a blob that changed before it was copied has no line, and the second listing shows why.
    const whole = [...before.values()].every((blob) => work.settled.has(settledKey(blob)));
    if (whole && changed.length === 0) return finish(work, before, []);
    if (attempt >= request.attempts)
      return finish(work, after, [...new Set([...changed, ...unsettled(work, after)])]);
    before = after;
  }
}

async function presentReplicas({
  unit,
  epoch,
  standby,
  previous,
  signal,
  heartbeat,
}: CopyUnit): Promise<Map<string, ListedBlob>> {
  const folders = new Set([replicaFolder(epoch, unit)]);
  for (const { replica } of previous.values()) {
    const of = Number(replica.split('/')[1]);
    folders.add(replicaFolder(of, unit));
  }
  const present = new Map<string, ListedBlob>();
  for (const folder of folders) {
    for (const [name, blob] of await listReplicas(standby, folder, signal, heartbeat.beat))
      present.set(name, blob);
  }
  return present;
}

async function listUnit({ unit, source, signal, heartbeat }: Work): Promise<Map<string, ListedBlob>> {
  const found = new Map<string, ListedBlob>();
  for await (const blob of listBlobs(source, unit.container, unit.path, signal)) {
    found.set(blob.path, blob);
    await heartbeat.beat();
  }
  return found;
}

/** Copies a blob at its listed etag, unless that version is in the standby already. No line: it changed meanwhile. */
async function settle(work: Work, blob: ListedBlob): Promise<void> {
  const key = settledKey(blob);
  if (work.settled.has(key)) return;
  const { unit, epoch, source, standby, signal } = work;
  const known = work.previous.get(blob.path);
  if (known?.etag === blob.etag && work.present.get(known.replica)?.sizeBytes === blob.sizeBytes) {
    keepLine(work, key, lineOf(work, blob, known, known.replica));
    work.reused.add(key);
  } else {
    const name = replicaName(epoch, { account: unit.account, container: unit.container, ...blob });
    const digests = await makeReplica({
      source: { account: source, container: unit.container, path: blob.path },
      listed: blob,
      account: standby,
      name,
      present: work.present.get(name)?.sizeBytes === blob.sizeBytes,
      signal,
      beat: work.heartbeat.beat,
    });
    if (digests === 'changed') return;
    keepLine(work, key, lineOf(work, blob, digests, name));
  }
  work.heartbeat.add(1, work.reused.has(key) ? 0 : blob.sizeBytes);
  await work.heartbeat.beat();
}

function keepLine(work: Work, key: string, line: BlobLine): void {
  work.settled.set(key, line);
  work.latest.set(line.path, line);
}

function settledKey({ path, etag }: ListedBlob): string {
  return `${etag}/${path}`;
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

/** Paths that differ between two listings. What is only added to a growing folder is no difference. */
function changes(
  index: UnitIndex,
  before: Map<string, ListedBlob>,
  after: Map<string, ListedBlob>,
): string[] {
  const changed: string[] = [];
  for (const [path, blob] of before) if (after.get(path)?.etag !== blob.etag) changed.push(path);
  for (const path of after.keys()) {
    if (!before.has(path) && !index.isGrowing(path)) changed.push(path);
  }
  return changed;
}

function unsettled(work: Work, listed: Map<string, ListedBlob>): string[] {
  return [...listed.values()]
    .filter((blob) => !work.settled.has(settledKey(blob)))
    .filter((blob) => !work.index.isGrowing(blob.path) || work.latest.has(blob.path))
    .map((blob) => blob.path);
}

function finish(work: Work, listed: Map<string, ListedBlob>, changed: string[]): CopiedUnit {
  const { unit, index } = work;
  const fuzzyPaths = new Set(changed);
  const blobs: BlobLine[] = [];
  const fuzzy: FuzzyLine[] = [];
  const paths = new Set([...listed.keys(), ...fuzzyPaths]);
  let late = 0;
  for (const path of paths) {
    const blob = listed.get(path);
    const exact = blob && work.settled.get(settledKey(blob));
    const line = exact ?? (fuzzyPaths.has(path) ? work.latest.get(path) : undefined);
    if (line) blobs.push(line);
    else if (!fuzzyPaths.has(path) && index.isGrowing(path)) late += 1;
    if (!fuzzyPaths.has(path)) continue;
    fuzzy.push({
      assets: index.assetsOf(path),
      account: unit.account,
      container: unit.container,
      path,
      ...(blob ? { etag: blob.etag } : {}),
      copied: line !== undefined,
    });
  }
  const key = (line: { path: string }) => orderKey(unit.account, unit.container, line.path);
  blobs.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  fuzzy.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const reused = blobs.filter((line) => work.reused.has(settledKey(line)));
  const bytes = (lines: BlobLine[]) => lines.reduce((sum, line) => sum + line.sizeBytes, 0);
  return {
    blobs,
    fuzzy,
    expected: paths.size,
    late,
    reused: reused.length,
    newBytes: bytes(blobs) - bytes(reused),
    empty: emptyPlaces(work, listed),
  };
}

/** A checkpoint folder may be empty: the job has just begun. Anything else that names nothing is worth a word. */
function emptyPlaces({ unit, index }: Work, listed: Map<string, ListedBlob>): string[] {
  const filled = new Set<string>();
  for (const path of listed.keys()) for (const each of index.pathsOf(path)) filled.add(each);
  return unit.places
    .filter((place) => !place.growing && !filled.has(place.path))
    .map((place) => `${place.asset}: nothing at ${unit.account}/${unit.container}/${place.path}`);
}
