/** What deployments, validations and predictions show of a template. */

import { isObject, textOf } from '../resource/fields.ts';
import type { Cloud, JsonObject } from '../contract/index.ts';
import { templateHash, type DeploymentInput, type DeploymentPlan } from '../template/index.ts';

/** What a deployment and a validation show of the template. */
export function describePlan({ template, mode, templateLink }: DeploymentInput, plan: DeploymentPlan): JsonObject {
  const created = plan.resources.filter(({ existing }) => !existing);
  const providers = Map.groupBy(created, ({ type }) => type.slice(0, type.indexOf('/')));
  const target = (id: string): JsonObject => {
    const found = created.find((one) => one.id.toLowerCase() === id.toLowerCase());
    return { id, resourceType: found?.type ?? '', resourceName: found?.name ?? '' };
  };
  return {
    templateHash: templateHash(template),
    ...(templateLink ? { templateLink: withoutQuery(templateLink) } : {}),
    parameters: plan.parameters,
    mode,
    providers: [...providers].map(([namespace, resources]) => ({
      namespace,
      resourceTypes: [...new Set(resources.map(({ type }) => type))].map((type) => ({
        resourceType: type.slice(namespace.length + 1),
        locations: [resources.find((one) => one.type === type)?.location ?? null],
      })),
    })),
    dependencies: created
      .filter(({ dependsOn }) => dependsOn.length > 0)
      .map(({ id, dependsOn }) => ({ ...target(id), dependsOn: dependsOn.map(target) })),
  };
}

/** A query may be a signature: it opens what is linked to whoever reads it. */
function withoutQuery(link: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(link).filter(([name]) => name !== 'queryString'));
}

/** What a deployment has made: of the deployments nested in it, what they have made. */
export function madeBy(cloud: Cloud, { resources }: DeploymentPlan): JsonObject[] {
  const ids = resources
    .filter(({ existing }) => !existing)
    .flatMap(({ id, nested }) => {
      const inner = nested && cloud.store.get(id)?.resource.properties.outputResources;
      if (!nested) return [id];
      return Array.isArray(inner) ? inner.map((one) => textOf(isObject(one) ? one.id : one)) : [];
    });
  return [...new Set(ids)].map((id) => ({ id }));
}
