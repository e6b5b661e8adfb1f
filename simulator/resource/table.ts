/** Shared words of the tables of resource types. */

import { textOf } from './fields.ts';
import { ArmError, type Resource, type ResourceType, type Verb } from '../contract/index.ts';

/** A deployment is a resource to templates, and none to lists of resources. */
export const DEPLOYMENT = 'Microsoft.Resources/deployments';

const ALL_VERBS: readonly Verb[] = ['get', 'head', 'put', 'patch', 'delete', 'list'];

/** A plain row: every verb, kept as it is sent. */
export function row(type: string, more: Partial<ResourceType> = {}): ResourceType {
  return { type, verbs: ALL_VERBS, region: 'parent', ...more };
}

/**
 * For types that stand in no region: their location is 'global', and no other. Throws ArmError 400
 * `LocationNotAvailableForResourceType`.
 */
export function placeGlobally(resource: Resource): void {
  const asked = textOf(resource.location);
  if (asked !== '' && asked.toLowerCase() !== 'global')
    throw new ArmError(
      400,
      'LocationNotAvailableForResourceType',
      `The provided location '${asked}' is not available for resource type '${resource.type}'. List of available regions for the resource type is 'global'.`,
    );
  resource.location = 'global';
}
