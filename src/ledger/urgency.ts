/** Which jobs come first, where they are resubmitted and where they are stopped. */
import type { Topology } from '../topology/topology.ts';
import type { LedgerEntry } from './ledger.ts';

/** Most urgent first; among equals what was running, then the oldest. The same order in every attempt. */
export function byUrgency(entries: readonly LedgerEntry[], { priority }: Topology['jobs']): LedgerEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: urgency(entry, priority) }));
  return keyed.toSorted((a, b) => compare(a.key, b.key)).map(({ entry }) => entry);
}

type Urgency = [rank: number, waiting: number, createdAt: string, name: string];

function urgency(entry: LedgerEntry, order: readonly string[]): Urgency {
  const { status, createdAt, name } = entry;
  return [rankOf(entry, order), status === 'Running' ? 0 : 1, createdAt ?? '', name];
}

/** By its tag `priority`; 0 is the most urgent. Those whose tag the topology does not list, and those without one, come last together. */
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
