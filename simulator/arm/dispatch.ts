/** From a request at the ARM endpoint to the code that answers it. */

import { ArmError, type Provider } from '../contract/index.ts';
import { objectBody, type Answer, type ArmRequest } from '../http/answer.ts';
import { act, actionOf, resumeAction } from './action.ts';
import { requireVersion } from '../resource/api-version.ts';
import { authorize, onlyReadable } from './authorize.ts';
import type { Engine } from './engine.ts';
import { parseTarget, type Target } from '../resource/ids.ts';
import type { Finish, OperationRecord } from './operations.ts';
import { finishWrite, write } from './put.ts';
import { list, read, requireVerb } from './read.ts';
import { finishRemove, remove } from './remove.ts';

const OPERATION =
  /^\/subscriptions\/[^/]+\/providers\/([^/]+)\/locations\/([^/]+)\/operation(status|statuses|result|results)\/([^/]+)$/i;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Answers one request. Throws ArmError for a refusal, `Unanswered` where the client gets nothing. */
export async function dispatch(engine: Engine, request: ArmRequest): Promise<Answer> {
  requireSubscription(engine, request.path);
  for (const provider of engine.providers) provider.refuses?.(request);
  authorize(engine.cloud, request);
  return onlyReadable(engine.cloud, request, await answer(engine, request));
}

async function answer(engine: Engine, request: ArmRequest): Promise<Answer> {
  const operation = OPERATION.exec(request.path);
  if (operation) return pollOperation(engine, request, operation);
  const target = targetOf(request);
  const row =
    target.kind === 'other' ? undefined : engine.row(target.kind === 'resource' ? target.id.type : target.type);
  if (target.kind !== 'other' && row) {
    requireVersion(engine.cloud, row.type, request.apiVersion);
    return viaRow(engine, target, request);
  }
  const routed = await viaProvider(engine, target, request);
  if (routed) return routed;
  if (target.kind !== 'other') engine.requireRow(target.kind === 'resource' ? target.id.type : target.type);
  throw new ArmError(
    404,
    'InvalidRequestUri',
    `The request '${request.method} ${request.path}' is not offered by the local Azure.`,
  );
}

/** What an operation does at its end, for one that was in progress when the local Azure was stopped. */
export async function finishOf(engine: Engine, record: OperationRecord): Promise<Finish> {
  const row = engine.requireRow(record.type);
  switch (record.kind) {
    case 'put':
    case 'patch':
      return (ending) => finishWrite(engine, row, ending, true);
    case 'delete':
      return (ending) => finishRemove(engine, row, ending);
    case 'action':
      return resumeAction(engine, row, record, engine.cloud.store.get(record.resourceId));
  }
}

type Pointed = Exclude<Target, { kind: 'other' }> & { action?: string };

/** A POST to `{id}/{action}` reads like a list: it is an action of the id before it. */
function targetOf(request: ArmRequest): Pointed | Extract<Target, { kind: 'other' }> {
  const target = parseTarget(request.path);
  if (request.method !== 'POST') return target;
  const slash = request.path.replace(/\/+$/, '').lastIndexOf('/');
  const above = parseTarget(request.path.slice(0, slash));
  if (above.kind !== 'resource')
    return target.kind === 'resource' ? target : { kind: 'other', provider: target.provider };
  return { ...above, action: request.path.slice(slash + 1).replace(/\/+$/, '') };
}

async function viaRow(engine: Engine, target: Pointed, request: ArmRequest): Promise<Answer> {
  const row = engine.requireRow(target.kind === 'resource' ? target.id.type : target.type);
  if (target.kind === 'collection') {
    if (request.method !== 'GET') throw notAllowed(request, row.type);
    requireVerb(row, 'list');
    return list(engine, row, target, request);
  }
  if (target.action !== undefined) {
    if (actionOf(row, target.action)) return act(engine, row, target.id, target.action, request);
    return (await viaProvider(engine, target, request)) ?? act(engine, row, target.id, target.action, request);
  }
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      requireVerb(row, request.method === 'GET' ? 'get' : 'head');
      return read(engine, row, target.id, request);
    case 'PUT':
    case 'PATCH': {
      const verb = request.method === 'PUT' ? 'put' : 'patch';
      requireVerb(row, verb);
      return write(engine, row, target.id, request, verb);
    }
    case 'DELETE':
      requireVerb(row, 'delete');
      return remove(engine, row, target.id, request);
    default:
      throw notAllowed(request, row.type);
  }
}

function requireSubscription(engine: Engine, path: string): void {
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1];
  if (subscription === undefined) return;
  if (!GUID.test(subscription))
    throw new ArmError(
      400,
      'InvalidSubscriptionId',
      `The provided subscription identifier '${subscription}' is malformed or invalid.`,
    );
  if (!engine.directory.subscription(subscription)) {
    throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
  }
}

async function viaProvider(engine: Engine, target: Target, request: ArmRequest): Promise<Answer | undefined> {
  const namespace = target.kind === 'resource' ? target.id.provider : target.provider;
  const region = /\/locations\/([^/]+)/i.exec(request.path)?.[1]?.toLowerCase().replaceAll(' ', '');
  if (namespace !== undefined)
    await engine.reach(
      region !== undefined && engine.cloud.regions.includes(region) ? region : null,
      namespace,
      request,
    );
  for (const provider of engine.providers) {
    if (!provider.route || !answersFor(provider, namespace)) continue;
    const { method, path, query, apiVersion } = request;
    const body = request.body === undefined ? {} : objectBody(request.body);
    const answer = await provider.route({ cloud: engine.cloud, method, path, query, body, apiVersion });
    if (answer) return answer;
  }
  return undefined;
}

/** What belongs to no namespace (tenants, the list of providers) is asked of all. */
function answersFor(provider: Provider, namespace: string | undefined): boolean {
  if (namespace === undefined || provider.namespace === 'Microsoft.Resources') return true;
  return provider.namespace.toLowerCase() === namespace.toLowerCase();
}

async function pollOperation(engine: Engine, request: ArmRequest, match: RegExpExecArray): Promise<Answer> {
  const [, namespace = '', location = '', kind = '', id = ''] = match;
  if (request.method !== 'GET') throw notAllowed(request, `${namespace}/locations/operation${kind}`);
  await engine.reach(engine.cloud.regions.includes(location) ? location : null, namespace, request);
  if (kind.toLowerCase().startsWith('status')) return engine.operations.status(id, request.path);
  return engine.operations.result(id, (resourceId) => engine.cloud.showResource(resourceId));
}

function notAllowed(request: ArmRequest, type: string): ArmError {
  return new ArmError(
    405,
    'MethodNotAllowed',
    `The requested resource does not support http method '${request.method}': resource type '${type}'.`,
  );
}
