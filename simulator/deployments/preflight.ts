/** What Azure checks of a deployment and of its template's resources before anything is made. */

import { randomUUID } from 'node:crypto';
import { requireVersion } from '../resource/api-version.ts';
import { parseResourceId } from '../resource/ids.ts';
import { locationRequired, notAvailable } from '../resource/refusals.ts';
import {
  ArmError,
  type Cloud,
  type JsonObject,
  type Provider,
  type ResourceId,
  type ResourceType,
} from '../contract/index.ts';
import { normalizeRegion } from '../resource/regions.ts';
import type { DeploymentPlan, DeploymentScope, PlannedResource } from '../template/index.ts';
import { DEPLOYMENT } from '../resource/table.ts';
import { registered } from '../resource/registered-types.ts';

const LONGEST_NAME = 64;
/** What Azure has and this cloud has not: whoever deploys it should not look for a mistake of their own. */
const NOT_OFFERED =
  /^microsoft\.(resources\/(deploymentScripts|deploymentStacks|templateSpecs(\/versions)?)|machineLearningServices\/registries(\/.*)?)$/i;
const GROUP = 'microsoft.resources/resourcegroups';
const IN_GROUP = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\//i;

/** Throws ArmError 400 `InvalidDeployment` for a name that no deployment can have. */
export function requireName({ name }: ResourceId): void {
  const bad = name.replaceAll(/[-\w.()]/g, '');
  if (bad !== '')
    throw invalidDeployment(
      `The provided deployment name '${name}' has these invalid characters: '${bad}'. The name can only be a letter, digit, '-', '.' or '_'. Please see https://aka.ms/arm-deploy for usage details.`,
    );
  if (name.length > LONGEST_NAME)
    throw invalidDeployment(
      `The provided deployment name '${name}' has a length of '${name.length}' which exceeds the maximum length of '${LONGEST_NAME}'. Please see https://aka.ms/arm-deploy for usage details.`,
    );
}

/** A group's deployments have its location, all others one of their own. Throws ArmError 400. */
export function requireDeploymentLocation(
  cloud: Cloud,
  id: ResourceId,
  location: string | undefined,
): asserts location is string {
  if (location === undefined)
    throw invalidDeployment(
      `The 'location' property must be specified for '${id.name}'. Please see https://aka.ms/arm-deployment-subscription for usage details.`,
    );
  if (cloud.regions.includes(normalizeRegion(location))) return;
  throw new ArmError(
    400,
    'LocationNotAvailableForDeployment',
    `The provided location '${location}' is not available for deployment. List of available regions is '${cloud.regions.join(',')}'.`,
  );
}

export function invalidDeployment(message: string): ArmError {
  return new ArmError(400, 'InvalidDeployment', message);
}

/**
 * Throws ArmError 400 for the first resource that cannot be: `InvalidResourceNamespace`, `InvalidResourceType` (also
 * for one that is not made at this scope), `NoRegisteredProviderFound`, `LocationNotAvailableForResourceType`, 501
 * `NotImplemented` for what this cloud does not offer; then `InvalidTemplateDeployment` with all names that cannot be
 * had.
 */
export function requirePossible(
  cloud: Cloud,
  { resources }: DeploymentPlan,
  scope: DeploymentScope,
  providers: readonly Provider[],
): void {
  const rows = new Map(
    providers.flatMap(({ types }) => types.map((one): [string, ResourceType] => [one.type.toLowerCase(), one])),
  );
  const refused: JsonObject[] = [];
  for (const resource of resources) {
    const { type, id, location, existing } = resource;
    const row =
      rows.get(type.toLowerCase()) ?? providers.map((one) => one.unlisted?.(type)).find((found) => found !== undefined);
    if (!row) throw unknownType(resource, rows);
    requireVersion(cloud, row.type, resource.apiVersion, location);
    if (existing) continue;
    const isGroup = type.toLowerCase() === GROUP;
    const fits = isGroup ? scope.kind !== 'resourceGroup' : row.region !== 'own' || IN_GROUP.test(id);
    if (!fits) throw missingType(resource);
    refused.push(...refusalsOf(cloud, row, id));
    const isPlaced = row.region === 'own' || row.region === 'either';
    if (!isPlaced || location === undefined || row.type === DEPLOYMENT) continue;
    if (location === '') throw locationRequired();
    const region = normalizeRegion(location);
    if (region !== 'global' && !cloud.regions.includes(region)) throw notAvailable(row.type, location, cloud.regions);
  }
  if (refused.length > 0) throw failedPreflight(refused);
}

/** What the provider says of a name, as a detail of the deployment's refusal. */
function refusalsOf(cloud: Cloud, row: ResourceType, id: string): JsonObject[] {
  const parsed = parseResourceId(id);
  try {
    if (parsed) row.requireName?.(cloud, parsed);
    return [];
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    return [{ code: error.code, target: parsed?.name ?? id, message: error.message }];
  }
}

function failedPreflight(refused: JsonObject[]): ArmError {
  return new ArmError(
    400,
    'InvalidTemplateDeployment',
    `The template deployment is not valid according to the validation procedure. The tracking id is '${randomUUID()}'. See inner errors for details.`,
    {
      details: [
        {
          code: 'PreflightValidationCheckFailed',
          message: 'Preflight validation failed. Please refer to the details for the specific errors.',
          details: refused,
        } as { code: string; message: string },
      ],
    },
  );
}

function unknownType(resource: PlannedResource, rows: ReadonlyMap<string, ResourceType>): ArmError {
  const [namespace = ''] = resource.type.split('/');
  const lower = namespace.toLowerCase();
  if (NOT_OFFERED.test(resource.type))
    return new ArmError(
      501,
      'NotImplemented',
      `The local Azure does not offer resources of type '${resource.type}' (resource at '${resource.path}').`,
      { target: resource.path },
    );
  if (registered.has(lower) || [...rows.keys()].some((type) => type.startsWith(`${lower}/`)))
    return missingType(resource);
  return new ArmError(
    400,
    'InvalidResourceNamespace',
    `The resource namespace '${namespace}' is invalid (resource at '${resource.path}').`,
    { target: resource.path },
  );
}

function missingType({ type, apiVersion, path }: PlannedResource): ArmError {
  const [namespace = '', ...segments] = type.split('/');
  return new ArmError(
    400,
    'InvalidResourceType',
    `The resource type '${segments.join('/')}' could not be found in the namespace '${namespace}' for api version '${apiVersion}' (resource at '${path}').`,
    { target: path },
  );
}
