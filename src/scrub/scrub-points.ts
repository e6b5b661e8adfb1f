/**
 * What of a recovery point has to be scrubbed: its parts, and those of its replicas that no recovery point before it refers to. One
 * recovery point after the other is taken up, so that each replica is in one list however many recovery points refer to it.
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

/** What is read together, and lost if the reading is cut short. */
const linesPerList = 2000;
const bytesPerList = 4 * 1024 ** 3;
/** Lists of a few lines are put together: there is a recovery point every quarter of an hour. */
const smallList = 500;

/** Before everything: due at once. */
const never = new Date(0).toISOString();
/** Of a recovery point, so many damaged parts are named. */
const partsNamed = 20;

export interface TakeUpPoints {
  /** Of all that are sealed, newest first. */
  ids: readonly string[];
  now: Date;
  beat: () => Promise<void>;
}

/**
 * Takes up what was sealed since the last time.
 * Errors: AzureUnavailable of the control store. A recovery point that cannot be read is in the ledger as damaged.
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
  /** Those before it, oldest first. */
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
    // Its seal was written when all its parts had been read.
    readAt: sealed.sealedAt,
    bytes: sealed.parts.reduce((sum, { bytes }) => sum + bytes, 0),
    accountId,
  };
  const damaged: PartDamage[] = [];
  const lists = listWriter(store, { ledger, accountId, readAt: sealed.startedAt });
  const lines = newReplicas(store, sealed, previous && !('problem' in previous) ? previous : undefined, {
    onDamage: (part, problem) => void damaged.push(damageOf(part, problem)),
    // What the one before has is not known: what seems new may be old.
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

/** Replicas to which `sealed` refers and `previous` does not: both are in one order, and read side by side. */
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
  /** Nobody knows when these were read. */
  areUnread(): void;
  /** `replaces`: the digest of a list that is now part of one that was made. */
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

/** The last list of the account, where that has room. */
function smallListOf({ lists }: ScrubLedger, accountId: string, more: number): ScrubList | undefined {
  const last = lists.findLast((each) => sameName(each.accountId, accountId));
  const hasRoom = last && !last.damage && last.count + more <= smallList && last.bytes < bytesPerList / 4;
  return hasRoom ? last : undefined;
}

/** Reads every part of a recovery point. Returns what is missing or altered. */
export async function damagedParts(
  store: ControlStore,
  id: string,
  beat: () => Promise<void>,
): Promise<PartDamage[]> {
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
