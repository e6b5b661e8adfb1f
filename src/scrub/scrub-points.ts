/**
 * Finds what to scrub of a recovery point: its parts, and its replicas that no earlier recovery point refers to.
 * Recovery points are added one after another, so that each replica is in one list only.
 */
import { sameName } from '../azure/ids.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { folderOf, orderKey, type BlobLine, type SealedManifest } from '../recovery-point/manifest.ts';
import { partText, readableLines } from '../recovery-point/parts.ts';
import { readChecked } from '../recovery-point/read-seal.ts';
import {
  changeScrubLedger,
  openList,
  sealList,
  type PartDamage,
  type ReplicaLine,
  type ScrubLedger,
  type ScrubList,
  type ScrubbedPoint,
} from '../recovery-point/scrub-ledger.ts';
import { cursor } from '../run/work/spool.ts';

/** Replicas in a list are read together. If reading is cut short, the list starts again. */
const linesPerList = 2000;
const bytesPerList = 4 * 1024 ** 3;
/** Lists with fewer lines are merged: there is a recovery point every quarter of an hour. */
const smallList = 500;

/** Earlier than everything else: due at once. */
const never = new Date(0).toISOString();
/** How many damaged parts of a recovery point to name. */
const partsNamed = 20;

/** What to add to the ledger. */
export interface TakeUpPoints {
  /** Ids of all sealed recovery points, newest first. */
  ids: readonly string[];
  now: Date;
  beat: () => Promise<void>;
}

/**
 * Adds recovery points sealed since the last time. One that cannot be read is recorded as damaged.
 * Errors: AzureUnavailable if the control store does not answer.
 */
export async function takeUpPoints(
  store: ControlStore,
  known: ScrubLedger,
  { ids, now, beat }: TakeUpPoints,
): Promise<ScrubLedger> {
  let ledger = known;
  const oldestFirst = ids.toReversed();
  for (const [index, id] of oldestFirst.entries()) {
    if (ledger.points[id]) continue;
    ledger = await takeUp(store, ledger, { id, before: oldestFirst.slice(0, index), now, beat });
  }
  return ledger;
}

interface TakeUp {
  id: string;
  /** Earlier recovery points, oldest first. */
  before: readonly string[];
  now: Date;
  beat: () => Promise<void>;
}

async function takeUp(store: ControlStore, ledger: ScrubLedger, work: TakeUp): Promise<ScrubLedger> {
  const { id, before, beat } = work;
  const sealed = await readSeal(store, id);
  if ('problem' in sealed) {
    return changeScrubLedger(store, ({ points }) => {
      points[id] ??= {
        readAt: work.now.toISOString(),
        bytes: 0,
        damaged: [damageOf('sealed.json', sealed.problem)],
      };
    });
  }
  const { accountId } = sealed.replica;
  const previousId = before.findLast((each) => sameName(ledger.points[each]?.accountId, accountId));
  const previous = previousId === undefined ? undefined : await readSeal(store, previousId);
  const point: ScrubbedPoint = {
    // All parts were read before the seal was written.
    readAt: sealed.sealedAt,
    bytes: sealed.parts.reduce((sum, { bytes }) => sum + bytes, 0),
    accountId,
  };
  const damaged: PartDamage[] = [];
  const lists = listWriter(store, { ledger, accountId, readAt: sealed.startedAt });
  const lines = newReplicas(store, sealed, previous && !('problem' in previous) ? previous : undefined, {
    onDamage: (part, problem) => void damaged.push(damageOf(part, problem)),
    // It is not known what the previous one has, so replicas that seem new may be old.
    onUnknown: () => lists.areUnread(),
    beat,
  });
  for await (const line of lines) await lists.add(line);
  const { made, replaces } = await lists.end();
  return changeScrubLedger(store, (now) => {
    if (now.points[id]) return;
    now.points[id] = damaged.length === 0 ? point : { ...point, damaged: damaged.slice(0, partsNamed) };
    now.lists = [...now.lists.filter(({ digest }) => digest !== replaces), ...made];
  });
}

function damageOf(part: string, problem: string): PartDamage {
  return { part, problem };
}

