/** Raw ARM requests over the SDK's pipeline. See `Arm` in azure.ts for its contract. */
import type { TokenCredential } from '@azure/core-auth';
import { ServiceClient } from '@azure/core-client';
import { createHttpPoller, type OperationResponse, type RawResponse } from '@azure/core-lro';
import {
  createHttpHeaders,
  createPipelineRequest,
  type HttpMethods,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { Arm, ArmPage, ArmResource, CallOptions, Json, JsonObject } from './azure.ts';
import type { CloudSettings } from './cloud.ts';
import { answerError, azureError, operationError } from './errors.ts';
import { pacePolicy, setPacing } from './http/pace.ts';
import { wholeAnswers } from './http/whole-answers.ts';

/** Options of the ARM client. */
export interface ArmOptions {
  /** Timeout of one request, in milliseconds. */
  requestTimeoutMs: number;
  /** Milliseconds between polls if the server does not say (Retry-After takes precedence). */
  pollIntervalMs?: number;
}

interface Request {
  method: HttpMethods;
  path: string;
  apiVersion: string;
  body?: JsonObject | undefined;
  options: CallOptions;
}

type OperationPoller = ReturnType<
  typeof createHttpPoller<Json, { status: 'notStarted' | 'running' | 'succeeded' | 'failed' | 'canceled' }>
>;

interface Connected {
  client: ServiceClient;
  /** ARM's endpoint, without a trailing slash. */
  base: string;
  settings: ArmOptions;
}

/** Connects to ARM. Makes no request yet. */
export function connectArm(credential: TokenCredential, cloud: CloudSettings, settings: ArmOptions): Arm {
  const client = new ServiceClient({
    credential,
    credentialScopes: `${cloud.resourceManagerAudience}/.default`,
    endpoint: cloud.resourceManager,
    httpClient: wholeAnswers(settings.requestTimeoutMs),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 2000 },
  });
  client.pipeline.addPolicy(pacePolicy(), { afterPhase: 'Retry' });
  const connected: Connected = { client, base: cloud.resourceManager, settings };

  const get = async (path: string, apiVersion: string, options: CallOptions = {}) =>
    parse(await send(connected, { method: 'GET', path, apiVersion, options })) as unknown as ArmResource;

  const page = async (path: string, apiVersion: string, options: CallOptions = {}): Promise<ArmPage> => {
    const answer = await send(connected, { method: 'GET', path, apiVersion, options });
    const { value = [], nextLink } = parse(answer) as { value?: ArmResource[]; nextLink?: string };
    return { value, ...(nextLink ? { next: nextLink } : {}) };
  };

  /** Some operations end with no resource in their last response. */
  const write = async (request: Request): Promise<ArmResource> => {
    const answer = await sendAndWait(connected, request);
    return isResource(answer) ? answer : get(request.path, request.apiVersion, request.options);
  };

  return {
    get,
    find: async (path, apiVersion, options) => unlessMissing(() => get(path, apiVersion, options)),
    async *list(path, apiVersion, options) {
      for (let next: string | undefined = path; next !== undefined;) {
        const read: ArmPage = await page(next, apiVersion, options);
        yield* read.value;
        next = read.next;
      }
    },
    page,
    put: (path, apiVersion, body, options = {}) => write({ method: 'PUT', path, apiVersion, body, options }),
    patch: (path, apiVersion, body, options = {}) => write({ method: 'PATCH', path, apiVersion, body, options }),
    post: (path, apiVersion, body, options = {}) =>
      sendAndWait(connected, { method: 'POST', path, apiVersion, body, options }),
    async start(path, apiVersion, options = {}) {
      await send(connected, { method: 'POST', path, apiVersion, options });
    },
    async remove(path, apiVersion, options = {}) {
      await unlessMissing(() => sendAndWait(connected, { method: 'DELETE', path, apiVersion, options }));
    },
  };
}

/** Returns undefined on 404. */
async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isUnderstudyError(error) && error.details.azure?.status === 404) return undefined;
    throw error;
  }
}

async function send({ client, base, settings }: Connected, request: Request): Promise<PipelineResponse> {
  const url = request.path.startsWith('https:') ? request.path : `${base}${request.path}`;
  const tried = `${request.method} ${shorten(url, base)}`;
  try {
    const sent = createPipelineRequest({
      url: withApiVersion(url, request.apiVersion),
      method: request.method,
      timeout: request.options.timeoutMs ?? settings.requestTimeoutMs,
      headers: createHttpHeaders(request.body ? { 'content-type': 'application/json' } : {}),
      ...(request.body ? { body: JSON.stringify(request.body) } : {}),
      ...(request.options.signal ? { abortSignal: request.options.signal } : {}),
    });
    setPacing(sent, request.options);
    const response = await client.sendRequest(sent);
    request.options.onAnswer?.();
    if (response.status >= 400) throw answerError(tried, response);
    return response;
  } catch (error) {
    throw azureError(tried, error, request.options.signal?.aborted);
  }
}

/** Sends a request and waits for a long-running operation to end. Returns the last response. */
async function sendAndWait(connected: Connected, request: Request): Promise<Json> {
  const tried = `${request.method} ${request.path}`;
  let last: Json = null;
  const answered = (response: PipelineResponse) => {
    const answer = operationResponse(response);
    last = answer.flatResponse;
    return answer;
  };
  const poller: OperationPoller = createHttpPoller(
    {
      sendInitialRequest: async () => answered(await send(connected, request)),
      sendPollRequest: async (path) =>
        answered(await send(connected, { ...request, method: 'GET', path, body: undefined })),
    },
    { intervalInMs: connected.settings.pollIntervalMs ?? 1000, resolveOnUnsuccessful: true },
  );
  const result = await pollToEnd(poller, tried, () => last, request.options.signal);
  return result ?? null;
}

/** `last` returns the last response: the poller keeps only a sentence of it, without Azure's code. */
async function pollToEnd(
  poller: OperationPoller,
  tried: string,
  last: () => Json,
  signal: AbortSignal | undefined,
): Promise<Json | undefined> {
  const result = await poller.pollUntilDone(signal ? { abortSignal: signal } : {});
  const state = poller.operationState as { status: string; error?: Error } | undefined;
  if (state?.status !== 'failed' && state?.status !== 'canceled') return result;
  if (isUnderstudyError(state.error)) throw state.error;
  throw operationError(tried, state.status, last(), state.error);
}

function operationResponse(response: PipelineResponse): OperationResponse<Json> {
  const body = parse(response);
  const raw = {
    statusCode: response.status,
    request: { method: response.request.method, url: response.request.url },
    headers: response.headers.toJSON({ preserveCase: false }),
    body,
  } as RawResponse;
  return { flatResponse: body, rawResponse: raw };
}

function parse(response: PipelineResponse): Json {
  const text = response.bodyAsText ?? '';
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UnderstudyError(
      'AzureError',
      `${response.request.method} ${response.request.url}: the answer is not JSON`,
      {
        cause: error,
      },
    );
  }
}

function isResource(value: Json): value is JsonObject & ArmResource {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && 'id' in value && 'properties' in value;
}

function withApiVersion(url: string, apiVersion: string): string {
  if (/[?&]api-version=/i.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}api-version=${apiVersion}`;
}

function shorten(url: string, base: string): string {
  return url.startsWith(base) ? (url.slice(base.length).split('?', 1)[0] ?? url) : (url.split('?', 1)[0] ?? url);
}
