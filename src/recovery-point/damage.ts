/** Known damage to recovery points: to replicas, and to parts of manifests. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import {
  changeScrubLedger,
  DamagedReplica,
  openDamage,
  PartDamage,
  readScrubLedger,
  sealDamage,
  type ScrubLedger,
} from './scrub-ledger.ts';
import { showCount } from '../topology/figures.ts';

/** A recovery point of which parts are missing or altered. */
export const DamagedPoint = z.object({
  id: z.string(),
  damaged: z.array(PartDamage),
  accepted: z.boolean().describe('Someone has accepted it'),
});
export type DamagedPoint = z.infer<typeof DamagedPoint>;

/** All damage that scrubbing has found and that is not repaired. */
export const KnownDamage = z.object({
  replicas: z.object({ count: z.int(), accepted: z.int() }),
  examples: z.array(DamagedReplica).describe('The first few damaged replicas'),
  points: z.array(DamagedPoint).describe('Recovery points with missing or altered parts'),
  oldestReadAt: z
    .string()
    .optional()
    .describe('When the replica was read that has not been read for longest; absent if none was read'),
});
export type KnownDamage = z.infer<typeof KnownDamage>;

/**
 * Returns the damage that scrubbing has found and that is not repaired. `limit`: how many replicas to name.
 * Errors: ControlStoreError if the scrub ledger is not readable. The next `replicate` starts it again.
 */
export async function knownDamage(store: ControlStore, { limit = 20 } = {}): Promise<KnownDamage> {
  const ledger = await readScrubLedger(store);
  const examples: DamagedReplica[] = [];
  for await (const each of damagedReplicas(store, ledger)) {
    if (examples.length >= limit) break;
    examples.push(each);
  }
  return { ...countDamage(ledger), examples };
}

function countDamage({ points, lists }: ScrubLedger): Omit<KnownDamage, 'examples'> {
  const damage = lists.flatMap((list) => list.damage ?? []);
  const [oldest] = lists.map(({ readAt }) => readAt).toSorted();
  return {
    replicas: {
      count: damage.reduce((sum, { count }) => sum + count, 0),
      accepted: damage.reduce((sum, { accepted }) => sum + accepted, 0),
    },
    points: Object.entries(points).flatMap(([id, { damaged, accepted }]) =>
      damaged ? [{ id, damaged, accepted: accepted ?? false }] : [],
    ),
    ...(oldest === undefined ? {} : { oldestReadAt: oldest }),
  };
}

/** Replicas whose loss nobody has accepted come first. */
async function* damagedReplicas(store: ControlStore, { lists }: ScrubLedger): AsyncGenerator<DamagedReplica> {
  const damaged = lists.filter(({ damage }) => damage);
  const isOpen = ({ damage }: (typeof damaged)[number]) => (damage?.count ?? 0) > (damage?.accepted ?? 0);
  for (const list of damaged.filter(isOpen)) {
    for (const each of await openDamage(store, list)) if (!each.accepted) yield each;
  }
  for (const list of damaged.filter((each) => (each.damage?.accepted ?? 0) > 0)) {
    for (const each of await openDamage(store, list)) if (each.accepted) yield each;
  }
}

/** Describes a damaged replica in one line. */
export function showDamagedReplica({ line, actual, reason, recoveryPoints }: DamagedReplica): string {
  const { first, last } = recoveryPoints;
  const points = first === last ? `recovery point ${first}` : `recovery points ${first} to ${last ?? 'a later one'}`;
  return (
    `copy of ${line.account}/${line.container}/${line.path} (${line.assets.join(', ')}) is damaged: ${actual}, ` +
    `expected sha256 ${line.sha256}; not repaired: ${reason}; ${points}`
  );
}

/** Describes a damaged recovery point in one line. */
export function showDamagedPoint({ id, damaged }: DamagedPoint): string {
  const [first] = damaged;
  const more = damaged.length > 1 ? ` (and ${showCount(damaged.length - 1, 'more part')})` : '';
  return `recovery point ${id} is damaged: ${first?.problem}${more}`;
}

/** Records that a person accepts all known damage. The report still names it, but it no longer makes anything fail. */
export async function acceptDamage(
  store: ControlStore,
  acceptance: { reason: string; by: string; at: string },
): Promise<void> {
  const known = await readScrubLedger(store);
  const accepted = new Map<string, Awaited<ReturnType<typeof sealDamage>>>();
  for (const list of known.lists) {
    if (!list.damage || list.damage.accepted === list.damage.count) continue;
    const damaged = await openDamage(store, list);
    accepted.set(
      list.damage.digest,
      await sealDamage(
        store,
        damaged.map((each) => ({ ...each, accepted: each.accepted ?? acceptance })),
      ),
    );
  }
  await changeScrubLedger(store, ({ lists, points }) => {
    for (const list of lists) if (list.damage) Object.assign(list, accepted.get(list.damage.digest));
    for (const point of Object.values(points)) if (point.damaged) point.accepted = true;
  });
}

/** Replicas that must be read before they are used. */
export interface Suspects {
  has(replica: string): boolean;
}

/**
 * Returns the replicas that may be damaged. Some healthy ones may be among them, because only a few bits of each digest
 * are kept in memory. If it is not known which replicas are damaged, all are suspect.
 */
export async function suspectReplicas(store: ControlStore): Promise<Suspects> {
  try {
    const ledger = await readScrubLedger(store);
    const marks = new Uint32Array(countDamage(ledger).replicas.count);
    let index = 0;
    for await (const { line } of damagedReplicas(store, ledger)) marks[index++] = markOf(line.replica);
    marks.sort();
    return { has: (replica) => includes(marks, markOf(replica)) };
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return { has: () => true };
  }
}

function markOf(replica: string): number {
  return createHash('sha256').update(replica).digest().readUInt32LE();
}

function includes(sorted: Uint32Array, value: number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}
