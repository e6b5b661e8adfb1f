/**
 * From a deployment as a client sends it to what the template language takes, and what expressions may ask while it
 * runs.
 */

import { isObject } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import { serviceSuffixes } from '../http/service-hosts.ts';
import {
  ArmError,
  type Cloud,
  type Json,
  type JsonObject,
  type Provider,
  type ResourceId,
  type Resource,
} from '../contract/index.ts';
import { displayName } from '../resource/regions.ts';
import {
  type DeploymentInput,
  type DeploymentScope,
  type Environment,
  missingMember,
  requireContentVersion,
} from '../template/index.ts';
import { requireDeploymentLocation, requireName } from './preflight.ts';
import { vaultSecret } from './secrets.ts';
import { typesByNamespace } from '../resource/registered-types.ts';

/** What deployments need beside the `Cloud`. */
export interface DeploymentParts {
  subscriptionName(subscriptionId: string): string;
  providers(): readonly Provider[];
  /** Fetches a linked template. Throws ArmError 400 `InvalidContentLink`. */
  loadLink: (uri: string) => Promise<JsonObject>;
  /** For what-if: a group that is not there yet, but made by the deployment around, as it will be. */
  plannedGroup?: (id: string) => Resource | undefined;
}

const LINKS = [
  ['templateLink', 'template'],
  ['parametersLink', 'parameters'],
] as const;

/** Throws ArmError 400 `InvalidRequestContent` where a template or its parameters are both given and linked. */
export function requireOneSource(properties: JsonObject): void {
  for (const [link, target] of LINKS)
    if (isObject(properties[link]) && isObject(properties[target]))
      throw invalid(`'properties.${target}' and 'properties.${link}' exclude each other: expected one of them.`);
}

/**
 * Fetches what is linked instead of written into the body. Throws ArmError 400 `InvalidTemplate` where it is of another
 * version than the link says.
 */
export async function withLinks(parts: DeploymentParts, properties: JsonObject): Promise<JsonObject> {
  const resolved = { ...properties };
  for (const [link, target] of LINKS) {
    const value = properties[link];
    if (properties[target] !== undefined || !isObject(value)) continue;
    if (typeof value.uri !== 'string')
      throw invalid(`'properties.${link}.uri' is missing: template specs are not offered by the local Azure.`);
    const query = typeof value.queryString === 'string' ? `?${value.queryString.replace(/^\?/, '')}` : '';
    const loaded = await parts.loadLink(`${value.uri}${query}`);
    requireContentVersion(value, loaded, link);
    resolved[target] = target === 'parameters' && isObject(loaded.parameters) ? loaded.parameters : loaded;
  }
  return resolved;
}

/**
 * Reads `properties` of a deployment. Throws ArmError 400 `InvalidRequestContent` or `InvalidTemplate` for what is
 * missing.
 */
export function inputOf(
  cloud: Cloud,
  parts: DeploymentParts,
  id: ResourceId,
  properties: JsonObject,
  location: string | undefined,
  now: Date,
): DeploymentInput {
  const { template, parameters = {}, templateLink } = properties;
  requireName(id);
  const mode = modeOf(properties.mode);
  if (!isObject(template))
    throw new ArmError(
      400,
      'InvalidTemplate',
      "Deployment template validation failed: 'properties.template' is missing or no object.",
    );
  if (!isObject(parameters)) throw invalid("'properties.parameters' must be an object of { name: { value } }.");
  const scope = scopeOf(cloud, parts, id, location);
  if (scope.kind === 'subscription' && mode === 'Complete')
    throw invalid("The deployment mode 'Complete' is not supported at subscription scope.");
  return {
    template,
    // Parameter files are sent whole by some clients.
    parameters:
      isObject(parameters.parameters) && parameters.$schema !== undefined ? parameters.parameters : parameters,
    mode,
    scope,
    deploymentName: id.name,
    environment: environmentOf(cloud),
    providers: describeProviders(cloud, parts.providers()),
    now,
    ...(isObject(templateLink) ? { templateLink } : {}),
  };
}

/** Enum values are read in any case. */
function modeOf(value: Json = null): DeploymentInput['mode'] {
  if (value === null) throw missingMember('mode', '/properties');
  const lower = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (lower === 'incremental') return 'Incremental';
  if (lower === 'complete') return 'Complete';
  throw invalid(
    `The value '${JSON.stringify(value)}' of 'properties.mode' is invalid: expected 'Incremental' or 'Complete'.`,
  );
}

