/** Nothing is made below a workspace that is still being made itself. */

import type { ResourceType } from '../../contract/index.ts';
import { workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { conflict } from '../bodies/refusals.ts';

/** The row, whose PUT and PATCH are refused with 409 until the workspace above has been made. */
export function belowReadyWorkspace(row: ResourceType): ResourceType {
  if (!row.type.startsWith(`${WORKSPACES}/`)) return row;
  return {
    ...row,
    async beforePut(call, next) {
      const workspaceId = workspaceIdOf(call.id.id);
      const workspace = call.cloud.store.get(workspaceId)?.resource;
      if (workspace?.properties.provisioningState === 'Creating')
        throw conflict(
          `The workspace '${workspace.name}' is in provisioning state 'Creating': wait until it is 'Succeeded', then try again.`,
        );
      await row.beforePut?.(call, next);
    },
  };
}
