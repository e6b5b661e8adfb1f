/**
 * Which replicas were read, when, and which are damaged: one document in the control store, and lists that it names by
 * digest. A scrub that is killed at any moment loses only what it read since the last write.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { BlobLine } from './manifest.ts';

const ledgerName = 'replicas/scrub.json';
const listFolder = 'replicas/lists';
const damageFolder = 'replicas/damage';

/** A list of replicas that are read together. */
const ScrubList = z.strictObject({
  /** Digest of the list in the control store, and also its name. */
  digest: z.string(),
  /** ARM id of the account that has the replicas. */
  accountId: z.string(),
  count: z.int(),
  /** Total size of its replicas. */
  bytes: z.number(),
  /** When the last of them was read (ISO 8601). */
  readAt: z.string(),
  /** The damaged ones, in a document of their own. `accepted`: how many of them someone has accepted as lost. */
  damage: z.strictObject({ digest: z.string(), count: z.int(), accepted: z.int() }).optional(),
});
export type ScrubList = z.infer<typeof ScrubList>;

/** A part of a recovery point that is damaged. */
export const PartDamage = z.strictObject({ part: z.string(), problem: z.string() });
export type PartDamage = z.infer<typeof PartDamage>;

const ScrubbedPoint = z.strictObject({
  /** When the last of its parts was read (ISO 8601). */
  readAt: z.string(),
  /** Total size of its parts. */
  bytes: z.number(),
  /** ARM id of the account that has its replicas. Absent if its seal cannot be read. */
  accountId: z.string().optional(),
  /** Parts that are missing or not what was sealed. */
  damaged: z.array(PartDamage).optional(),
  accepted: z.literal(true).optional(),
});
export type ScrubbedPoint = z.infer<typeof ScrubbedPoint>;

const ScrubLedger = z.strictObject({
  /** Recovery points whose replicas are in the lists. */
  points: z.record(z.string(), ScrubbedPoint),
  lists: z.array(ScrubList),
});
export type ScrubLedger = z.infer<typeof ScrubLedger>;

/** A replica, as recorded by the first recovery point that refers to it. */
const ReplicaLine = BlobLine.extend({
  since: z.string(),
  /** ARM id of the account that it was copied from. */
  sourceAccountId: z.string(),
});
export type ReplicaLine = z.infer<typeof ReplicaLine>;

/** A replica that is damaged and could not be repaired. */
export const DamagedReplica = z.strictObject({
  line: ReplicaLine,
  /** ARM id of the account that has it. */
  accountId: z.string(),
  /** What was read: its sha256, or that it is missing. */
  actual: z.string(),
  /** Why it could not be repaired. */
  reason: z.string(),
  foundAt: z.string(),
  /**
   * The first and the last recovery point that refer to it. `last` is absent if so many replicas are damaged that it
   * was not looked up.
   */
  recoveryPoints: z.strictObject({ first: z.string(), last: z.string().optional() }),
  /** Someone has accepted that it is lost. */
  accepted: z.strictObject({ reason: z.string(), by: z.string(), at: z.string() }).optional(),
});
export type DamagedReplica = z.infer<typeof DamagedReplica>;

const ledgers = documentKind('ledger of the scrub', 1, ScrubLedger);
const lists = documentKind('list of copies', 1, z.strictObject({ lines: z.array(ReplicaLine) }));
const damageLists = documentKind('list of damaged copies', 1, z.strictObject({ damaged: z.array(DamagedReplica) }));

function none(): ScrubLedger {
  return { points: {}, lists: [] };
}

/**
 * Reads the ledger. It is empty if nothing was ever scrubbed.
 * Errors: ControlStoreError if it is not what a scrub writes.
 */
export async function readScrubLedger(store: ControlStore): Promise<ScrubLedger> {
  return (await ledgers.read(store, ledgerName))?.value ?? none();
}

/**
 * Changes the ledger and returns what was written. `change` may be called several times, each time with the current
 * ledger.
 */
export async function changeScrubLedger(
  store: ControlStore,
  change: (ledger: ScrubLedger) => void,
): Promise<ScrubLedger> {
  for (;;) {
    const found = await ledgers.read(store, ledgerName);
    const ledger = structuredClone(found?.value ?? none());
    change(ledger);
    if (await ledgers.swap(store, ledgerName, ledger, found?.etag)) return ledger;
  }
}

/** Starts again: all recovery points are listed again, and every replica is read again. */
export async function forgetScrubLedger(store: ControlStore): Promise<void> {
  await ledgers.begin(store, ledgerName, none());
}

/** Seals a list and returns its digest. */
export function sealList(store: ControlStore, lines: ReplicaLine[]): Promise<string> {
  return lists.seal(store, listFolder, { lines });
}

/**
 * Reads a list of replicas.
 * Errors: ControlStoreError if it is missing or cannot be read.
 */
export async function openList(store: ControlStore, { digest }: ScrubList): Promise<ReplicaLine[]> {
  return (await lists.open(store, listFolder, digest)).lines;
}

/**
 * Reads the damaged replicas of a list.
 * Errors: ControlStoreError if they are missing or cannot be read.
 */
export async function openDamage(store: ControlStore, { damage }: ScrubList): Promise<DamagedReplica[]> {
  return damage ? (await damageLists.open(store, damageFolder, damage.digest)).damaged : [];
}

/** Seals the damage of a list and returns the reference to it. Returns nothing if there is none. */
export async function sealDamage(store: ControlStore, damaged: DamagedReplica[]): Promise<Pick<ScrubList, 'damage'>> {
  if (damaged.length === 0) return {};
  const accepted = damaged.filter((each) => each.accepted).length;
  const digest = await damageLists.seal(store, damageFolder, { damaged });
  return { damage: { digest, count: damaged.length, accepted } };
}
