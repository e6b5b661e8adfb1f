/**
 * A person's own look at the local Azure, by bare requests and the stock blob client: what whole operations are judged
 * by. Nothing here is the product's.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { BlobServiceClient, type BlobClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { CloudAddress } from '../../src/stack/state.ts';

export interface Resource {
  id: string;
  name: string;
  type: string;
  properties: Record<string, unknown>;
  [field: string]: unknown;
}

const ml = 'Microsoft.MachineLearningServices';
const mlVersion = '2024-04-01';
const storageVersion = '2023-05-01';

export class AzureReader {
  readonly cloud: CloudAddress;
  readonly #token: string;

  private constructor(cloud: CloudAddress, token: string) {
    this.cloud = cloud;
    this.#token = token;
  }

  static async open(cloud: CloudAddress): Promise<AzureReader> {
    trust(await readFile(cloud.ca, 'utf8'));
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: cloud.clientId,
      client_secret: cloud.clientSecret,
      scope: `${cloud.arm}/.default`,
    });
    const answer = await fetch(`${cloud.authority}/${cloud.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body,
    });
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`no token: HTTP ${answer.status}`);
    return new AzureReader(cloud, token);
  }

  async call(
    method: string,
    path: string,
    apiVersion: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const url = path.startsWith('https:')
      ? path
      : `${this.cloud.arm}${path}${path.includes('?') ? '&' : '?'}api-version=${apiVersion}`;
    const ask = () =>
      fetch(url, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    let answer = await ask();
    while (answer.status === 429) {
      await answer.arrayBuffer();
      await delay(Number(answer.headers.get('retry-after') ?? '1') * 1000);
      answer = await ask();
    }
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  async get(path: string, apiVersion = mlVersion): Promise<Resource> {
    return (await this.#good('GET', path, apiVersion)) as Resource;
  }

  async post(path: string, apiVersion = mlVersion, body: unknown = {}): Promise<Record<string, unknown>> {
    return (await this.#good('POST', path, apiVersion, body)) as Record<string, unknown>;
  }

  async put(path: string, body: unknown, apiVersion = mlVersion): Promise<Resource> {
    return (await this.#good('PUT', path, apiVersion, body)) as Resource;
  }

  /** All pages. */
  async list(path: string, apiVersion = mlVersion): Promise<Resource[]> {
    const found: Resource[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const page = (await this.#good('GET', next, apiVersion)) as { value: Resource[]; nextLink?: string };
      found.push(...page.value);
      next = page.nextLink;
    }
    return found;
  }

  async #good(method: string, path: string, apiVersion: string, body?: unknown): Promise<unknown> {
    const answer = await this.call(method, path, apiVersion, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  workspace(group: string, name: string): string {
    return `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/${group}/providers/${ml}/workspaces/${name}`;
  }

  async blobs(accountId: string): Promise<BlobServiceClient> {
    const account = await this.get(accountId, storageVersion);
    const { keys } = (await this.post(`${accountId}/listKeys`, storageVersion)) as {
      keys: { value: string }[];
    };
    const { blob } = account.properties.primaryEndpoints as { blob: string };
    return new BlobServiceClient(blob, new StorageSharedKeyCredential(account.name, keys[0]?.value ?? ''));
  }

  async keysOf(accountId: string): Promise<string[]> {
    const { keys } = (await this.post(`${accountId}/listKeys`, storageVersion)) as {
      keys: { value: string }[];
    };
    return keys.map(({ value }) => value);
  }

  controlStore(): string {
    return `/subscriptions/${this.cloud.subscriptionId}/resourceGroups/ml-control/providers/Microsoft.Storage/storageAccounts/frauddrcontrol`;
  }
}

/** Names (below `prefix`) and digests of the blobs there. */
export async function digestsBelow(
  service: BlobServiceClient,
  container: string,
  prefix: string,
): Promise<Record<string, string>> {
  const client = service.getContainerClient(container);
  const names: string[] = [];
  for await (const { name } of client.listBlobsFlat({ prefix })) names.push(name);
  const digests = await Promise.all(
    names.map(async (name) => {
      const content = await client.getBlobClient(name).downloadToBuffer();
      return [name.slice(prefix.length), createHash('sha256').update(content).digest('hex')] as const;
    }),
  );
  return Object.fromEntries(digests);
}

/**
 * A blob's text, by one request: `downloadToBuffer` asks for the length first, and of a blob that is written anew
 * between the two it gives the new content cut to the former length.
 */
export async function readText(blob: BlobClient): Promise<string> {
  const { readableStreamBody } = await blob.download();
  if (!readableStreamBody) throw new Error(`${blob.name} has no content`);
  return text(readableStreamBody);
}

function trust(authority: string): void {
  const trusted = tls.getCACertificates('default');
  if (!trusted.includes(authority)) tls.setDefaultCACertificates([...trusted, authority]);
}
