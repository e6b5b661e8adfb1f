/**
 * What lists show: everything there is, unless a scenario has them lag. Then a new resource is missing and a removed
 * one is still there for a while on the cloud's clock, though a GET by id knows better at once.
 */

import type { Faults } from '../faults/faults.ts';
import type { Call, Clock, ResourceType, Stored } from '../contract/index.ts';
import type { JournaledStore } from '../state/store.ts';

/** More that was removed than this is not shown any longer: memory stays flat. */
const REMEMBERED = 10_000;

/** Lists of one parent's children that are held at a time. */
const QUERIES = 20;
/** What chooses a page, and not what is listed. */
const OF_PAGES = new Set(['$skiptoken', '$skip', '$top', 'api-version']);

interface Removed {
  stored: Stored;
  /** When lists forget it, on the cloud's clock. */
  until: number;
}

export class Lists {
  private readonly faults: Faults;
  private readonly clock: Clock;
  private readonly store: JournaledStore;
  private removed: Removed[] = [];
  /** What rows made of a parent's children, by the query. The array is another one as soon as a child changes. */
  private readonly made = new WeakMap<readonly Stored[], Map<string, readonly Stored[]>>();

  constructor(faults: Faults, clock: Clock, store: JournaledStore) {
    this.faults = faults;
    this.clock = clock;
    this.store = store;
    store.onRemoved = (removed) => this.remember(removed);
  }

  /** The entries of a list as it shows them now. `belongs`: would the list have held a resource that is gone? */
  asListed(entries: Stored[], belongs: (stored: Stored) => boolean): Stored[] {
    if (!this.faults.listsLag) return entries;
    const now = this.clock.now();
    const known = entries.filter(
      ({ region, resource, createdAt }) => now - createdAt >= this.faults.listLagMs(region, 'appear', resource.id),
    );
    this.removed = this.removed.filter(({ until }) => until > now);
    const gone = this.removed.filter(
      ({ stored }) => belongs(stored) && this.store.get(stored.resource.id) === undefined,
    );
    if (gone.length === 0) return known;
    return [...known, ...gone.map(({ stored }) => stored)].sort((a, b) => a.createdAt - b.createdAt);
  }

  /**
   * A row's list of the children of a parent. Where the row allows it, it is made for the first page and held for the
   * others, so that a page costs what a page does.
   */
  ofChildren(row: ResourceType, parent: string, call: Call): readonly Stored[] {
    const held = this.store.heldChildren(parent, row.type);
    if (!row.list) return held;
    if (!row.listsOnce) return row.list(call, held.slice());
    let made = this.made.get(held);
    if (!made || made.size >= QUERIES) this.made.set(held, (made = new Map()));
    const query = new URLSearchParams([...call.query].filter(([name]) => !OF_PAGES.has(name.toLowerCase())));
    const key = query.toString();
    const listed = made.get(key) ?? row.list(call, held.slice());
    made.set(key, listed);
    return listed;
  }

  /** Do lists lag, so that they are not simply what there is? */
  get isLagging(): boolean {
    return this.faults.listsLag;
  }

  private remember(removed: readonly Stored[]): void {
    if (!this.faults.listsLag) return;
    const now = this.clock.now();
    for (const stored of removed) {
      const lag = this.faults.listLagMs(stored.region, 'vanish', stored.resource.id);
      if (lag > 0) this.removed.push({ stored, until: now + lag });
    }
    if (this.removed.length > REMEMBERED) this.removed = this.removed.slice(-REMEMBERED);
  }
}
