/** The way down into nested deployments before anything is made: for validation and for what-if. */

import { isObject } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import { ArmError, type Cloud, type JsonObject, type Resource } from '../contract/index.ts';
import {
  type DeploymentInput,
  type DeploymentPlan,
  locatedIn,
  type PlannedResource,
  planDeployment,
  type WhatIfChange,
} from '../template/index.ts';
import { type DeploymentParts, environmentFor, inputOf, withLinks } from './input.ts';
import { requirePossible } from './preflight.ts';

export interface Previewed {
  resource: PlannedResource;
  body: JsonObject;
}

/** What is found on the way down. */
export interface Expansion {
  /** All that is no deployment, at any depth. */
  previewed: Previewed[];
  /** Nested deployments of whose template too much is known only while deploying. */
  unsupported: WhatIfChange[];
}

interface Descent extends Expansion {
  cloud: Cloud;
  parts: DeploymentParts;
  deployer: DeploymentInput['deployer'];
  /** Does anybody need the body of such a resource? It is evaluated only then. */
  wants: (resource: PlannedResource) => boolean;
  /** Resource groups that any of the templates makes: what is nested may be deployed into them. */
  groups: Map<string, Resource>;
}

const GROUP = 'microsoft.resources/resourcegroups';
/** An expression left as it stands, since only the deployment will know its value. */
const UNRESOLVED = /"\[(?!\[)[^"]*\b(?:references?|list\w*)\(/i;

/**
 * All resources of a plan and of the deployments nested in it. Throws the ArmError that a nested deployment would be
 * refused with, unless it stands to reason that this will be otherwise when its turn comes.
 */
export async function expand(
  cloud: Cloud,
  parts: DeploymentParts,
  { deployer }: DeploymentInput,
  plan: DeploymentPlan,
  wants: Descent['wants'],
): Promise<Expansion> {
  const groups = new Map<string, Resource>();
  const within: DeploymentParts = {
    ...parts,
    plannedGroup: (id) => groups.get(id.toLowerCase()) ?? parts.plannedGroup?.(id),
  };
  const found: Descent = { cloud, parts: within, deployer, wants, groups, previewed: [], unsupported: [] };
  await expandPlan(found, plan);
  return found;
}

async function expandPlan(found: Descent, plan: DeploymentPlan): Promise<void> {
  const environment = environmentFor(found.cloud, found.parts);
  const isWanted = (resource: PlannedResource): boolean =>
    resource.nested !== undefined || resource.type.toLowerCase() === GROUP || found.wants(resource);
  const previewed = await Promise.all(
    plan.resources
      .filter(({ existing }) => !existing)
      .map(async (resource) => ({
        resource,
        body: isWanted(resource) ? await plan.previewBody(resource, environment) : {},
      })),
  );
  for (const one of previewed) {
    if (one.resource.type.toLowerCase() === GROUP) found.groups.set(one.resource.id.toLowerCase(), asGroup(one));
    if (!one.resource.nested) found.previewed.push(one);
  }
  await expandAll(
    found,
    previewed.filter(({ resource }) => resource.nested),
  );
}

/** One may be deployed into the group that another makes: it is tried again once the others are known. */
async function expandAll(found: Descent, nested: Previewed[]): Promise<void> {
  const waiting: { one: Previewed; error: ArmError }[] = [];
  for (const one of nested) {
    try {
      await expandNested(found, one);
    } catch (error) {
      if (!(error instanceof ArmError) || error.code !== 'ResourceGroupNotFound') throw error;
      waiting.push({ one, error });
    }
  }
  const [first] = waiting;
  if (!first) return;
  if (waiting.length === nested.length) throw first.error;
  await expandAll(
    found,
    waiting.map(({ one }) => one),
  );
}

async function expandNested(found: Descent, { resource, body }: Previewed): Promise<void> {
  const { cloud, parts, deployer } = found;
  const id = parseResourceId(resource.id);
  const properties = isObject(body.properties) ? body.properties : {};
  if (!id) return;
  try {
    const location = typeof body.location === 'string' ? body.location : undefined;
    const linked = await withLinks(parts, properties);
    const input = locatedIn(
      () => JSON.stringify({ properties }),
      () => inputOf(cloud, parts, id, linked, location, new Date(cloud.clock.now())),
    );
    const plan = planDeployment(deployer ? { ...input, deployer } : input);
    requirePossible(cloud, plan, input.scope, parts.providers());
    await expandPlan(found, plan);
  } catch (error) {
    if (!(error instanceof ArmError) || !UNRESOLVED.test(JSON.stringify(properties))) throw error;
    found.unsupported.push({
      resourceId: resource.id,
      changeType: 'Unsupported',
      unsupportedReason: `The nested deployment '${resource.name}' needs values that are known only while deploying: ${error.message}`,
    });
  }
}

function asGroup({ resource: { id, name, type, location = '' }, body: { tags } }: Previewed): Resource {
  const properties = { provisioningState: 'Succeeded' };
  return { id, name, type, location, properties, ...(isObject(tags) ? { tags } : {}) };
}
