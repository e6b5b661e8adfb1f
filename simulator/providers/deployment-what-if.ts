/** What-if: the resources of a deployment and of those nested in it, compared with what there is. */

import { isObject } from '../http/fields.ts';
import { parseResourceId } from '../http/ids.ts';
import { ArmError, type Cloud, type JsonObject, type Resource, type Stored } from '../provider.ts';
import {
  type DeploymentInput,
  type DeploymentPlan,
  type PlannedResource,
  planDeployment,
  whatIf,
  type WhatIfChange,
} from '../template/index.ts';
import { type DeploymentParts, environmentFor, inputOf, withLinks } from './deployment-input.ts';
import { requirePossible } from './deployment-preflight.ts';
import { DEPLOYMENT } from './deployment-notes.ts';

interface Previewed {
  resource: PlannedResource;
  body: JsonObject;
}

/** What is found on the way down into nested deployments. */
interface Expansion {
  deployer: DeploymentInput['deployer'];
  previewed: Previewed[];
  /** Nested deployments of whose template too much is known only while deploying. */
  unsupported: WhatIfChange[];
}

/** An expression left as it stands, since only the deployment will know its value. */
const UNRESOLVED = /"\[(?!\[)[^"]*\b(?:references?|list\w*)\(/i;

/** The changes that a deployment would make. Throws ArmError InvalidTemplate for a nested template that is wrong. */
export async function predictChanges(
  cloud: Cloud,
  parts: DeploymentParts,
  input: DeploymentInput,
  plan: DeploymentPlan,
  format: 'ResourceIdOnly' | 'FullResourcePayloads',
): Promise<WhatIfChange[]> {
  const found: Expansion = { deployer: input.deployer, previewed: [], unsupported: [] };
  await expandPlan(cloud, parts, plan, found);
  // Two nested deployments may have the same resource: it is one change.
  const planned = new Map(found.previewed.map((one) => [one.resource.id.toLowerCase(), one]));
  const current = currentResources(cloud, input, [...planned.keys()]);
  return [...whatIf([...planned.values()], current, input.mode, format), ...found.unsupported];
}

async function expandPlan(
  cloud: Cloud,
  parts: DeploymentParts,
  plan: DeploymentPlan,
  found: Expansion,
): Promise<void> {
  const environment = environmentFor(cloud, parts);
  const created = plan.resources.filter(({ existing }) => !existing);
  const previewed = await Promise.all(
    created.map(async (resource) => ({ resource, body: await plan.previewBody(resource, environment) })),
  );
  const groups = plannedGroups(previewed);
  const within: DeploymentParts = {
    ...parts,
    plannedGroup: (id) => groups.get(id.toLowerCase()) ?? parts.plannedGroup?.(id),
  };
  for (const one of previewed) {
    if (one.resource.nested) await expandNested(cloud, within, one, found);
    else found.previewed.push(one);
  }
}

async function expandNested(
  cloud: Cloud,
  parts: DeploymentParts,
  { resource, body }: Previewed,
  found: Expansion,
): Promise<void> {
  const id = parseResourceId(resource.id);
  const properties = isObject(body.properties) ? body.properties : {};
  if (!id) return;
  try {
    const location = typeof body.location === 'string' ? body.location : undefined;
    const linked = await withLinks(parts, properties);
    const input = inputOf(cloud, parts, id, linked, location, new Date(cloud.clock.now()));
    const plan = planDeployment(found.deployer ? { ...input, deployer: found.deployer } : input);
    requirePossible(cloud, plan, input.scope, parts.providers());
    await expandPlan(cloud, parts, plan, found);
  } catch (error) {
    if (!(error instanceof ArmError) || !UNRESOLVED.test(JSON.stringify(properties))) throw error;
    found.unsupported.push({
      resourceId: resource.id,
      changeType: 'Unsupported',
      unsupportedReason: `The nested deployment '${resource.name}' needs values that are known only while deploying: ${error.message}`,
    });
  }
}

/** The resource groups that a template makes: what is nested may be deployed into them. */
function plannedGroups(previewed: Previewed[]): Map<string, Resource> {
  return new Map(
    previewed
      .filter(({ resource }) => resource.type.toLowerCase() === 'microsoft.resources/resourcegroups')
      .map(({ resource: { id, name, type, location = '' }, body }) => {
        const { tags } = body;
        const properties = { provisioningState: 'Succeeded' };
        const group = { id, name, type, location, properties, ...(isObject(tags) ? { tags } : {}) };
        return [id.toLowerCase(), group];
      }),
  );
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
