/**
 * What Azure publishes for resource groups, resources, tags, providers and deployments (its API of 2024-03-01), and
 * which of it the local Azure has. What it has not is refused by its published id, though a row would answer something
 * like it.
 */

import { publishedIn, refusalOf, type PublishedOperation } from '../resource/published.ts';
import operations from './operations.json' with { type: 'json' };

export const publishedResources: readonly PublishedOperation[] = publishedIn(operations);

/**
 * No management groups, no deployments at the tenant, no moves between groups, no names of tags apart from resources.
 */
const NOT_OFFERED = [
  /AtTenantScope$/,
  /AtManagementGroupScope$/,
  /^Resources_(Validate)?MoveResources$/,
  /^Tags_(CreateOrUpdate|CreateOrUpdateValue|Delete|DeleteValue|List)$/,
];
const OFFERED = ['Providers_ListAtTenantScope', 'Providers_GetAtTenantScope'];

/**
 * Whether the local Azure offers a published operation on resources and deployments; the others are refused with 501.
 */
export function offersOnResources({ id }: PublishedOperation): boolean {
  return OFFERED.includes(id) || !NOT_OFFERED.some((pattern) => pattern.test(id));
}

/** Refuses what is not offered. Errors: 501 NotImplemented that names the operation. */
export const refuseOnResources = refusalOf(publishedResources.filter((operation) => !offersOnResources(operation)));
