/**
 * How far the secondary of a geo-redundant account is behind its primary. Without a lag it is not: reads at the
 * secondary see the account itself. With one, or while the primary's region gives no storage, the secondary has a
 * replica of its own, at the state of its last sync.
 */

import type { Faults } from '../faults/faults.ts';
import type { Clock, GeoReplication, ResourceStore, Stored } from '../contract/index.ts';
import { ACCOUNT, secondaryOf } from '../storage/places.ts';
import type { Journal, Table } from '../state/journal.ts';
import type { Azurite } from '../azurite/azurite.ts';

/** An account whose secondary is a replica. Times are milliseconds on the cloud's clock. */
interface Followed {
  account: string;
  syncedTo: number;
  /** Since when nothing gets from the primary to the secondary. */
  stoppedAt?: number;
}

export interface GeoParts {
  journal: Journal;
  store: ResourceStore;
  clock: Clock;
  azurite: Azurite;
  faults: Faults;
}

export class GeoReplicas implements GeoReplication {
  private readonly parts: GeoParts;
  private readonly followed: Table<Followed>;
  private readonly lags: Table<number>;
  private order: Promise<unknown> = Promise.resolve();

  constructor(parts: GeoParts) {
    this.parts = parts;
    this.followed = parts.journal.table('replicas');
    this.lags = parts.journal.table('replicationLags');
  }

  lag(account: Stored): number {
    const { name } = account.resource;
    const region = account.region ?? '';
    const ofRegion = Math.max(this.regionLag(region), this.parts.faults.secondaryLagMs(region));
    return this.lags.get(`account:${name}`) ?? ofRegion;
  }

  regionLag(region: string): number {
    return this.lags.get(`region:${region}`) ?? 0;
  }

  async setRegionLag(region: string, milliseconds: number | undefined): Promise<void> {
    this.setLag(`region:${region}`, milliseconds);
    await this.followRegion(region);
  }

  async setAccountLag(account: Stored, milliseconds: number | undefined): Promise<void> {
    // What the old lag had let through is through: a longer one does not take it back.
    await this.lastSyncTime(account);
    this.setLag(`account:${account.resource.name}`, milliseconds);
    await this.follow(account);
  }

  async clearLags(): Promise<void> {
    for (const region of new Set(this.accounts().map((account) => account.region ?? '')))
      this.lags.delete(`region:${region}`);
    for (const account of this.accounts()) {
      this.lags.delete(`account:${account.resource.name}`);
      await this.follow(account);
    }
  }

  /** The region's outage or its lag has changed. */
  async followRegion(region: string): Promise<void> {
    for (const account of this.accounts().filter((one) => one.region === region)) await this.follow(account);
  }

  async follow(account: Stored): Promise<void> {
    await this.exclusively(async () => {
      const { name } = account.resource;
      const held = this.followed.get(name);
      const isStopped = this.isStopped(account);
      const isWanted = secondaryOf(account) !== undefined && (isStopped || this.lag(account) > 0);
      const now = this.parts.clock.now();
      if (isWanted) {
        if (!held) await this.parts.azurite.changeReplica({ act: 'track', account: name });
        const next: Followed = { account: name, syncedTo: held?.syncedTo ?? now };
        if (isStopped) next.stoppedAt = held?.stoppedAt ?? now;
        this.followed.set(name, next);
      } else if (held) {
        await this.parts.azurite.changeReplica({ act: 'forget', account: name });
        this.followed.delete(name);
      }
    });
  }

  async lastSyncTime(account: Stored): Promise<number> {
    return this.exclusively(async () => {
      const now = this.parts.clock.now();
      const held = this.followed.get(account.resource.name);
      if (!held) return now;
      const to = (held.stoppedAt ?? now) - this.lag(account);
      if (to <= held.syncedTo) return held.syncedTo;
      await this.parts.azurite.changeReplica({ act: 'sync', account: held.account, to });
      this.followed.set(held.account, { ...held, syncedTo: to });
      return to;
    });
  }

  async failOver(account: Stored): Promise<number> {
    const syncedTo = await this.lastSyncTime(account);
    await this.exclusively(async () => {
      const { name } = account.resource;
      if (!this.followed.get(name)) return;
      await this.parts.azurite.changeReplica({ act: 'failOver', account: name });
      this.followed.delete(name);
    });
    return syncedTo;
  }

  async forget(name: string): Promise<void> {
    await this.exclusively(async () => {
      this.lags.delete(`account:${name}`);
      if (!this.followed.get(name)) return;
      await this.parts.azurite.changeReplica({ act: 'forget', account: name });
      this.followed.delete(name);
    });
  }

  /** The shown lags, for the admin API: seconds by region and by account. */
  shown(): { regions: Record<string, number>; accounts: Record<string, number> } {
    const of = (prefix: string, names: Iterable<string>): Record<string, number> => {
      const found: Record<string, number> = {};
      for (const name of names) {
        const lag = this.lags.get(`${prefix}:${name}`);
        if (lag !== undefined) found[name] = lag / 1000;
      }
      return found;
    };
    const accounts = this.accounts();
    return {
      regions: of('region', new Set(accounts.map(({ region }) => region ?? ''))),
      accounts: of(
        'account',
        accounts.map(({ resource }) => resource.name),
      ),
    };
  }

  private isStopped(account: Stored): boolean {
    return this.parts.faults.modeOf(account.region ?? '', ['blob', 'storage']) !== 'none';
  }

  private accounts(): Stored[] {
    return this.parts.store.ofType(ACCOUNT);
  }

  private setLag(key: string, milliseconds: number | undefined): void {
    if (milliseconds === undefined) this.lags.delete(key);
    else this.lags.set(key, milliseconds);
  }

  /** One change at a time, in the order asked. */
  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.order.then(work);
    this.order = mine.catch(() => undefined);
    return mine;
  }
}
