/**
 * Types that have no row: kept as they are sent, in Azure's envelope, so that a template of whatever Azure offers can
 * be deployed. A namespace or a type that Azure does not have is still refused, and so is one whose behaviour would
 * have to be made up.
 */

import { isObject, textOf } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type Provider,
  type ResourceId,
  type ResourceType,
} from '../contract/index.ts';
import { registered, type RegisteredType } from '../resource/registered-types.ts';
import { row } from '../resource/table.ts';
import { readOnlyFields } from './fields.ts';
import { keyActions } from './keys.ts';

/** Children that exist without anybody making them: the one service, setting or policy of their kind. */
const SINGLETONS = new Set(
  'default current service web logs sql mongodb cassandra gremlin table azure events manual'.split(' '),
);

/** A registered type at the top of its namespace; undefined: Azure has none. */
function known(type: string): (RegisteredType & { namespace: string }) | undefined {
  const [namespace = '', top = ''] = type.split('/');
  const found = registered.get(namespace.toLowerCase());
  if (!found) return undefined;
  const named = found.types.get(top.toLowerCase());
  if (named) return { ...named, namespace: found.namespace };
  return found.types.size === 0 ? { name: top, needsLocation: false, namespace: found.namespace } : undefined;
}

/** The row of a type that no provider has; undefined where Azure does not have it either. */
function unlistedRow(type: string): ResourceType | undefined {
  const top = known(type);
  const [, , ...below] = type.split('/');
  // A question that is asked by GET (`listUsages`) reads like a list of a type, and is none.
  if (!top || type.endsWith('/') || /\/list[A-Z]\w*$/.test(type)) return undefined;
  const name = [top.namespace, top.name, ...below].join('/');
  const isTop = below.length === 0;
  const actions = keyActions(name, requireParent);
  return row(name, {
    region: isTop && top.needsLocation ? 'own' : 'either',
    provisioningState: true,
    pageSize: 50,
    checksParents: true,
    beforePut(call, next) {
      requireParent(call);
      next.resource.properties = readOnlyFields(name, call, next);
    },
    actions,
    // Azure makes access rules, function hosts and triggers by itself: their keys are there though nobody put them.
    actionsWithoutResource: isTop ? [] : Object.keys(actions),
  });
}

/** Azure makes some parents by itself, or of what stands in another's properties; any other must be there. */
function requireParent({ cloud, id }: Pick<Call, 'cloud' | 'id'>): void {
  for (let parent = above(id); parent; parent = above(parent)) {
    if (cloud.store.get(parent.id)) return;
    if (isImplied(cloud, parent)) continue;
    throw new ArmError(
      404,
      'ParentResourceNotFound',
      `Failed to perform the requested operation on resource(s) of type '${id.type.split('/').slice(1).join('/')}', because the parent resource '${parent.id}' ('${parent.name}') could not be found.`,
    );
  }
}

function above({ parent }: ResourceId): ResourceId | undefined {
  return parent === undefined ? undefined : parseResourceId(parent);
}

function isImplied(cloud: Cloud, id: ResourceId): boolean {
  if (id.parent === undefined) return false;
  if (SINGLETONS.has(id.name.toLowerCase())) return true;
  const list = id.type.slice(id.type.lastIndexOf('/') + 1).toLowerCase();
  const properties = Object.entries(cloud.store.get(id.parent)?.resource.properties ?? {});
  const inline = properties.find(([name]) => name.toLowerCase() === list)?.[1];
  if (!Array.isArray(inline)) return false;
  return inline.some((item) => isObject(item) && textOf(item.name).toLowerCase() === id.name.toLowerCase());
}

/** One provider for all of them; each is asked for by its type when it is first used. */
export const unlisted: Provider = { namespace: '', types: [], unlisted: unlistedRow };
