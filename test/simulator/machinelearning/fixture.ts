/**
 * A local Azure of its own for a test file, with what a workspace needs, and a client that speaks to it as Azure's do.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud, type CloudOptions, type RunningCloud } from '../../../simulator/cloud.ts';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';

const API_VERSION = '2024-04-01';
const ML = 'Microsoft.MachineLearningServices';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: JsonObject;
}

/** What a test file holds on to. */
export interface Fixture {
  running: RunningCloud;
  subscription: string;
  /** `/subscriptions/…/resourceGroups/ml-{region}` */
  group(region: string): string;
  /** Sends a request to the ARM endpoint, with a token and (unless the path has one) an api-version. */
  arm(method: string, path: string, body?: Json): Promise<Answer>;
  /** The same, and waits for the long-running operation; throws for an error. Answers the resource as it then is. */
  put(path: string, body: Json, method?: 'PUT' | 'PATCH'): Promise<JsonObject>;
  /** Waits for the operation of an answer; answers how it ended. */
  settle(answer: Answer): Promise<JsonObject>;
  send(method: string, url: string, body?: Json | Buffer, headers?: Record<string, string>): Promise<Answer>;
  /** All pages of a list. */
  list(path: string): Promise<JsonObject[]>;
  /** Stops the cloud and starts it again on the same state. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The value, which must be a text. */
export function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`expected a text, got ${JSON.stringify(value)}`);
  return value;
}

export function properties(body: JsonObject): JsonObject {
  return body.properties as JsonObject;
}

/** The message of an ARM error. */
export function message(body: JsonObject): string {
  return (body.error as { message: string }).message;
}

/** Starts a cloud whose operations are quick. The clock goes by real time unless `options.speed` says otherwise. */
export async function startFixture(options: Partial<CloudOptions> = {}): Promise<Fixture> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'local-azure-ml-'));
  // A hundredth of the usual time, but still several polls where a client is as quick.
  const settings = {
    stateDirectory,
    regions: ['eastus', 'westus3'],
    pace: 0.02,
    retryAfterSeconds: 0,
    ...options,
  };
  let running = await startCloud(settings);
  let token: { value: string; until: number } | undefined;

  const send: Fixture['send'] = (method, url, body, headers = {}) =>
    exchange(method, url, body, headers, readFileSync(running.address.ca, 'utf8'));

  async function bearer(): Promise<string> {
    if (token && token.until > Date.now()) return token.value;
    const { authority, tenantId, clientId, clientSecret, arm } = running.address;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${arm}/.default`,
    });
    const answer = await send('POST', `${authority}/${tenantId}/oauth2/v2.0/token`, Buffer.from(form.toString()), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    token = { value: text(answer.body.access_token), until: Date.now() + 60_000 };
    return token.value;
  }

  const arm: Fixture['arm'] = async (method, path, body) => {
    const url = new URL(path, running.address.arm);
    if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', API_VERSION);
    return send(method, url.href, body, { authorization: `Bearer ${await bearer()}` });
  };

  const settle: Fixture['settle'] = async (answer) => {
    if (answer.status >= 400) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    const url = answer.headers['azure-asyncoperation'];
    if (url === undefined) return { status: 'Succeeded' };
    for (;;) {
      const { body } = await arm('GET', url);
      if (body.status !== 'InProgress') return body;
      if (running.clock.speed === 0) running.clock.advance(1);
      else await new Promise((resolve) => setTimeout(resolve, 10)); // Between two polls of a condition.
    }
  };

  return {
    get running() {
      return running;
    },
    subscription: `/subscriptions/${running.address.subscriptionId}`,
    group: (region) => `/subscriptions/${running.address.subscriptionId}/resourceGroups/ml-${region}`,
    arm,
    send,
    settle,
    async put(path, body, method = 'PUT') {
      const ended = await settle(await arm(method, path, body));
      if (ended.status !== 'Succeeded') throw new Error(`${method} ${path}: ${JSON.stringify(ended)}`);
      return (await arm('GET', path)).body;
    },
    async list(path) {
      const found: JsonObject[] = [];
      for (let next: string | undefined = path; next !== undefined;) {
        const { status, body } = await arm('GET', next);
        if (status !== 200) throw new Error(`GET ${next}: ${status} ${JSON.stringify(body)}`);
        found.push(...(body.value as JsonObject[]));
        next = body.nextLink as string | undefined;
      }
      return found;
    },
    async restart() {
      await running.close();
      running = await startCloud(settings);
    },
    async close() {
      await running.close();
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
}

/** What a workspace depends on, and the workspace, in one region. Answers the workspace's id. */
export async function makeWorkspace(fixture: Fixture, region: string, name: string): Promise<string> {
  const group = fixture.group(region);
  const key = `${name.replace(/[^a-z0-9]/g, '')}${fixture.running.address.subscriptionId.slice(0, 6)}`;
  await fixture.put(`${group}?api-version=2021-04-01`, { location: region });
  const dependencies = {
    storageAccount: [
      `${group}/providers/Microsoft.Storage/storageAccounts/st${key}`,
      { kind: 'StorageV2', sku: { name: 'Standard_LRS' }, properties: {} },
    ],
    keyVault: [
      `${group}/providers/Microsoft.KeyVault/vaults/kv${key}`,
      {
        properties: {
          tenantId: fixture.running.address.tenantId,
          sku: { family: 'A', name: 'standard' },
          enableRbacAuthorization: true,
        },
      },
    ],
    applicationInsights: [
      `${group}/providers/Microsoft.Insights/components/ai${key}`,
      { kind: 'web', properties: { Application_Type: 'web' } },
    ],
  } as const;
  for (const [id, body] of Object.values(dependencies))
    await fixture.put(`${id}?api-version=2023-01-01`, { location: region, ...body });
  const properties = Object.fromEntries(Object.entries(dependencies).map(([field, [id]]) => [field, id]));
  const id = `${group}/providers/${ML}/workspaces/${name}`;
  await fixture.put(id, { location: region, properties });
  return id;
}

function exchange(
  method: string,
  url: string,
  body: Json | Buffer | undefined,
  headers: Record<string, string>,
  ca: string,
): Promise<Answer> {
  const content = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const length: Record<string, string> = content
      ? { 'content-type': 'application/json', 'content-length': String(content.length) }
      : {};
    const sent = request(url, { method, ca, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const parsed = text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as JsonObject) : { text };
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: parsed,
        });
      });
    });
    sent.on('error', reject);
    sent.end(content);
  });
}
