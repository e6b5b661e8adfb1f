/** Online deployments: machines of a size that serve a model behind an endpoint. */

import type { ActionResult, Call, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import {
  fillDefaults,
  isObject,
  numberOf,
  objectOf,
  sameContent,
  setLocation,
  textOf,
  workspaceIdOf,
} from '../bodies/fields.ts';
import { ordered } from '../bodies/lists.ts';
import { ONLINE_DEPLOYMENTS } from './online-endpoints.ts';
import { requireQuota } from '../computes/quota.ts';
import { checkAsset, checkPath } from '../bodies/references.ts';
import { requireName, userError, validationError } from '../bodies/refusals.ts';
import { requireSize } from '../computes/sizes.ts';

const KINDS = ['Managed', 'Kubernetes'];

const PROBE = {
  failureThreshold: 30,
  successThreshold: 1,
  timeout: 'PT2S',
  period: 'PT10S',
  initialDelay: 'PT10S',
};

export const onlineDeployments: ResourceType = {
  type: ONLINE_DEPLOYMENTS,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 5000, patch: 2500, delete: 2500 },
  immutable: ['properties.endpointComputeType'],
  beforePut(call, next) {
    requireName(
      'deployment',
      call.id.name,
      /^[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]$/,
      '3 to 32 letters, digits and hyphens, the first a letter, the last no hyphen',
    );
    if (call.verb === 'patch' && call.existing)
      next.resource.properties = structuredClone(call.existing.resource.properties);
    checkReferences(call, next);
    fillDeployment(call, next);
    checkScale(next.resource.properties);
    checkSize(call, next);
  },
  beforeDelete(call, stored) {
    const share = objectOf(endpointOf(call)?.resource.properties.traffic)[stored.resource.name];
    if ((numberOf(share) ?? 0) > 0)
      throw userError(
        `The deployment '${stored.resource.name}' has ${JSON.stringify(share)}% of live traffic and cannot be deleted: set its traffic to 0 first.`,
      );
  },
  afterDelete(call, stored) {
    forgetTraffic(call, stored);
  },
  list: ordered,
  actions: { getlogs: getLogs },
};

function endpointOf(call: Call): Stored | undefined {
  return call.id.parent === undefined ? undefined : call.cloud.store.get(call.id.parent);
}

function checkReferences(call: Call, next: Stored): void {
  const { properties } = next.resource;
  const workspaceId = workspaceIdOf(call.id.id);
  const before = call.existing?.resource.properties ?? {};
  // What was found when the deployment was made is not looked for again: its model may have been archived since.
  const isNew = (field: string): boolean => !sameContent(before[field], properties[field]);
  if (isNew('model')) {
    checkPath(call.cloud, workspaceId, properties.model, 'properties.model');
    checkAsset(call.cloud, workspaceId, 'models', properties.model, 'properties.model');
  }
  if (isNew('environmentId'))
    checkAsset(call.cloud, workspaceId, 'environments', properties.environmentId, 'properties.environmentId');
  const code = objectOf(properties.codeConfiguration);
  if (!isNew('codeConfiguration') || !isObject(properties.codeConfiguration)) return;
  if (textOf(code.scoringScript) === undefined)
    throw validationError('properties.codeConfiguration.scoringScript: required.', 'codeConfiguration');
  checkAsset(call.cloud, workspaceId, 'codes', code.codeId, 'properties.codeConfiguration.codeId');
}

function fillDeployment(call: Call, next: Stored): void {
  const { resource } = next;
  const { properties } = resource;
  const kind = textOf(properties.endpointComputeType) ?? '';
  if (!KINDS.includes(kind))
    throw validationError(
      `properties.endpointComputeType: expected one of ${KINDS.join(', ')}, got '${kind}'.`,
      'endpointComputeType',
    );
  setLocation(next);
  resource.tags ??= {};
  resource.sku = fillSku(call, resource.sku);
  fillDefaults(properties, {
    description: null,
    properties: {},
    environmentVariables: {},
    appInsightsEnabled: false,
    egressPublicNetworkAccess: 'Enabled',
    scaleSettings: { scaleType: 'Default' },
    requestSettings: { maxConcurrentRequestsPerInstance: 1, maxQueueWait: 'PT0.5S', requestTimeout: 'PT5S' },
    livenessProbe: PROBE,
    readinessProbe: PROBE,
  });
}

