/**
 * What the caller may do at a scope (`…/permissions`), and the deny assignments there, of which this cloud has none.
 */

import type { Call, ResourceType, Stored } from '../contract/index.ts';
import { row } from '../resource/table.ts';
import { permissionsAt } from './access.ts';

export const permissions: ResourceType = row('Microsoft.Authorization/permissions', {
  region: 'global',
  verbs: ['list'],
  pageSize: 1000,
  checksParents: true,
  list: listPermissions,
  show: (_cloud, { hidden }) => hidden.permission as never,
});

/** Azure makes deny assignments itself, for what it manages in a subscription; nobody PUTs one. */
export const denyAssignments: ResourceType = row('Microsoft.Authorization/denyAssignments', {
  region: 'global',
  verbs: ['get', 'list'],
});

function listPermissions({ cloud, id, principal }: Call): Stored[] {
  return permissionsAt(cloud, principal, id.key).map(({ actions, notActions, dataActions, notDataActions }) => ({
    resource: { id: id.id, name: '', type: id.type, properties: {} },
    hidden: {
      permission: {
        actions: [...actions],
        notActions: [...notActions],
        dataActions: [...dataActions],
        notDataActions: [...notDataActions],
      },
    },
    etag: '',
    region: null,
    createdAt: 0,
    changedAt: 0,
  }));
}
