/** The order in which jobs are resubmitted or stopped. */
import type { Topology } from '../topology/topology.ts';
import type { LedgerEntry } from './ledger.ts';

/** Sorts by priority, then running jobs, then the oldest. The order is the same in every attempt. */
export function byUrgency(entries: readonly LedgerEntry[], { priority }: Topology['jobs']): LedgerEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: urgency(entry, priority) }));
  return keyed.toSorted((a, b) => compare(a.key, b.key)).map(({ entry }) => entry);
}

type Urgency = [rank: number, waiting: number, createdAt: string, name: string];

function urgency(entry: LedgerEntry, order: readonly string[]): Urgency {
  const { status, createdAt, name } = entry;
  return [rankOf(entry, order), status === 'Running' ? 0 : 1, createdAt ?? '', name];
}

/**
 * Rank by the tag `priority`. 0 is the most urgent. Jobs without the tag, or with one that the topology does not list,
 * share the last rank.
 */
export function rankOf({ priority }: Pick<LedgerEntry, 'priority'>, order: readonly string[]): number {
  const rank = priority === undefined ? -1 : order.indexOf(priority);
  return rank < 0 ? order.length : rank;
}

function compare(a: Urgency, b: Urgency): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