/**
 * Errors: 400 for a managed deployment that is to scale itself, and for a least number of machines above the greatest.
 */
function checkScale({ endpointComputeType: kind, scaleSettings }: JsonObject): void {
  const { scaleType, minInstances, maxInstances } = objectOf(scaleSettings);
  if (kind === 'Managed' && scaleType !== 'Default')
    throw userError(
      `properties.scaleSettings.scaleType: expected Default, as a managed deployment is scaled by its sku or by Azure Monitor, got '${textOf(scaleType) ?? ''}'.`,
      'scaleSettings',
    );
  const [least = 1, most = Infinity] = [numberOf(minInstances), numberOf(maxInstances)];
  if (least > most)
    throw validationError(
      `properties.scaleSettings: minInstances (${least}) must not exceed maxInstances (${most}).`,
      'scaleSettings',
    );
}

/** Machines are counted in `sku.capacity`. Errors: 400 below 1: a managed deployment cannot be at zero. */
function fillSku(call: Call, asked: JsonObject[string] | undefined): JsonObject {
  const sku = {
    name: 'Default',
    tier: 'Standard',
    ...objectOf(call.existing?.resource.sku),
    ...objectOf(asked),
  };
  const capacity = 'capacity' in sku ? sku.capacity : 1;
  if (typeof capacity !== 'number' || !Number.isInteger(capacity) || capacity < 1)
    throw userError(
      `sku.capacity: an online deployment has at least 1 instance, got ${JSON.stringify(capacity)}.`,
      'sku',
    );
  return { ...sku, capacity };
}

function checkSize(call: Call, next: Stored): void {
  const { properties } = next.resource;
  if (properties.endpointComputeType !== 'Managed') return;
  const instanceType = textOf(properties.instanceType);
  if (instanceType === undefined)
    throw validationError('properties.instanceType: a managed deployment must have one.', 'instanceType');
  const before = textOf(call.existing?.resource.properties.instanceType);
  if (before !== undefined && before.toLowerCase() !== instanceType.toLowerCase())
    throw userError(
      `properties.instanceType: cannot be changed from '${before}' to '${instanceType}': make another deployment.`,
      'instanceType',
    );
  const region = next.region ?? '';
  const use = {
    region,
    subscriptionId: call.id.subscriptionId ?? '',
    id: next.resource.id,
    size: requireSize(call.cloud, region, instanceType),
  };
  const capacity = numberOf(objectOf(next.resource.sku).capacity) ?? 1;
  requireQuota(call.cloud, use, capacity, capacity);
}

/** A deployment that is gone has no share of its endpoint's traffic. */
function forgetTraffic(call: Call, stored: Stored): void {
  const endpoint = endpointOf(call);
  if (!endpoint) return; // It went with its endpoint.
  const { properties } = endpoint.resource;
  const without = (field: string): JsonObject =>
    Object.fromEntries(Object.entries(objectOf(properties[field])).filter(([name]) => name !== stored.resource.name));
  const shares = { traffic: without('traffic'), mirrorTraffic: without('mirrorTraffic') };
  call.cloud.store.put({
    ...endpoint,
    resource: { ...endpoint.resource, properties: { ...properties, ...shares } },
  });
}

function getLogs(call: Call): ActionResult {
  const container = textOf(call.body.containerType) ?? 'InferenceServer';
  const tail = numberOf(call.body.tail) ?? Infinity;
  const name = call.id.name;
  const model = textOf(call.existing?.resource.properties.model) ?? 'no model';
  const at = new Date(call.existing?.createdAt ?? 0).toISOString();
  const lines =
    container === 'StorageInitializer'
      ? [`${at} downloading ${model}`, `${at} download complete`]
      : [
          `${at} starting the inference server of ${name}`,
          `${at} model loaded: ${model}`,
          `${at} listening on 0.0.0.0:31311`,
        ];
  return { body: { content: lines.slice(-Math.min(tail, lines.length)).join('\n') } };
}
