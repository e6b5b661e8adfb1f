/**
 * The data plane of container registries, at `https://{registry}.azurecr.localhost:1/v2/…` or below a region's own
 * address, `https://localhost:1/_/registry/{registry}/v2/…`. Source: OCI distribution specification 1.1; login:
 * Docker's token specification, and Azure's `/oauth2/exchange`. As dark as its region; with replications, a region that
 * is up serves.
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Faults } from '../faults/faults.ts';
import { plainHeaders, readBody } from '../http/body.ts';
import { serviceOf } from '../http/service-hosts.ts';
import { underFaults, unlessLost } from '../faults/under-faults.ts';
import { ArmError, type Cloud } from '../contract/index.ts';
import { admitsRegistryCaller, regionsOf, REGISTRY } from './places.ts';
import { formOf, type Asked, type RegistryAccess } from './access.ts';
import { askAzureApi, repositoryOf } from './azure-api.ts';
import { askManifest, listReferrers, listRepositories, listTags } from './contents.ts';
import { OciError, ociBody, unsupported } from './oci-error.ts';
import { requireRepository } from './references.ts';
import type { RegistryStore } from './registry-store.ts';
import type { RegistryAnswer, RegistryRequest } from './request.ts';
import { Uploads } from './uploads.ts';

const PREFIX = '/_/registry/';
/** Manifests and forms; layers are streamed. Registries take manifests of 4 MiB. */
const LARGEST_BODY = 4 << 20;

/** Is the request one for a registry? */
export function isForRegistry(host: string | undefined, url: string): boolean {
  return serviceOf(host)?.service === 'registry' || url.startsWith(PREFIX);
}

export class RegistryFront {
  private readonly cloud: Cloud;
  private readonly faults: Faults;
  private readonly store: RegistryStore;
  private readonly access: RegistryAccess;
  private readonly uploads: Uploads;

  constructor(cloud: Cloud, faults: Faults, store: RegistryStore, access: RegistryAccess) {
    this.cloud = cloud;
    this.faults = faults;
    this.store = store;
    this.access = access;
    this.uploads = new Uploads(store);
  }

  /** Serves one request that reached the front of `region`; answers the status, null where the client got none. */
  async handle(region: string, message: IncomingMessage, response: ServerResponse): Promise<number | null> {
    const method = message.method ?? 'GET';
    const reached = { faults: this.faults, region, parts: [], message };
    return underFaults(
      reached,
      async () => {
        const answer = await this.answer(this.read(region, message));
        return unlessLost(reached, () => sendAnswer(response, answer, method));
      },
      (error) => {
        const shown = this.asOciError(error);
        const { status, headers } = shown;
        return sendAnswer(response, { status, headers, body: ociBody(shown) }, method);
      },
    );
  }

  private read(region: string, message: IncomingMessage): RegistryRequest {
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    const named = serviceOf(message.headers.host);
    const isByHost = named?.service === 'registry';
    const [below = '', ...rest] = isByHost ? [] : url.pathname.slice(PREFIX.length).split('/');
    const name = (isByHost ? named.name : below).toLowerCase();
    const registry = this.cloud.store.ofType(REGISTRY).find(({ resource }) => resource.name.toLowerCase() === name);
    if (!registry || !regionsOf(this.cloud, registry).includes(region))
      throw new OciError(404, 'NAME_UNKNOWN', `There is no container registry '${name}' in region '${region}'.`);
    if (!admitsRegistryCaller(registry, message.socket.remoteAddress))
      throw new OciError(403, 'DENIED', `client with IP '${message.socket.remoteAddress}' is not allowed access.`);
    const host = `https://${message.headers.host ?? ''}`;
    return {
      registry,
      name,
      method: message.method ?? 'GET',
      path: decodeURIComponent(isByHost ? url.pathname : `/${rest.join('/')}`),
      query: url.searchParams,
      headers: plainHeaders(message),
      base: isByHost ? host : `${host}${PREFIX}${name}`,
      message,
    };
  }

