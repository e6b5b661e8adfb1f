/** Shares as the resource provider makes and removes them, past the region's front. */

import type { Clock, FileShares } from '../contract/index.ts';
import type { FileStore, Share } from './file-store.ts';
import { stamp } from './stamp.ts';

const DEFAULTS = { quotaGiB: 5120, accessTier: 'TransactionOptimized', metadata: {} };

export class ManagedShares implements FileShares {
  private readonly store: FileStore;
  private readonly clock: Clock;

  constructor(store: FileStore, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  shares(account: string): Share[] {
    return this.store.shares(account);
  }

  putShare(account: string, name: string, fields: Partial<Pick<Share, keyof typeof DEFAULTS>>): void {
    const existing = this.store.share(account, name);
    this.store.putShare({ ...DEFAULTS, ...existing, ...fields, account, name, ...stamp(this.clock) });
  }

  removeShare(account: string, name: string): void {
    for (const share of this.store.shares(account).filter((one) => one.name === name)) this.store.removeShare(share);
  }

  removeAccount(account: string): void {
    for (const share of this.store.shares(account)) this.store.removeShare(share);
  }
}
