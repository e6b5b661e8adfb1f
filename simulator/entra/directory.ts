/** The tenant, its service principals and its subscriptions, kept in the journal. */

import { randomBytes, randomUUID } from 'node:crypto';
import type { Principal } from '../contract/index.ts';
import type { Journal, Table } from '../state/journal.ts';

export interface ServicePrincipal extends Principal {
  displayName: string;
  secrets: string[];
}

export interface Subscription {
  subscriptionId: string;
  displayName: string;
}

export class Directory {
  readonly tenantId: string;
  private readonly principals: Table<ServicePrincipal>;
  private readonly subscriptionTable: Table<Subscription>;

  /** Opens the directory; a fresh one gets a tenant, one subscription and one service principal. */
  constructor(journal: Journal) {
    const tenant = journal.table<string>('tenant');
    if (tenant.get('id') === undefined) tenant.set('id', randomUUID());
    this.tenantId = tenant.get('id') ?? '';
    this.principals = journal.table<ServicePrincipal>('principals');
    this.subscriptionTable = journal.table<Subscription>('subscriptions');
    if (this.subscriptionTable.size === 0) this.addSubscription('Local Azure');
    if (this.principals.size === 0) this.addPrincipal('local-azure-owner');
  }

  addPrincipal(displayName: string): ServicePrincipal {
    const principal: ServicePrincipal = {
      displayName,
      objectId: randomUUID(),
      clientId: randomUUID(),
      tenantId: this.tenantId,
      secrets: [randomBytes(24).toString('base64url')],
    };
    this.principals.set(principal.clientId, principal);
    return principal;
  }

  removePrincipal(clientId: string): boolean {
    const known = this.principals.get(clientId.toLowerCase()) !== undefined;
    this.principals.delete(clientId.toLowerCase());
    return known;
  }

  principal(clientId: string): ServicePrincipal | undefined {
    return this.principals.get(clientId.toLowerCase());
  }

  addSubscription(displayName: string): Subscription {
    const subscription = { subscriptionId: randomUUID(), displayName };
    this.subscriptionTable.set(subscription.subscriptionId, subscription);
    return subscription;
  }

  subscription(id: string): Subscription | undefined {
    return this.subscriptionTable.get(id.toLowerCase());
  }

  subscriptions(): Subscription[] {
    return [...this.subscriptionTable.values()];
  }

  allPrincipals(): ServicePrincipal[] {
    return [...this.principals.values()];
  }
}
