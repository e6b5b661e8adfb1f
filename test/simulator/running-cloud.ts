/**
 * A local Azure for one test file: in this process, in a folder of its own, with long-running operations twenty times
 * as fast.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import { ResourceManagementClient } from '@azure/arm-resources';
import { ClientSecretCredential } from '@azure/identity';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { startCloud, type CloudOptions, type RunningCloud } from '../../simulator/cloud.ts';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
  json: JsonObject;
}

export interface Ask {
  method?: string;
  body?: Json;
  /** A body that is not JSON; its type is among the headers. */
  raw?: string;
  headers?: Record<string, string>;
  token?: string | null;
  /** Gives up after this long; an unanswered request then rejects. */
  timeoutMs?: number;
}

export class TestCloud {
  readonly folder: string;
  readonly ca: string;
  private running: RunningCloud;
  private readonly options: Partial<CloudOptions>;
  readonly logged: string[] = [];
  private cached: string | undefined;

  private constructor(folder: string, running: RunningCloud, ca: string, options: Partial<CloudOptions>) {
    this.folder = folder;
    this.running = running;
    this.ca = ca;
    this.options = options;
  }

  static async start(options: Partial<CloudOptions> = {}): Promise<TestCloud> {
    const folder = await mkdtemp(join(tmpdir(), 'local-azure-'));
    const merged = { pace: 0.05, retryAfterSeconds: 0, ...options };
    const running = await startCloud({ stateDirectory: folder, ...merged });
    return new TestCloud(folder, running, await readFile(running.address.ca, 'utf8'), merged);
  }

  get at(): RunningCloud {
    return this.running;
  }

  /** Stops the cloud and starts it again on the same folder. */
  async restart(options: Partial<CloudOptions> = {}): Promise<void> {
    await this.running.close();
    this.running = await startCloud({ stateDirectory: this.folder, ...this.options, ...options });
  }

  async stop(): Promise<void> {
    await this.running.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get subscription(): string {
    return `/subscriptions/${this.running.address.subscriptionId}`;
  }

  credential(secret = this.running.address.clientSecret): ClientSecretCredential {
    const { tenantId, clientId, authority } = this.running.address;
    return new ClientSecretCredential(tenantId, clientId, secret, {
      authorityHost: authority,
      disableInstanceDiscovery: true,
      tlsOptions: { ca: this.ca },
      retryOptions: { maxRetries: 0 },
    });
  }

  private clientOptions(): {
    endpoint: string;
    tlsOptions: { ca: string };
    credentialScopes: string[];
    retryOptions: { maxRetries: number };
  } {
    const { arm } = this.running.address;
    return {
      endpoint: arm,
      tlsOptions: { ca: this.ca },
      credentialScopes: [`${arm}/.default`],
      retryOptions: { maxRetries: 0 },
    };
  }

  resources(): ResourceManagementClient {
    return new ResourceManagementClient(this.credential(), this.running.address.subscriptionId, this.clientOptions());
  }

  deployments(): DeploymentsClient {
    const options = {
      ...this.clientOptions(),
      credentials: { scopes: this.clientOptions().credentialScopes },
    };
    return new DeploymentsClient(this.credential(), this.running.address.subscriptionId, options);
  }

  blobs(url: string, account: string, key: string): BlobServiceClient {
    return new BlobServiceClient(url, new StorageSharedKeyCredential(account, key), this.blobOptions());
  }

  blobOptions(): ConstructorParameters<typeof BlobServiceClient>[2] {
    return { tlsOptions: { ca: this.ca }, retryOptions: { maxTries: 1 } } as ConstructorParameters<
      typeof BlobServiceClient
    >[2];
  }

  async token(audience = this.running.address.arm): Promise<string> {
    return (await this.credential().getToken(`${audience}/.default`)).token;
  }

  /** A request at the ARM endpoint with a fresh enough token; `path` without the endpoint. */
  async arm(path: string, ask: Ask = {}): Promise<HttpAnswer> {
    if (ask.token === undefined) this.cached ??= await this.token();
    const token = ask.token === undefined ? this.cached : ask.token;
    const url = path.startsWith('https:') ? path : `${this.running.address.arm}${path}`;
    return this.ask(url, {
      ...ask,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...ask.headers },
    });
  }

  async admin(method: string, path: string, body?: Json): Promise<HttpAnswer> {
    const answer = await this.ask(`${this.running.address.admin}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 400) throw new Error(`admin ${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  ask(url: string, { method = 'GET', body, raw, headers = {}, timeoutMs = 20_000 }: Ask = {}): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? raw : JSON.stringify(body);
      const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
      const send = url.startsWith('https:') ? httpsRequest : httpRequest;
      const request = send(url, { method, headers: typed, ca: this.ca, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          const isJson = String(response.headers['content-type']).startsWith('application/json');
          const flat = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve({
            status: response.statusCode ?? 0,
            headers: flat,
            text,
            json: isJson && text !== '' ? (JSON.parse(text) as JsonObject) : {},
          });
        });
      });
      request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      request.on('error', reject);
      request.end(payload);
    });
  }

  /** Creates a resource group. Answers its id. */
  async group(name: string, location: string): Promise<string> {
    const id = `${this.subscription}/resourceGroups/${name}`;
    const answer = await this.arm(`${id}?api-version=2024-03-01`, { method: 'PUT', body: { location } });
    if (answer.status > 201) throw new Error(`group ${name}: ${answer.status} ${answer.text}`);
    return id;
  }

  /** PUTs a resource and polls until its operation has ended. Answers the resource. */
  async make(id: string, body: Json): Promise<JsonObject> {
    const answer = await this.arm(`${id}?api-version=2024-04-01`, { method: 'PUT', body });
    if (answer.status >= 400) throw new Error(`PUT ${id}: ${answer.status} ${answer.text}`);
    await this.ended(answer);
    return (await this.arm(`${id}?api-version=2024-04-01`)).json;
  }

  /** Polls the operation that an answer began. Answers its last status body; undefined if it began none. */
  async ended(answer: HttpAnswer): Promise<JsonObject | undefined> {
    const url = answer.headers['azure-asyncoperation'];
    if (url === undefined) return undefined;
    for (;;) {
      const { json } = await this.arm(url);
      if (json.status !== 'InProgress') return json;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A storage account, ready. Answers its first key and its blob endpoints. */
  async account(
    group: string,
    name: string,
    location: string,
    more: JsonObject = {},
  ): Promise<{ id: string; key: string; primary: string; secondary: string }> {
    const id = `${group}/providers/Microsoft.Storage/storageAccounts/${name}`;
    const { properties, sku = { name: 'Standard_RAGRS' } } = more;
    const made = await this.make(id, { location, kind: 'StorageV2', sku, properties: properties ?? {} });
    const { primaryEndpoints, secondaryEndpoints } = made.properties as {
      primaryEndpoints: { blob: string };
      secondaryEndpoints?: { blob: string };
    };
    const keys = (await this.arm(`${id}/listKeys?api-version=2023-01-01`, { method: 'POST' })).json.keys as {
      value: string;
    }[];
    return {
      id,
      key: keys[0]?.value ?? '',
      primary: primaryEndpoints.blob,
      secondary: secondaryEndpoints?.blob ?? '',
    };
  }
}

/** Asks again until the condition holds; fails with what it last saw. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
