/**
 * What Azure publishes for Machine Learning (its API of 2024-04-01), and which of it the local Azure has.
 * `operations.json` lists the operations by their published ids; what none of the rows answers is refused by that id,
 * never as if Azure had no such thing.
 */

import { parseTarget } from '../resource/ids.ts';
import type { Provider, ResourceType } from '../contract/index.ts';
import { publishedIn, refusalOf, type PublishedOperation } from '../resource/published.ts';
import operations from './operations.json' with { type: 'json' };

export const published: readonly PublishedOperation[] = publishedIn(operations);

const refuse = refusalOf(published);

/**
 * Refuses a request that no row and no other route has answered, if it is one of the published operations.
 *
 * Errors: 501 NotImplemented that names the operation.
 */
export function refuseUnoffered(request: Parameters<NonNullable<Provider['route']>>[0]): Promise<undefined> {
  refuse(request);
  return Promise.resolve(undefined);
}

/**
 * Whether one of the rows answers the operation; `others`: those at paths that are no resource, by their last segments.
 */
export function isOffered(
  operation: PublishedOperation,
  rows: readonly ResourceType[],
  others: readonly RegExp[],
): boolean {
  const { method, path } = operation;
  if (others.some((pattern) => pattern.test(`${method} ${path}`))) return true;
  const rowOf = (type: string): ResourceType | undefined =>
    rows.find((row) => row.type.toLowerCase() === type.toLowerCase());
  if (method === 'POST') {
    const slash = path.lastIndexOf('/');
    const above = parseTarget(path.slice(0, slash));
    if (above.kind !== 'resource') return false;
    return rowOf(above.id.type)?.actions?.[path.slice(slash + 1).toLowerCase()] !== undefined;
  }
  const target = parseTarget(path);
  if (target.kind === 'collection') return rowOf(target.type)?.verbs.includes('list') ?? false;
  if (target.kind !== 'resource') return false;
  const verb = method.toLowerCase();
  return rowOf(target.id.type)?.verbs.some((one) => one === verb) ?? false;
}
