/**
 * The data plane of online endpoints: a request with a key gets a prediction from one of the deployments, by their
 * traffic.
 */

import { createHash } from 'node:crypto';
import type { Cloud, DataPlaneRequest, DataPlaneResponse, Json, Stored } from '../../contract/index.ts';
import { isAuthorized } from '../bodies/endpoint-keys.ts';
import { isObject, numberOf, objectOf, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { endpointInRegion, ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS } from './online-endpoints.ts';
import { resolveAsset } from '../bodies/references.ts';

/** The header by which a client picks a deployment, and the answer says which it was. */
const DEPLOYMENT_HEADER = 'azureml-model-deployment';

/** How far each deployment is behind its share of the traffic, by endpoint: the one furthest behind is next. */
const turns = new WeakMap<Cloud, Map<string, Map<string, number>>>();

/**
 * Serves `/_/score/{endpoint}/` (its health), `/_/score/{endpoint}/score` and `/_/score/{endpoint}/swagger.json` on
 * every region's data plane.
 */
export function serveScoring(cloud: Cloud): void {
  cloud.onDataPlane('score', (request) => score(cloud, request));
}

function score(cloud: Cloud, request: DataPlaneRequest): DataPlaneResponse {
  const [, name = '', ...rest] = request.path.split('/');
  const endpoint = endpointInRegion(cloud.store.ofType(ONLINE_ENDPOINTS), request.region, name);
  if (!endpoint) return refusal(404, `There is no endpoint '${name}' in region '${request.region}'.`);
  if (request.method === 'GET' && rest.join('') === '') return health(cloud, endpoint);
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!isAuthorized(endpoint, bearer, cloud.clock.now()))
    return refusal(401, 'The key or token of the request is missing, wrong or has ended.');
  if (rest.join('/') === 'swagger.json') return { status: 200, body: swagger(endpoint) };
  if (request.method !== 'POST') return refusal(405, `The method ${request.method} is not allowed: send a POST.`);
  const deployment = choose(cloud, endpoint, request.headers[DEPLOYMENT_HEADER]);
  if ('status' in deployment) return deployment;
  return predict(cloud, deployment, request);
}

/** The root answers without a key, as the inference server's does: what a front's probe asks. */
function health(cloud: Cloud, endpoint: Stored): DataPlaneResponse {
  const serving = choose(cloud, endpoint, undefined);
  return 'status' in serving ? serving : { status: 200, body: 'Healthy' };
}

function refusal(status: number, message: string): DataPlaneResponse {
  return { status, body: { error: { code: String(status), message } } };
}

function choose(cloud: Cloud, endpoint: Stored, asked: string | undefined): Stored | DataPlaneResponse {
  const deployments = cloud.store.children(endpoint.resource.id, ONLINE_DEPLOYMENTS);
  if (asked) {
    const found = deployments.find((one) => one.resource.name === asked);
    return found
      ? ready(found)
      : refusal(404, `The endpoint '${endpoint.resource.name}' has no deployment '${asked}'.`);
  }
  const traffic = objectOf(endpoint.resource.properties.traffic);
  const shares = deployments
    .map((deployment) => ({ deployment, share: numberOf(traffic[deployment.resource.name]) ?? 0 }))
    .filter(({ share }) => share > 0);
  if (shares.length === 0)
    return refusal(503, `No deployment of the endpoint '${endpoint.resource.name}' takes traffic.`);
  return ready(nextInTurn(cloud, endpoint, shares));
}

/** Serves while it is updated; not while it is made, nor after it failed. */
function ready(deployment: Stored): Stored | DataPlaneResponse {
  const state = textOf(deployment.resource.properties.provisioningState);
  return state === 'Succeeded' || state === 'Updating' || state === 'Scaling'
    ? deployment
    : refusal(503, `The deployment '${deployment.resource.name}' is in state ${state} and does not serve.`);
}

/** Smooth weighted round-robin: exact shares over any hundred requests, and the same order each time. */
function nextInTurn(cloud: Cloud, endpoint: Stored, shares: { deployment: Stored; share: number }[]): Stored {
  let ofCloud = turns.get(cloud);
  if (!ofCloud) turns.set(cloud, (ofCloud = new Map()));
  const key = endpoint.resource.id.toLowerCase();
  const credit = ofCloud.get(key) ?? new Map<string, number>();
  ofCloud.set(key, credit);
  for (const { deployment, share } of shares)
    credit.set(deployment.resource.name, (credit.get(deployment.resource.name) ?? 0) + share);
  const best = shares.reduce((most, one) =>
    (credit.get(one.deployment.resource.name) ?? 0) > (credit.get(most.deployment.resource.name) ?? 0) ? one : most,
  );
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  credit.set(best.deployment.resource.name, (credit.get(best.deployment.resource.name) ?? 0) - total);
  return best.deployment;
}

/**
 * A number per row of the input, which follows from the model and the row alone: the same model in two regions agrees.
 */
function predict(cloud: Cloud, deployment: Stored, request: DataPlaneRequest): DataPlaneResponse {
  const { resource } = deployment;
  let input: Json;
  try {
    input = JSON.parse(request.body.toString('utf8')) as Json;
  } catch {
    return {
      ...refusal(400, 'The body of the request is not JSON.'),
      headers: { [DEPLOYMENT_HEADER]: resource.name },
    };
  }
  const model = modelName(cloud, deployment);
  const predictions = rowsOf(input).map((row) => numberFor(`${model}|${JSON.stringify(row)}`));
  return {
    status: 200,
    headers: { [DEPLOYMENT_HEADER]: resource.name },
    body: { deployment: resource.name, model, predictions },
  };
}

/** 'name:version' of the model, without the workspace that holds it. */
function modelName(cloud: Cloud, deployment: Stored): string {
  const reference = textOf(deployment.resource.properties.model) ?? '';
  const model = resolveAsset(cloud, workspaceIdOf(deployment.resource.id), 'models', reference);
  const [, name, version] = /\/models\/([^/]+)\/versions\/([^/]+)$/.exec(model?.resource.id ?? '') ?? [];
  return name === undefined ? reference.split('/').slice(-2).join('/') : `${name}:${version}`;
}

/**
 * The rows of the common shapes: `input_data.data`, `data`, `inputs`, `instances`, an array; else the whole is one row.
 */
function rowsOf(input: Json): Json[] {
  if (Array.isArray(input)) return input;
  if (!isObject(input)) return [input];
  const held = input.input_data ?? input.data ?? input.inputs ?? input.instances ?? input.dataframe_split;
  if (held === undefined || held === null) return [input];
  return isObject(held) && Array.isArray(held.data) ? held.data : rowsOf(held);
}

/** In [0, 1), to six places. */
function numberFor(text: string): number {
  const bits = createHash('sha256').update(text).digest().readUIntBE(0, 6);
  return Math.round((bits / 2 ** 48) * 1e6) / 1e6;
}

function swagger(endpoint: Stored): Json {
  return {
    openapi: '3.0.3',
    info: { title: endpoint.resource.name, version: '1.0' },
    paths: {
      '/score': { post: { operationId: 'score', responses: { '200': { description: 'The predictions.' } } } },
    },
  };
}
