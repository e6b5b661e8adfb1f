/** Serverless endpoints: a model of the catalogue behind keys, without machines of one's own. No model answers here. */

import type {
  ActionResult,
  Call,
  Cloud,
  DataPlaneRequest,
  DataPlaneResponse,
  JsonObject,
  ResourceType,
} from '../../contract/index.ts';
import { endpointKeys, isAuthorized, keyActions, KEYS, newKeys } from '../bodies/endpoint-keys.ts';
import { fillDefaults, isObject, objectOf, setLocation, textOf, WORKSPACES } from '../bodies/fields.ts';
import { subscriptionTo } from './marketplace.ts';
import { endpointInRegion } from './online-endpoints.ts';
import { conflict, requireName, validationError } from '../bodies/refusals.ts';

const SERVERLESS_ENDPOINTS = `${WORKSPACES}/serverlessEndpoints`;

const SAFETY = ['Enabled', 'Disabled'];

export const serverlessEndpoints: ResourceType = {
  type: SERVERLESS_ENDPOINTS,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  longRunning: { put: 2000, patch: 1000, delete: 1500 },
  secrets: [KEYS],
  beforePut(call, next) {
    if (!call.existing)
      requireName(
        'endpoint',
        call.id.name,
        /^[a-zA-Z][a-zA-Z0-9-]{0,51}$/,
        '1 to 52 letters, digits and hyphens, the first a letter',
      );
    const { resource } = next;
    // Azure's PATCH knows tags, sku and identity, and nothing of the endpoint itself.
    if (call.verb === 'patch' && call.existing)
      resource.properties = structuredClone(call.existing.resource.properties);
    check(call, next.resource.properties);
    setLocation(next);
    resource.tags ??= {};
    fillDefaults(resource.properties, { contentSafety: { contentSafetyStatus: 'Enabled' } });
    Object.assign(resource.properties, {
      endpointState: 'Online',
      marketplaceSubscriptionId: subscriptionTo(
        call.cloud,
        call.id.parent ?? '',
        textOf(objectOf(resource.properties.modelSettings).modelId) ?? '',
      ),
      inferenceEndpoint: {
        uri: `${call.cloud.dataPlane(next.region ?? '')}/_/serverless/${resource.name}`,
        headers: {},
      },
      keys: call.existing ? endpointKeys(call.existing) : newKeys(),
    });
  },
  actions: {
    ...(keyActions.listkeys ? { listkeys: keyActions.listkeys } : {}),
    regeneratekeys: regenerate,
  },
};

/**
 * Serves `/_/serverless/{endpoint}`: keys are checked as Azure does; then 501, for there is no model of the catalogue
 * to ask.
 */
export function serveServerless(cloud: Cloud): void {
  cloud.onDataPlane('serverless', (request) => answer(cloud, request));
}

function check(call: Call, properties: JsonObject): void {
  if (properties.authMode !== 'Key')
    throw validationError(`properties.authMode: expected Key, got '${textOf(properties.authMode) ?? ''}'.`, 'authMode');
  const safety = properties.contentSafety;
  if (isObject(safety) && !SAFETY.includes(textOf(safety.contentSafetyStatus) ?? ''))
    throw validationError(
      `properties.contentSafety.contentSafetyStatus: expected one of ${SAFETY.join(', ')}, got '${textOf(safety.contentSafetyStatus) ?? ''}'.`,
      'contentSafety',
    );
  const workspace = call.cloud.store.get(call.id.parent ?? '');
  const namesake = endpointInRegion(
    call.cloud.store.ofType(SERVERLESS_ENDPOINTS),
    workspace?.region ?? '',
    call.id.name,
  );
  if (namesake && namesake.resource.id.toLowerCase() !== call.id.key)
    throw conflict(
      `A serverless endpoint with the name '${call.id.name}' already exists in region '${workspace?.region}'.`,
    );
}

/** As of an online endpoint, but that the answer holds both keys. */
function regenerate(call: Call): ActionResult {
  const { longRunning } = keyActions.regeneratekeys?.(call) ?? {};
  if (!longRunning) throw new Error('the regeneration of keys is a long-running operation');
  const finish = async (): Promise<JsonObject | undefined> => {
    await longRunning.finish?.();
    const endpoint = call.cloud.store.get(call.id.id);
    return endpoint && endpointKeys(endpoint);
  };
  return { longRunning: { ...longRunning, finish } };
}

function answer(cloud: Cloud, request: DataPlaneRequest): DataPlaneResponse {
  const name = request.path.split('/')[1] ?? '';
  const endpoint = endpointInRegion(cloud.store.ofType(SERVERLESS_ENDPOINTS), request.region, name);
  if (!endpoint) return refusal(404, `There is no endpoint '${name}' in region '${request.region}'.`);
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!isAuthorized(endpoint, bearer, cloud.clock.now()))
    return refusal(401, 'The key of the request is missing or wrong.');
  const model = textOf(objectOf(endpoint.resource.properties.modelSettings).modelId) ?? '';
  return refusal(501, `The model '${model}' is not offered by the local Azure: no serverless endpoint answers.`);
}

function refusal(status: number, message: string): DataPlaneResponse {
  return { status, body: { error: { code: String(status), message } } };
}
