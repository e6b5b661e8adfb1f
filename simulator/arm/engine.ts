/**
 * What the verbs of the ARM envelope share: the rows, the store, who is dark, and what they have in common to check.
 */

import { randomUUID } from 'node:crypto';
import type { Directory } from '../entra/directory.ts';
import { GLOBAL, managementParts, type Faults } from '../faults/faults.ts';
import type { Asked } from '../faults/parts.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type JsonObject,
  type Provider,
  type Resource,
  type ResourceId,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { registered } from '../resource/registered-types.ts';
import { normalizeRegion } from '../resource/regions.ts';
import { objectBody, type ArmRequest } from '../http/answer.ts';
import { isObject } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import type { Lists } from './lists.ts';
import type { OperationRecord, Operations } from './operations.ts';
import { beingDeleted, isNamedWhenMissing, locationRequired, notAvailable, notFound } from '../resource/refusals.ts';

export class Engine {
  readonly cloud: Cloud;
  readonly operations: Operations;
  readonly faults: Faults;
  readonly directory: Directory;
  readonly providers: readonly Provider[];
  /** Multiplies the time of every long-running operation. */
  readonly pace: number;
  readonly lists: Lists;
  private readonly rows = new Map<string, ResourceType>();
  private readonly locks = new Map<string, Promise<unknown>>();

  constructor(parts: {
    cloud: Cloud;
    operations: Operations;
    faults: Faults;
    directory: Directory;
    providers: readonly Provider[];
    pace: number;
    lists: Lists;
  }) {
    this.cloud = parts.cloud;
    this.operations = parts.operations;
    this.faults = parts.faults;
    this.directory = parts.directory;
    this.providers = parts.providers;
    this.pace = parts.pace;
    this.lists = parts.lists;
    for (const provider of parts.providers) {
      for (const row of provider.types) this.rows.set(row.type.toLowerCase(), row);
    }
  }

  row(type: string): ResourceType | undefined {
    return this.rows.get(type.toLowerCase()) ?? this.unlisted(type);
  }

  /** A row made for a type that has none. */
  private unlisted(type: string): ResourceType | undefined {
    return this.providers.map((provider) => provider.unlisted?.(type)).find((found) => found);
  }

  /** The row of a type. Throws ArmError as Azure does for a namespace or a type that it does not have. */
  requireRow(type: string): ResourceType {
    const row = this.row(type);
    if (row) return row;
    const [namespace = '', ...segments] = type.split('/');
    const provider = this.providers.some((one) => one.types.some((t) => sameNamespace(t.type, namespace)));
    if (!provider && !registered.has(namespace.toLowerCase())) {
      throw new ArmError(
        404,
        'InvalidResourceNamespace',
        `The resource namespace '${namespace}' is invalid: Azure has none of this name that the local Azure knows.`,
      );
    }
    throw new ArmError(
      404,
      'InvalidResourceType',
      `The resource type '${segments.join('/')}' could not be found in the namespace '${namespace}'. The local Azure does not offer it.`,
    );
  }

