/** The managed identity of a resource, in the form for a request body. */
import type { ArmResource, JsonObject } from './azure.ts';

/**
 * Returns the identity of a resource for a request. User-assigned identities are named by their ids, without the other
 * fields that Azure returns. `otherwise`: the kind to use if Azure returns none.
 */
export function identityBody(
  source: ArmResource | undefined,
  otherwise: 'None' | 'SystemAssigned',
  rewrite: (id: string) => string = (id) => id,
): JsonObject {
  const { type, userAssignedIdentities } = (source?.['identity'] ?? {}) as {
    type?: string;
    userAssignedIdentities?: JsonObject | null;
  };
  const assigned = Object.keys(userAssignedIdentities ?? {});
  if (type === undefined || assigned.length === 0) return { type: type ?? otherwise };
  return { type, userAssignedIdentities: Object.fromEntries(assigned.map((id) => [rewrite(id), {}])) };
}
