/** The managed identity of a resource, as a request says it. */
import type { ArmResource, JsonObject } from './azure.ts';

/**
 * The kind of identity that a resource has; identities that a user assigned are named by their ids, without what Azure shows beside
 * them. `otherwise`: the kind where Azure shows none.
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