  /** One at a time for each resource: two PUTs of one id do not see each other half-way. */
  async exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.locks.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.locks.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.locks.get(key) === settled) this.locks.delete(key);
    }
  }

  call(request: ArmRequest, id: ResourceId, existing: Stored | undefined, verb: Call['verb']): Call {
    const body = request.body === undefined ? {} : objectBody(request.body);
    const { apiVersion, query, headers, principal, within } = request;
    const call = { cloud: this.cloud, verb, id, apiVersion, query, headers, body, existing, principal };
    return within ? { ...call, within } : call;
  }

  /** The call of an operation that ends now, maybe after a restart. */
  recall(record: OperationRecord, existing: Stored | undefined): Call {
    const id = parseResourceId(record.resourceId);
    if (!id) throw new Error(`operation ${record.id}: '${record.resourceId}' is no resource id`);
    const { apiVersion, body, principal, kind: verb } = record;
    return {
      cloud: this.cloud,
      verb,
      id,
      apiVersion,
      query: new URLSearchParams(record.query),
      headers: {},
      body,
      existing,
      principal,
    };
  }

  show(row: ResourceType, stored: Stored): Resource {
    return row.show ? row.show(this.cloud, stored) : stored.resource;
  }

  /** Subscription, resource group and parent of `id` must exist, for Azure's stated reasons. */
  requireScope(id: ResourceId): void {
    this.requirePlace(id);
    const row = this.row(id.type);
    if (row?.checksParents) return;
    const implied = row?.impliesParent === true;
    const parent = implied && id.parent !== undefined ? parseResourceId(id.parent)?.parent : id.parent;
    if (parent !== undefined) this.requireParent(parent, id.type);
    const extended = id.scope.toLowerCase().includes('/providers/') ? parseResourceId(id.scope) : undefined;
    if (extended && this.row(extended.type) && !this.cloud.store.get(extended.id)) throw notFound(extended);
  }

  /** Nothing is written into a group that is being deleted. Throws ArmError 409 `ResourceGroupBeingDeleted`. */
  requireLasting({ subscriptionId, resourceGroup }: ResourceId): void {
    if (resourceGroup === undefined) return;
    const group = this.cloud.store.get(`/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`);
    if (group?.resource.properties.provisioningState !== 'Deleting') return;
    throw beingDeleted(group.resource.name);
  }

  /** What a list is asked of must exist: a subscription, a resource group, or a resource. */
  requireContainer(container: ResourceId, type: string): void {
    this.requirePlace(container);
    const isSubscription = container.type === 'Microsoft.Resources/subscriptions';
    if (isSubscription || this.cloud.store.get(container.id) || !this.row(container.type)) return;
    if (container.type === 'Microsoft.Resources/resourceGroups') throw notFound(container);
    // A container that its first entry would make has, until then, an empty list.
    const implied = this.row(type)?.impliesParent === true && container.parent !== undefined;
    this.requireParent(implied ? (container.parent ?? '') : container.id, type);
  }

  private requirePlace({ subscriptionId, resourceGroup, type }: ResourceId): void {
    if (subscriptionId !== undefined && !this.directory.subscription(subscriptionId)) {
      throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscriptionId}' could not be found.`);
    }
    if (resourceGroup === undefined || type === 'Microsoft.Resources/resourceGroups') return;
    if (!this.cloud.store.get(`/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`)) {
      throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${resourceGroup}' could not be found.`);
    }
  }

  private requireParent(parent: string, type: string): void {
    if (this.cloud.store.get(parent)) return;
    const above = parseResourceId(parent);
    if (above && isNamedWhenMissing(above)) throw notFound(above);
    const name = parent.slice(parent.lastIndexOf('/') + 1);
    throw new ArmError(
      404,
      'ParentResourceNotFound',
      `Failed to perform the requested operation on resource(s) of type '${type.split('/').slice(1).join('/')}', because the parent resource '${parent}' ('${name}') could not be found.`,
    );
  }

  /**
   * The region a request for `id` goes to: the resource's, or the one it would have. Throws ArmError for an impossible
   * location.
   */
  regionOf(row: ResourceType, id: ResourceId, existing: Stored | undefined, body?: JsonObject): string | null {
    if (existing) return existing.region;
    switch (row.region) {
      case 'global':
        return null;
      case 'either':
      case 'parent': {
        if (row.region === 'either' && typeof body?.location === 'string') return this.requireLocation(row, body);
        const group = id.resourceGroup && `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`;
        for (let above = id.parent; above !== undefined; above = parseResourceId(above)?.parent) {
          const found = this.cloud.store.get(above);
          if (found) return found.region;
        }
        return (
          this.cloud.store.get(id.scope)?.region ?? (group ? this.cloud.store.get(group)?.region : undefined) ?? null
        );
      }
      case 'own':
        return body === undefined ? null : this.requireLocation(row, body);
    }
  }

  /** Latency, errors, darkness: what stands between the client and the region. `null`: a global resource. */
  async reach(region: string | null, namespace: string, asked: Asked): Promise<void> {
    await this.faults.disturb(GLOBAL, asked);
    if (region === null) return;
    this.faults.requireUp(region, managementParts(namespace), asked);
    await this.faults.disturb(region, asked);
  }

  /** What multiplies the time of a long-running operation that begins now in a region. */
  paceOf(region: string | null): number {
    return this.pace * this.faults.operationFactor(region);
  }

  private requireLocation(row: ResourceType, body: JsonObject): string | null {
    const location = body.location;
    if (typeof location !== 'string' || location === '') {
      throw locationRequired();
    }
    const region = normalizeRegion(location);
    if (region === 'global') return null;
    if (!this.cloud.regions.includes(region)) throw notAvailable(row.type, location, this.cloud.regions);
    return region;
  }
}

/** A managed identity as Azure fills it in: a principal of its own that a later PUT keeps. */
export function fillIdentity(engine: Engine, resource: Resource, before: Resource | undefined): void {
  const identity = resource.identity;
  if (!isObject(identity) || typeof identity.type !== 'string') return;
  const old = isObject(before?.identity) ? before.identity : {};
  // Both are read-only: what a client sends of them does not count, and they go with the identity.
  delete identity.principalId;
  delete identity.tenantId;
  if (/systemassigned/i.test(identity.type)) {
    identity.principalId = old.principalId ?? randomUUID();
    identity.tenantId = engine.cloud.tenantId;
  }
  if (!isObject(identity.userAssignedIdentities)) return;
  for (const [id, value] of Object.entries(identity.userAssignedIdentities)) {
    const assigned = engine.cloud.store.get(id);
    if (!assigned)
      throw new ArmError(
        400,
        'FailedIdentityOperation',
        `Identity operation for resource '${resource.id}' failed: the user assigned identity '${id}' was not found.`,
      );
    const { principalId = null, clientId = null } = assigned.resource.properties;
    identity.userAssignedIdentities[id] = { ...(isObject(value) ? value : {}), principalId, clientId };
  }
}

function sameNamespace(type: string, namespace: string): boolean {
  return type.toLowerCase().startsWith(`${namespace.toLowerCase()}/`);
}
