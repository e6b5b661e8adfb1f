/** Batch endpoints and their deployments: rows with their defaults; what they invoke are jobs. */

import type { Call, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { KEYS, keyActions, endpointKeys, newKeys } from '../bodies/endpoint-keys.ts';
import { fillDefaults, isObject, objectOf, setLocation, textOf, workspaceIdOf, WORKSPACES } from '../bodies/fields.ts';
import { limited, ordered } from '../bodies/lists.ts';
import { checkAsset, resolveCompute } from '../bodies/references.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';

const NAME = /^[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]$/;
const NAME_RULE = '3 to 32 letters, digits and hyphens, the first a letter, the last no hyphen';

export const batchEndpoints: ResourceType = {
  type: `${WORKSPACES}/batchEndpoints`,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 2000, patch: 1000, delete: 1500 },
  secrets: [KEYS],
  immutable: ['properties.authMode'],
  beforePut(call, next) {
    if (!call.existing) requireName('endpoint', call.id.name, NAME, NAME_RULE);
    if (call.verb === 'patch' && call.existing)
      next.resource.properties = structuredClone(call.existing.resource.properties);
    const { resource } = next;
    if (textOf(resource.properties.authMode) === undefined)
      throw validationError('properties.authMode: required.', 'authMode');
    setLocation(next);
    resource.tags ??= {};
    fillDefaults(resource.properties, { description: null, properties: {}, defaults: {} });
    const base = `${call.cloud.dataPlane(next.region ?? '')}/_/batch${resource.id}`;
    resource.properties.scoringUri = `${base}/jobs`;
    resource.properties.swaggerUri = null;
    resource.properties.keys = call.existing
      ? endpointKeys(call.existing)
      : { ...newKeys(), ...objectOf(resource.properties.keys) };
    checkDefault(call, next);
  },
  list: (call, entries) => limited(call, entries),
  actions: keyActions.listkeys ? { listkeys: keyActions.listkeys } : {},
};

export const batchDeployments: ResourceType = {
  type: `${WORKSPACES}/batchEndpoints/deployments`,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 2500, patch: 1000, delete: 1500 },
  beforePut(call, next) {
    if (!call.existing) requireName('deployment', call.id.name, NAME, NAME_RULE);
    if (call.verb === 'patch' && call.existing) keepButDescription(call.existing, next);
    const { properties } = next.resource;
    setLocation(next);
    next.resource.tags ??= {};
    checkReferences(call, properties);
    fillDefaults(properties, {
      errorThreshold: -1,
      loggingLevel: 'Info',
      maxConcurrencyPerInstance: 1,
      miniBatchSize: 10,
      outputAction: 'AppendRow',
      outputFileName: 'predictions.csv',
      retrySettings: { maxRetries: 3, timeout: 'PT30S' },
    });
  },
  beforeDelete(call, stored) {
    const endpoint = call.id.parent === undefined ? undefined : call.cloud.store.get(call.id.parent);
    if (objectOf(endpoint?.resource.properties.defaults).deploymentName === stored.resource.name)
      throw userError(
        `The deployment '${stored.resource.name}' is the default of its endpoint and cannot be deleted: choose another default first.`,
      );
  },
  list: ordered,
};

function checkDefault(call: Call, next: Stored): void {
  const name = textOf(objectOf(next.resource.properties.defaults).deploymentName);
  if (name !== undefined && !call.cloud.store.get(`${call.id.id}/deployments/${name}`))
    throw userError(
      `properties.defaults.deploymentName: the endpoint '${call.id.name}' has no deployment '${name}'.`,
      'defaults',
    );
}

function checkReferences(call: Call, properties: JsonObject): void {
  const workspaceId = workspaceIdOf(call.id.id);
  resolveCompute(call.cloud, workspaceId, properties.compute);
  checkAsset(call.cloud, workspaceId, 'environments', properties.environmentId, 'properties.environmentId');
  const code = objectOf(properties.codeConfiguration);
  checkAsset(call.cloud, workspaceId, 'codes', code.codeId, 'properties.codeConfiguration.codeId');
  if (isObject(properties.model) && properties.model.referenceType === 'Id')
    checkAsset(call.cloud, workspaceId, 'models', properties.model.assetId, 'properties.model.assetId');
}

/** PATCH changes the description, as Azure's API has it, beside tags. */
function keepButDescription(existing: Stored, next: Stored): void {
  const { description } = next.resource.properties;
  next.resource.properties = {
    ...structuredClone(existing.resource.properties),
    description: description ?? null,
  };
}