async function readSeal(store: ControlStore, id: string): Promise<SealedManifest | { problem: string }> {
  try {
    return (await readChecked(store, id)).sealed;
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    return { problem: messageOf(error) };
  }
}

interface NewReplicas {
  onDamage: (part: string, problem: string) => void;
  onUnknown: () => void;
  beat: () => Promise<void>;
}

/** Yields replicas to which `sealed` refers and `previous` does not. Both are in the same order, and read in step. */
async function* newReplicas(
  store: ControlStore,
  sealed: SealedManifest,
  previous: SealedManifest | undefined,
  { onDamage, onUnknown, beat }: NewReplicas,
): AsyncGenerator<ReplicaLine> {
  const lines = (of: SealedManifest, told: (part: string, problem: string) => void) =>
    readableLines(store, folderOf(of.epoch, of.id), of.parts, {
      kind: 'blobs',
      onDamage: (part, problem) => told(part.name, problem),
    });
  const keyOf = ({ account, container, path }: BlobLine) => orderKey(account, container, path);
  const before = cursor(previous ? lines(previous, onUnknown) : [], keyOf);
  const accounts = new Map(sealed.accounts.map(({ name, id }) => [name.toLowerCase(), id]));
  try {
    for await (const line of lines(sealed, onDamage)) {
      await beat();
      const same = await before.take(keyOf(line));
      if (same.some(({ replica }) => replica === line.replica)) continue;
      yield { ...line, since: sealed.id, sourceAccountId: accounts.get(line.account.toLowerCase()) ?? '' };
    }
  } finally {
    await before.close();
  }
}

interface ListWriter {
  add(line: ReplicaLine): Promise<void>;
  /** It is not known when these were read. */
  areUnread(): void;
  /** `replaces`: the digest of a list that was merged into one of the new ones. */
  end(): Promise<{ made: ScrubList[]; replaces: string | undefined }>;
}

function listWriter(
  store: ControlStore,
  { ledger, accountId, readAt }: { ledger: ScrubLedger; accountId: string; readAt: string },
): ListWriter {
  const made: ScrubList[] = [];
  let read = readAt;
  let lines: ReplicaLine[] = [];
  let bytes = 0;
  const flush = async (at: string) => {
    if (lines.length === 0) return;
    made.push({ digest: await sealList(store, lines), accountId, count: lines.length, bytes, readAt: at });
    lines = [];
    bytes = 0;
  };
  return {
    async add(line) {
      lines.push(line);
      bytes += line.sizeBytes;
      if (lines.length >= linesPerList || bytes >= bytesPerList) await flush(read);
    },
    areUnread() {
      read = never;
      for (const list of made) list.readAt = never;
    },
    async end() {
      const small = lines.length < smallList ? smallListOf(ledger, accountId, lines.length) : undefined;
      if (small && lines.length > 0) {
        lines = [...(await openList(store, small)), ...lines];
        bytes += small.bytes;
      }
      const replaces = small && lines.length > 0 ? small.digest : undefined;
      await flush(replaces !== undefined && small && small.readAt < read ? small.readAt : read);
      return { made, replaces };
    },
  };
}

/** Returns the last list of the account, if it has room for more. */
function smallListOf({ lists }: ScrubLedger, accountId: string, more: number): ScrubList | undefined {
  const last = lists.findLast((each) => sameName(each.accountId, accountId));
  const hasRoom = last && !last.damage && last.count + more <= smallList && last.bytes < bytesPerList / 4;
  return hasRoom ? last : undefined;
}

/** Reads every part of a recovery point. Returns what is missing or altered. */
export async function damagedParts(store: ControlStore, id: string, beat: () => Promise<void>): Promise<PartDamage[]> {
  const sealed = await readSeal(store, id);
  if ('problem' in sealed) return [damageOf('sealed.json', sealed.problem)];
  const damaged: PartDamage[] = [];
  for (const part of sealed.parts) {
    await beat();
    try {
      await partText(store, folderOf(sealed.epoch, id), part);
    } catch (error) {
      if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
      if (damaged.length < partsNamed) damaged.push(damageOf(part.name, messageOf(error)));
    }
  }
  return damaged;
}