  private async answer(request: RegistryRequest): Promise<RegistryAnswer> {
    const { registry, method, path, query, headers, message } = request;
    if (path === '/oauth2/exchange' && method === 'POST')
      return {
        status: 200,
        body: this.access.exchange(registry, formOf(await readBody(message, LARGEST_BODY), query)),
      };
    if (path === '/oauth2/token' && (method === 'POST' || method === 'GET')) {
      const form = formOf(await readBody(message, LARGEST_BODY), query);
      return { status: 200, body: this.access.accessToken(registry, headers.authorization, form) };
    }
    const asked: Asked = {
      registry,
      authorization: headers.authorization,
      base: request.base,
      service: headers.host ?? '',
    };
    if (path === '/v2/' || path === '/v2') {
      this.access.requireKnown(asked);
      return { status: 200, body: {} };
    }
    if (path === '/v2/_catalog' && method === 'GET') {
      this.access.require(asked, 'catalog', '*');
      return listRepositories(this.store, request);
    }
    if (path.startsWith('/acr/v1/')) {
      const repository = repositoryOf(path);
      if (repository !== undefined) requireRepository(repository);
      this.access.require(asked, repository === undefined ? 'catalog' : 'pull', repository ?? '*');
      return askAzureApi(this.store, request, repository);
    }
    return this.inRepository(request, asked);
  }

  private async inRepository(request: RegistryRequest, asked: Asked): Promise<RegistryAnswer> {
    const { method, path, message } = request;
    const match = /^\/v2\/(.+)\/(tags|manifests|blobs|referrers)\/(.*)$/.exec(path);
    if (!match) throw unsupported(method, path);
    const [, repository = '', kind = '', reference = ''] = match;
    // 'a/blobs/uploads/x' reads as repository 'a/blobs' too, but for the greedy match's sake only.
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(path);
    const name = upload?.[1] ?? repository;
    requireRepository(name);
    this.access.require(asked, rightFor(method, kind), name);
    if (upload) return this.uploads.ask(request, name, upload[2] ?? '');
    switch (kind) {
      case 'tags':
        return listTags(this.store, request, name);
      case 'referrers':
        return listReferrers(this.store, request, name, reference);
      case 'blobs':
        return this.uploads.askBlob(request, name, reference);
      default: {
        const body = method === 'PUT' ? await readBody(message, LARGEST_BODY) : Buffer.alloc(0);
        return askManifest(this.store, request, name, reference, body, this.cloud.clock.now());
      }
    }
  }

  private asOciError(error: unknown): OciError {
    if (error instanceof OciError) return error;
    if (error instanceof URIError) return new OciError(400, 'NAME_INVALID', 'The path is not percent-encoded.');
    if (error instanceof ArmError) {
      const code = error.status === 429 ? 'TOOMANYREQUESTS' : error.status === 413 ? 'SIZE_INVALID' : 'UNKNOWN';
      return new OciError(error.status, code, error.message, error.headers);
    }
    this.cloud.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return new OciError(500, 'UNKNOWN', 'The local Azure failed to answer. Its log has the reason.');
  }
}

function rightFor(method: string, kind: string): 'pull' | 'push' | 'delete' {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' && kind === 'manifests' ? 'delete' : 'push';
}

async function sendAnswer(response: ServerResponse, answer: RegistryAnswer, method: string): Promise<number> {
  const { status, headers = {}, body, stream } = answer;
  const bytes = Buffer.isBuffer(body) ? body : body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  const type: Record<string, string> =
    body === undefined || Buffer.isBuffer(body) ? {} : { 'Content-Type': 'application/json; charset=utf-8' };
  const length: Record<string, string> = stream || status === 204 ? {} : { 'Content-Length': String(bytes.length) };
  response.writeHead(status, {
    'Docker-Distribution-Api-Version': 'registry/2.0',
    'X-Ms-Correlation-Request-Id': randomUUID(),
    ...type,
    ...length,
    ...headers,
  });
  if (stream && method !== 'HEAD') {
    // A client that leaves in the middle of a layer is its own business.
    await pipeline(stream, response).catch(() => undefined);
    return status;
  }
  stream?.destroy();
  response.end(method === 'HEAD' ? undefined : bytes);
  return status;
}
