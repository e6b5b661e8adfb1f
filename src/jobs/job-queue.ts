/**
 * The order in which interrupted jobs are resubmitted: by rank, and a job after those whose outputs it reads, which
 * become as urgent as it is. A cycle of jobs that read each other's outputs is broken: one of them waits for no other.
 * Pure.
 */
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { ProducersOf } from './producers.ts';

interface Queued {
  entry: LedgerEntry;
  rank: number;
}

/** The jobs to order. */
export interface JobQueueOptions {
  /** Most urgent first. */
  entries: readonly LedgerEntry[];
  /** Jobs of one rank may be resubmitted in any order. */
  rankOf: (entry: LedgerEntry) => number;
  producers: ProducersOf;
}

/** Yields jobs in the order in which to resubmit them. */
export class JobQueue {
  /**
   * By name: a job with a producer that reads, directly or indirectly, what the job itself writes; and that producer's
   * name.
   */
  readonly circular = new Map<string, string>();
  readonly #producers: ProducersOf;
  #left: Queued[] = [];
  readonly #open = new Set<string>();

  constructor({ entries, rankOf, producers }: JobQueueOptions) {
    this.#producers = producers;
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    for (const entry of entries) this.#enter(entry, rankOf(entry), byName);
  }

  get size(): number {
    return this.#left.length;
  }

  remove(names: Iterable<string>): void {
    for (const name of names) this.#open.delete(name);
    this.#left = this.#left.filter(({ entry }) => this.#open.has(entry.name));
  }

  /**
   * Returns the most urgent jobs that are ready, at most `size`. All have the same rank, and none reads what another of
   * them, or a remaining job, writes.
   */
  next(size: number, isReady: (entry: LedgerEntry) => boolean): LedgerEntry[] {
    const batch: LedgerEntry[] = [];
    let rank: number | undefined;
    for (const each of this.#left) {
      if (batch.length === size || (rank !== undefined && each.rank !== rank)) break;
      if (this.#waits(each.entry) || !isReady(each.entry)) continue;
      rank = each.rank;
      batch.push(each.entry);
    }
    return batch;
  }

  #waits({ name }: LedgerEntry): boolean {
    if (this.circular.has(name)) return false;
    return (this.#producers.get(name) ?? []).some((producer) => this.#open.has(producer));
  }

  /** Adds producers first, however long their chain is. */
  #enter(first: LedgerEntry, rank: number, byName: ReadonlyMap<string, LedgerEntry>): void {
    if (this.#open.has(first.name)) return;
    const path = new Set([first.name]);
    const stack = [{ entry: first, producers: [...(this.#producers.get(first.name) ?? [])] }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const name = top.producers.shift();
      const producer = name === undefined ? undefined : byName.get(name);
      if (name === undefined) {
        this.#open.add(top.entry.name);
        this.#left.push({ entry: top.entry, rank });
        path.delete(top.entry.name);
        stack.pop();
      } else if (path.has(name)) {
        this.circular.set(top.entry.name, name);
      } else if (producer && !this.#open.has(name)) {
        path.add(name);
        stack.push({ entry: producer, producers: [...(this.#producers.get(name) ?? [])] });
      }
    }
  }
}
