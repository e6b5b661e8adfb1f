/** GET, HEAD and lists of resources. */

import { ArmError, type Call, type ResourceId, type ResourceType, type Stored } from '../contract/index.ts';
import { managementParts } from '../faults/faults.ts';
import type { Answer, ArmRequest } from '../http/answer.ts';
import type { Engine } from './engine.ts';
import { containerKey, parseResourceId, type Target } from '../resource/ids.ts';
import { page } from '../http/paging.ts';
import { notFound } from '../resource/refusals.ts';

export async function read(engine: Engine, row: ResourceType, id: ResourceId, request: ArmRequest): Promise<Answer> {
  const existing = engine.cloud.store.get(id.key) ?? row.alias?.(engine.cloud, id);
  const expand = request.query.get('$expand') ?? '';
  const answeredBy = existing && expand !== '' ? row.answeredBy?.(existing, { expand }) : undefined;
  await engine.reach(answeredBy ?? engine.regionOf(row, id, existing), id.provider, request);
  if (request.method === 'HEAD') return { status: existing ? 204 : 404 };
  if (!existing) {
    engine.requireScope(id);
    throw notFound(id);
  }
  const shown = engine.show(row, existing);
  const more = expand === '' ? undefined : await row.expand?.(engine.cloud, existing, expand.split(','));
  const body = more ? { ...shown, properties: { ...shown.properties, ...more } } : shown;
  return { status: 200, headers: { ETag: existing.etag }, body };
}

export async function list(
  engine: Engine,
  row: ResourceType,
  target: Extract<Target, { kind: 'collection' }>,
  request: ArmRequest,
): Promise<Answer> {
  const above = scopeOf(target);
  if (above) engine.requireContainer(above, row.type);
  const parent = target.parent === undefined ? undefined : engine.cloud.store.get(target.parent);
  await engine.reach(parent?.region ?? null, target.provider, request);
  const call = engine.call({ ...request, body: {} }, above ?? fallbackId(target), undefined, 'list');
  const listed =
    parent && target.parent !== undefined && !engine.lists.isLagging
      ? engine.lists.ofChildren(row, target.parent, call)
      : listAsSeen(engine, row, target, call, parent !== undefined);
  const { items, nextLink } = page(engine.cloud.armEndpoint, request, listed, row.pageSize ?? 10);
  const value = items.map((stored) => engine.show(row, stored));
  return { status: 200, body: nextLink === undefined ? { value } : { value, nextLink } };
}

/**
 * As the list is shown now: without what lies in a region that does not answer, and as far behind as a scenario has it.
 */
function listAsSeen(
  engine: Engine,
  row: ResourceType,
  target: Extract<Target, { kind: 'collection' }>,
  call: Call,
  hasParent: boolean,
): Stored[] {
  const parts = managementParts(target.provider);
  const found = engine.lists.asListed(entriesOf(engine, row, target), (stored) => isOf(row, target, stored));
  // A list across regions is what the regions answer: a dark one is missing from it.
  const entries = hasParent
    ? found
    : found.filter(({ region }) => region === null || engine.faults.modeOf(region, parts) === 'none');
  return row.list ? row.list(call, entries) : entries;
}

/** The entries that a collection's path names: children, those of a group, or those of a whole subscription. */
function entriesOf(engine: Engine, row: ResourceType, target: Extract<Target, { kind: 'collection' }>): Stored[] {
  const { store } = engine.cloud;
  if (target.parent !== undefined) return store.children(target.parent, row.type);
  const isSubscription = /^\/subscriptions\/[^/]+$/i.test(target.scope);
  if (!isSubscription) return store.children(target.scope, row.type);
  const prefix = `${target.scope.toLowerCase()}/`;
  return store.ofType(row.type).filter(({ resource }) => resource.id.toLowerCase().startsWith(prefix));
}

/** Would the collection have listed this resource? */
function isOf(row: ResourceType, target: Extract<Target, { kind: 'collection' }>, { resource }: Stored): boolean {
  const id = resource.id.toLowerCase();
  if (resource.type.toLowerCase() !== row.type.toLowerCase()) return false;
  if (target.parent !== undefined) return containerKey(id) === target.parent.toLowerCase();
  return id.startsWith(`${target.scope.toLowerCase()}/`);
}

/** The id above the list, so that its existence can be checked and the row's `list` knows where it is. */
function scopeOf(target: Extract<Target, { kind: 'collection' }>): ResourceId | undefined {
  return parseResourceId(target.parent ?? target.scope);
}

function fallbackId(target: Extract<Target, { kind: 'collection' }>): ResourceId {
  const { scope, type, provider } = target;
  return { id: scope, key: scope.toLowerCase(), provider, type, names: [], name: '', scope };
}

/** Throws ArmError 405 unless the row offers the verb. */
export function requireVerb(row: ResourceType, verb: ResourceType['verbs'][number]): void {
  if (row.verbs.includes(verb) || (verb === 'head' && row.verbs.includes('get'))) return;
  throw new ArmError(
    405,
    'MethodNotAllowed',
    `The operation '${verb}' is not supported for resource type '${row.type}'.`,
  );
}
