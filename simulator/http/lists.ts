/**
 * What lists show: everything there is, unless a scenario has them lag. Then a new resource is missing and a removed one is still there
 * for a while on the cloud's clock, though a GET by id knows better at once.
 */

import type { Faults } from '../faults.ts';
import type { Clock, Stored } from '../provider.ts';
import type { JournaledStore } from '../store.ts';

/** More that was removed than this is not shown any longer: memory stays flat. */
const REMEMBERED = 10_000;

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
      ({ region, resource, createdAt }) =>
        now - createdAt >= this.faults.listLagMs(region, 'appear', resource.id),
    );
    this.removed = this.removed.filter(({ until }) => until > now);
    const gone = this.removed.filter(
      ({ stored }) => belongs(stored) && this.store.get(stored.resource.id) === undefined,
    );
    if (gone.length === 0) return known;
    return [...known, ...gone.map(({ stored }) => stored)].sort((a, b) => a.createdAt - b.createdAt);
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
