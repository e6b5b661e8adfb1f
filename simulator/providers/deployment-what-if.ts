/** What-if: the resources of a deployment and of those nested in it, compared with what there is. */

import type { Cloud, JsonObject, Principal, Resource, Stored } from '../provider.ts';
import { type DeploymentInput, type DeploymentPlan, whatIf, type WhatIfChange } from '../template/index.ts';
import type { DeploymentParts } from './deployment-input.ts';
import { expand } from './deployment-nested.ts';
import { DEPLOYMENT } from './deployment-notes.ts';
import { withoutReadOnly } from './read-only-fields.ts';

/** The changes that a deployment would make. Throws ArmError InvalidTemplate for a nested template that is wrong. */
export async function predictChanges(
  cloud: Cloud,
  principal: Principal,
  parts: DeploymentParts,
  input: DeploymentInput,
  plan: DeploymentPlan,
  format: 'ResourceIdOnly' | 'FullResourcePayloads',
): Promise<WhatIfChange[]> {
  const found = await expand(cloud.as(principal), parts, input, plan, () => true);
  // Two nested deployments may have the same resource: it is one change.
  const planned = new Map(found.previewed.map((one) => [one.resource.id.toLowerCase(), one]));
  const current = currentResources(cloud, input, [...planned.keys()]);
  return [...whatIf([...planned.values()], current, input.mode, format, shownBefore), ...found.unsupported];
}

/** What the scope holds now: the group's top-level resources, and whatever is planned anywhere. */
function currentResources(cloud: Cloud, { scope }: DeploymentInput, planned: string[]): JsonObject[] {
  const inGroup = scope.resourceGroup ? cloud.store.below(scope.resourceGroup.id) : [];
  const isTopLevel = ({ resource: { id, type } }: Stored): boolean =>
    type !== DEPLOYMENT && (id.match(/\//g)?.length ?? 0) === 8;
  const ids = new Set([
    ...inGroup.filter(isTopLevel).map(({ resource }) => resource.id.toLowerCase()),
    ...planned,
  ]);
  return [...ids].map((id) => cloud.showResource(id)).filter((resource) => resource !== undefined);
}

/** As a template would have it, for Azure compares no more. */
function shownBefore(resource: JsonObject): JsonObject {
  return withoutReadOnly(resource as Resource);
}
