/** Microsoft.Authorization: role assignments and definitions, which every request at ARM is held against, and locks. */

import type { Directory } from '../entra/directory.ts';
import { isObject, textOf } from '../resource/fields.ts';
import type { Cloud, Provider } from '../contract/index.ts';
import { locks } from './locks.ts';
import { denyAssignments, permissions } from './permissions.ts';
import { grant, roleAssignments } from './role-assignments.ts';
import { roleDefinitions } from './role-definitions.ts';
import { builtInRoleNamed } from './built-in-roles.ts';

export { builtInRoleNamed, builtInRoles } from './built-in-roles.ts';
export { grant, setRoleDelay } from './role-assignments.ts';

/**
 * What the principal of `cloud.json` has on every subscription: in Azure, Owner alone opens neither blobs nor secrets.
 */
const OWNER_ROLES = ['Owner', 'Storage Blob Data Owner', 'Key Vault Administrator'];
/**
 * Remembers that a subscription has had its owner, so that an assignment which was deleted stays so after a restart.
 */
const OWNED = 'Microsoft.Authorization/ownedSubscriptions';

export interface AuthorizationParts {
  directory: Directory;
  /** Milliseconds on the cloud's clock from a change of role assignments to its effect. */
  roleDelayMs: number;
}

export function authorization({ directory, roleDelayMs }: AuthorizationParts): Provider {
  const isPrincipal = (cloud: Cloud, objectId: string): boolean =>
    directory.allPrincipals().some((one) => one.objectId === objectId.toLowerCase()) ||
    directory.subscriptions().some(({ subscriptionId }) => hasIdentity(cloud, subscriptionId, objectId));
  return {
    namespace: 'Microsoft.Authorization',
    types: [
      roleAssignments({ delayMs: roleDelayMs, isPrincipal }),
      roleDefinitions,
      locks,
      permissions,
      denyAssignments,
    ],
    start(cloud) {
      for (const { subscriptionId } of directory.subscriptions()) giveOwner(cloud, directory, subscriptionId);
    },
  };
}

/** Makes the directory's first principal the owner of a subscription that has never had one. */
export function giveOwner(cloud: Cloud, directory: Directory, subscriptionId: string): void {
  const id = `/providers/${OWNED}/${subscriptionId}`;
  const [owner] = directory.allPrincipals();
  if (!owner || cloud.store.get(id)) return;
  for (const name of OWNER_ROLES) {
    const role = builtInRoleNamed(name);
    if (role) grant(cloud, owner.objectId, role.id, `/subscriptions/${subscriptionId}`);
  }
  const now = cloud.clock.now();
  const resource = { id, name: subscriptionId, type: OWNED, properties: {} };
  cloud.store.put({ resource, hidden: {}, etag: '', region: null, createdAt: now, changedAt: now });
}

function hasIdentity(cloud: Cloud, subscriptionId: string, objectId: string): boolean {
  const wanted = objectId.toLowerCase();
  return cloud.store.below(`/subscriptions/${subscriptionId}`).some(({ resource }) => {
    const { identity, properties } = resource;
    const own = isObject(identity) ? textOf(identity.principalId) : '';
    const assigned =
      resource.type === 'Microsoft.ManagedIdentity/userAssignedIdentities' ? textOf(properties.principalId) : '';
    return own.toLowerCase() === wanted || assigned.toLowerCase() === wanted;
  });
}
