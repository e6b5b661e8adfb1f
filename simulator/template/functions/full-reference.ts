/** What `reference(…, 'Full')` gives: not the resource as a GET shows it, but how a deployment thinks of it. */

import type { JsonObject } from '../../contract/index.ts';
import type { PlannedResource } from '../language/types.ts';

/**
 * The members that a resource brings with it, where it has them; the others (id, name, type, systemData) cannot be
 * asked for.
 */
const OWN = 'location extendedLocation tags plan sku kind zones identity managedBy etag scale properties'.split(' ');

const IN_GROUP =
  /^\/subscriptions\/(?<subscription>[^/]+)(?:\/resourceGroups\/(?<group>[^/]+))?(?:\/providers\/)?(?<rest>.*)$/i;

interface Referred {
  id: string;
  /** The template's resource of this id; undefined if it is none of the template's. */
  planned: PlannedResource | undefined;
  apiVersion: string | undefined;
}

/** Source: ARM templates, "reference" (its example of 'Full'); the order and names of members in Azure's refusals. */
export function fullReference(shown: JsonObject, { id, planned, apiVersion = '' }: Referred): JsonObject {
  const { subscription = '', group = '', rest = id } = IN_GROUP.exec(id)?.groups ?? {};
  const isMade = planned !== undefined && !planned.existing;
  const own = OWN.flatMap((member) => (shown[member] === undefined ? [] : [[member, shown[member]]]));
  return {
    apiVersion: planned?.apiVersion ?? apiVersion,
    ...(Object.fromEntries(own) as JsonObject),
    condition: true,
    existing: planned?.existing ?? false,
    isConditionTrue: true,
    subscriptionId: subscription,
    resourceGroupName: group,
    scope: '',
    resourceId: rest,
    referenceApiVersion: apiVersion,
    isTemplateResource: isMade,
    isAction: false,
    provisioningOperation: isMade ? 'Create' : 'Read',
  };
}