function scopeOf(cloud: Cloud, parts: DeploymentParts, id: ResourceId, location: string | undefined): DeploymentScope {
  const subscriptionId = id.subscriptionId ?? '';
  const common = {
    subscriptionId,
    tenantId: cloud.tenantId,
    subscriptionName: parts.subscriptionName(subscriptionId),
  };
  if (id.resourceGroup === undefined) {
    requireDeploymentLocation(cloud, id, location);
    return { kind: 'subscription', ...common, location };
  }
  const groupId = `/subscriptions/${subscriptionId}/resourceGroups/${id.resourceGroup}`;
  const group = cloud.showResource(groupId) ?? parts.plannedGroup?.(groupId);
  if (!group)
    throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${id.resourceGroup}' could not be found.`);
  const { name, location: place = '', tags, properties } = group;
  return {
    kind: 'resourceGroup',
    ...common,
    resourceGroup: { name, location: place, id: group.id, properties, ...(isObject(tags) ? { tags } : {}) },
    location: place,
  };
}

/** What `reference()`, `listKeys()` and their kin read: the cloud as it is at that moment. */
export function environmentFor(cloud: Cloud, parts: DeploymentParts): Environment {
  return {
    reference: (id, _apiVersion, full) => Promise.resolve(referenceTo(cloud, id, full)),
    action: (id, apiVersion, action, body = {}) => cloud.invokeAction(id, action, body, apiVersion),
    now: () => new Date(cloud.clock.now()),
    loadLinkedTemplate: parts.loadLink,
    secret: (vaultId, name, version) => Promise.resolve(vaultSecret(cloud, vaultId, name, version)),
  };
}

function referenceTo(cloud: Cloud, id: string, full: boolean): JsonObject {
  const shown: Resource | undefined = cloud.showResource(id);
  const stored = cloud.store.get(id);
  if (!shown || !stored) {
    const parsed = parseResourceId(id);
    throw new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${parsed?.type ?? ''}/${parsed?.name ?? id}' under resource group '${parsed?.resourceGroup ?? ''}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    );
  }
  if (stored.region !== null && cloud.isDark(stored.region)) {
    throw new ArmError(
      504,
      'GatewayTimeout',
      `The gateway did not receive a response from '${shown.type.split('/')[0]}' within the specified time period.`,
    );
  }
  return full ? shown : shown.properties;
}

function environmentOf(cloud: Cloud): JsonObject {
  const arm = `${cloud.armEndpoint}/`;
  const { storage, vault, registry } = serviceSuffixes(cloud.armEndpoint);
  return {
    name: 'Local',
    gallery: arm,
    graph: arm,
    portal: arm,
    graphAudience: arm,
    activeDirectoryDataLake: arm,
    batch: arm,
    media: arm,
    sqlManagement: arm,
    vmImageAliasDoc: arm,
    resourceManager: arm,
    authentication: {
      loginEndpoint: arm,
      audiences: [arm, cloud.armEndpoint],
      tenant: cloud.tenantId,
      identityProvider: 'AAD',
    },
    suffixes: {
      acrLoginServer: `.${registry}`,
      azureDatalakeAnalyticsCatalogAndJob: 'azuredatalakeanalytics.localhost',
      azureDatalakeStoreFileSystem: 'azuredatalakestore.localhost',
      azureFrontDoorEndpointSuffix: 'azurefd.localhost',
      keyvaultDns: `.${vault}`,
      sqlServerHostname: '.database.localhost',
      storage,
    },
  };
}

const described = new WeakMap<readonly Provider[], JsonObject[]>();

/** What `providers()` answers; the same for every deployment. */
function describeProviders(cloud: Cloud, providers: readonly Provider[]): JsonObject[] {
  const known = described.get(providers);
  if (known) return known;
  const all = typesByNamespace(providers.flatMap((provider) => provider.types));
  const description = [...all].map(([namespace, types]) => ({
    namespace,
    resourceTypes: types.map(({ name, isGlobal }) => ({
      resourceType: name,
      locations: isGlobal ? ['global'] : cloud.regions.map(displayName),
      apiVersions: ['2024-04-01'],
    })),
  }));
  described.set(providers, description);
  return description;
}

function invalid(message: string): ArmError {
  return new ArmError(400, 'InvalidRequestContent', `The request content was invalid: ${message}`);
}
