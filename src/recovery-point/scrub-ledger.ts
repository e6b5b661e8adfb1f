/**
 * What has been read of the replicas, when, and what is damaged: one document of the control store, and lists that it names by their
 * digests. A scrub that is killed at any moment loses what it read since the last write, and nothing else.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { BlobLine } from './manifest.ts';

const ledgerName = 'replicas/scrub.json';
const listFolder = 'replicas/lists';
const damageFolder = 'replicas/damage';

/** A list of replicas: what is read together. */
const ScrubList = z.strictObject({
  /** Of the list in the control store; also its name. */
  digest: z.string(),
  /** Of the account that the replicas are in. */
  accountId: z.string(),
  count: z.int(),
  /** Of all its replicas. */
  bytes: z.number(),
  /** When all of them had been read (ISO 8601). */
  readAt: z.string(),
  /** Those that are damaged: a document of its own. `accepted`: those whose loss a person has accepted. */
  damage: z.strictObject({ digest: z.string(), count: z.int(), accepted: z.int() }).optional(),
});
export type ScrubList = z.infer<typeof ScrubList>;

export const PartDamage = z.strictObject({ part: z.string(), problem: z.string() });
export type PartDamage = z.infer<typeof PartDamage>;

const ScrubbedPoint = z.strictObject({
  /** When all its parts had been read. */
  readAt: z.string(),
  /** Of all its parts. */
  bytes: z.number(),
  /** Where its replicas are; absent where its seal cannot be read. */
  accountId: z.string().optional(),
  /** What of it is missing or not what was sealed. */
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

/** A replica, as the first recovery point that refers to it has it. */
const ReplicaLine = BlobLine.extend({
  since: z.string(),
  /** ARM id of the account that it was copied from. */
  sourceAccountId: z.string(),
});
export type ReplicaLine = z.infer<typeof ReplicaLine>;

/** A replica that is damaged, and could not be repaired. */
export const DamagedReplica = z.strictObject({
  line: ReplicaLine,
  /** ARM id of the account that it is in. */
  accountId: z.string(),
  /** What was read: its sha256, or that there is none. */
  actual: z.string(),
  /** Why it could not be repaired. */
  reason: z.string(),
  foundAt: z.string(),
  /** Recovery points that refer to it: the first and the last; that is absent where so many are damaged that it was not looked for. */
  recoveryPoints: z.strictObject({ first: z.string(), last: z.string().optional() }),
  /** A person has accepted that it is lost. */
  accepted: z.strictObject({ reason: z.string(), by: z.string(), at: z.string() }).optional(),
});
export type DamagedReplica = z.infer<typeof DamagedReplica>;

const ledgers = documentKind('ledger of the scrub', 1, ScrubLedger);
const lists = documentKind('list of copies', 1, z.strictObject({ lines: z.array(ReplicaLine) }));
const damageLists = documentKind(
  'list of damaged copies',
  1,
  z.strictObject({ damaged: z.array(DamagedReplica) }),
);

function none(): ScrubLedger {
  return { points: {}, lists: [] };
}

/** Empty where nothing was ever scrubbed. ControlStoreError: it is not what a scrub writes. */
export async function readScrubLedger(store: ControlStore): Promise<ScrubLedger> {
  return (await ledgers.read(store, ledgerName))?.value ?? none();
}

/** `change` may be asked several times: it is given the ledger as it is now, and changes that. Returns what was written. */
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

/** Begins again: all recovery points are taken up again, and what was read is read again in its turn. */
export async function forgetScrubLedger(store: ControlStore): Promise<void> {
  await ledgers.begin(store, ledgerName, none());
}

/** Returns the digest. */
export function sealList(store: ControlStore, lines: ReplicaLine[]): Promise<string> {
  return lists.seal(store, listFolder, { lines });
}

/** ControlStoreError if it is missing, or cannot be read. */
export async function openList(store: ControlStore, { digest }: ScrubList): Promise<ReplicaLine[]> {
  return (await lists.open(store, listFolder, digest)).lines;
}

/** ControlStoreError if it is missing, or cannot be read. */
export async function openDamage(store: ControlStore, { damage }: ScrubList): Promise<DamagedReplica[]> {
  return damage ? (await damageLists.open(store, damageFolder, damage.digest)).damaged : [];
}

/** What a list says of its damage; nothing where there is none. */
export async function sealDamage(
  store: ControlStore,
  damaged: DamagedReplica[],
): Promise<Pick<ScrubList, 'damage'>> {
  if (damaged.length === 0) return {};
  const accepted = damaged.filter((each) => each.accepted).length;
  const digest = await damageLists.seal(store, damageFolder, { damaged });
  return { damage: { digest, count: damaged.length, accepted } };
}
