/**
 * Azure Resource Manager, by its protocol: a bearer token, JSON, paging by `nextLink`, and long-running operations by
 * `Azure-AsyncOperation` or `Location`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type TokenCredential } from '@azure/identity';
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { isObject, type Json, type JsonObject } from './json.ts';
import { AzureFailure } from './load-error.ts';

export interface ArmOptions {
  /** 'https://management.azure.com', without a slash at its end. */
  endpoint: string;
  /** The scope that tokens are asked for. */
  scope: string;
  credential: TokenCredential;
  /** Longest wait for one long-running operation, in seconds (default 1800). */
  operationTimeoutSeconds?: number;
}

interface Answer {
  status: number;
  body: Json | undefined;
  header(name: string): string | undefined;
}

export class Arm {
  readonly #options: ArmOptions;
  readonly #client = createDefaultHttpClient();
  readonly #pipeline;

  constructor(options: ArmOptions) {
    this.#options = options;
    this.#pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 5 } });
    this.#pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({ credential: options.credential, scopes: options.scope }),
      { phase: 'Sign' },
    );
  }

  /** The resource, or undefined where there is none. */
  async get(id: string, apiVersion: string): Promise<JsonObject | undefined> {
    const answer = await this.#send('GET', this.#url(id, apiVersion));
    if (answer.status === 404) return undefined;
    return objectOf(this.#checked(answer, `GET ${id}`), id);
  }

  /** Puts the resource and waits until it is there; answers it as the service then shows it. */
  async put(id: string, apiVersion: string, body: JsonObject): Promise<JsonObject> {
    const answer = await this.#send('PUT', this.#url(id, apiVersion), body);
    this.#checked(answer, `PUT ${id}`);
    await this.#finished(answer, `PUT ${id}`);
    return objectOf(this.#checked(await this.#send('GET', this.#url(id, apiVersion)), `GET ${id}`), id);
  }

  /** Calls an action ('listKeys') of a resource. */
  async post(id: string, action: string, apiVersion: string, body: JsonObject = {}): Promise<JsonObject> {
    const what = `POST ${id}/${action}`;
    return objectOf(
      this.#checked(await this.#send('POST', this.#url(`${id}/${action}`, apiVersion), body), what),
      what,
    );
  }

  /** The entries of a list, page after page, until there are `atMost`. */
  async list(
    path: string,
    apiVersion: string,
    query: Record<string, string> = {},
    atMost = Number.POSITIVE_INFINITY,
  ): Promise<JsonObject[]> {
    const entries: JsonObject[] = [];
    let url: string | undefined = this.#url(path, apiVersion, query);
    while (url !== undefined && entries.length < atMost) {
      const page: JsonObject = objectOf(this.#checked(await this.#send('GET', url), `GET ${path}`), path);
      if (Array.isArray(page.value)) entries.push(...page.value.filter(isObject));
      url = typeof page.nextLink === 'string' && page.nextLink !== '' ? page.nextLink : undefined;
    }
    return entries;
  }

  #url(path: string, apiVersion: string, query: Record<string, string> = {}): string {
    return `${this.#options.endpoint}${path}?${new URLSearchParams({ ...query, 'api-version': apiVersion }).toString()}`;
  }

  async #send(method: HttpMethods, url: string, body?: JsonObject): Promise<Answer> {
    const request = createPipelineRequest({ url, method });
    request.headers.set('Accept', 'application/json');
    if (body !== undefined) {
      request.headers.set('Content-Type', 'application/json');
      request.body = JSON.stringify(body);
    }
    const response: PipelineResponse = await this.#pipeline.sendRequest(this.#client, request);
    const text = response.bodyAsText ?? '';
    return {
      status: response.status,
      body: text === '' ? undefined : parsed(text, `${method} ${url}`),
      header: (name) => response.headers.get(name),
    };
  }

  #checked(answer: Answer, what: string): Json | undefined {
    if (answer.status < 400) return answer.body;
    throw new AzureFailure(`${what}: HTTP ${answer.status} ${errorOf(answer.body)}`);
  }

  /** Waits for the end of a long-running operation, at the pace that the service asks for. */
  async #finished(first: Answer, what: string): Promise<void> {
    const deadline = Date.now() + (this.#options.operationTimeoutSeconds ?? 1800) * 1000;
    const operation = first.header('azure-asyncoperation');
    const location = first.header('location');
    const url = operation ?? (first.status === 202 ? location : undefined);
    if (url === undefined) return;
    let pause = pauseMilliseconds(first);
    while (Date.now() < deadline) {
      await sleep(pause);
      const answer = await this.#send('GET', url);
      this.#checked(answer, what);
      // `Location` answers 202 until the end; `Azure-AsyncOperation` says in its body how it stands.
      const status = operation === undefined ? statusOf(answer.status) : stateOf(answer.body);
      if (status === 'Succeeded') return;
      if (status === 'Failed' || status === 'Canceled')
        throw new AzureFailure(`${what}: ${status}: ${errorOf(answer.body)}`);
      pause = pauseMilliseconds(answer);
    }
    throw new AzureFailure(`${what}: the operation has not ended in time`);
  }
}

function pauseMilliseconds(answer: Answer): number {
  const seconds = Number(answer.header('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.max(50, seconds * 1000) : 1000;
}

function statusOf(httpStatus: number): string {
  return httpStatus === 202 ? 'InProgress' : 'Succeeded';
}

function stateOf(body: Json | undefined): string {
  return isObject(body) && typeof body.status === 'string' ? body.status : 'InProgress';
}

function parsed(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new AzureFailure(`${what}: expected JSON, got "${text.slice(0, 80)}"`, { cause: error });
  }
}

function objectOf(body: Json | undefined, what: string): JsonObject {
  if (isObject(body)) return body;
  throw new AzureFailure(`${what}: expected a JSON object, got ${JSON.stringify(body)}`);
}

function errorOf(body: Json | undefined): string {
  const error = isObject(body) && isObject(body.error) ? body.error : undefined;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string')
    return JSON.stringify(body ?? null);
  return `${error.code}: ${error.message}`;
}
