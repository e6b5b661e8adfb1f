/** The command of a job: its own, or that of the component that it was made of. */

import type { Cloud, JsonObject, Stored } from '../../../contract/index.ts';
import { objectOf, textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { resolveAsset } from '../../bodies/references.ts';

export interface CommandSpec {
  command: string | undefined;
  code: string | undefined;
}

export function commandOf(cloud: Cloud, job: Stored): CommandSpec {
  const { properties } = job.resource;
  const spec = componentSpec(cloud, workspaceIdOf(job.resource.id), textOf(properties.componentId));
  return {
    command: textOf(properties.command) ?? textOf(spec.command),
    code: textOf(properties.codeId) ?? textOf(spec.code),
  };
}

/** What a component says of itself; empty where there is none. */
export function componentSpec(cloud: Cloud, workspaceId: string, reference: string | undefined): JsonObject {
  const component = reference === undefined ? undefined : resolveAsset(cloud, workspaceId, 'components', reference);
  return objectOf(component?.resource.properties.componentSpec);
}
