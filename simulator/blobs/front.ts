/**
 * A region's blob front: TLS, the rules of the storage account (its region, its secondary, whether keys or the public
 * network are allowed), bearer tokens, copy sources; then the request goes on to Azurite and both bodies are streamed.
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Faults } from '../faults/faults.ts';
import { underFaults } from '../faults/under-faults.ts';
import { serviceOf } from '../http/service-hosts.ts';
import { ArmError, type Cloud, type Stored } from '../contract/index.ts';
import { mirrorContainer } from '../storage/containers.ts';
import { replicationStatus } from '../storage/failover.ts';
import { findAccount } from '../storage/places.ts';
import { azuriteHost, blobAddress } from '../storage-protocol/address.ts';
import { Admission, type Admitted } from './admission.ts';
import type { Azurite } from '../azurite/azurite.ts';
import { sendStorageError, StorageError } from '../storage-protocol/errors.ts';
import { withServiceEndpoint } from './service-endpoint.ts';
import { STORAGE_VERSION } from '../storage-protocol/shared-key.ts';
import { requireSourceMd5 } from './source-md5.ts';
import { issueKey } from '../storage-protocol/user-delegation.ts';

/** Meant for the next hop only, or set anew by it. */
const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authorization',
]);

/** What management calls the kinds of public access. */
const PUBLIC: Record<string, string> = { blob: 'Blob', container: 'Container' };
/** More than any request for a key is long. */
const MOST_KEY_INFO = 10_000;

export class BlobFront {
  private readonly cloud: Cloud;
  private readonly faults: Faults;
  private readonly azurite: Azurite;
  private readonly admission: Admission;

  constructor(cloud: Cloud, faults: Faults, azurite: Azurite) {
    this.cloud = cloud;
    this.faults = faults;
    this.azurite = azurite;
    this.admission = new Admission(cloud, faults);
  }

  /** Serves one request that reached the front of `region`; answers the status, null where the client got none. */
  async handle(region: string, message: IncomingMessage, response: ServerResponse): Promise<number | null> {
    return underFaults(
      { faults: this.faults, region, parts: ['blob', 'storage'], message },
      async () => {
        const admitted = this.admission.admit(region, message);
        const copySource = this.admission.requireCopySource(message);
        await this.bringSecondariesUpToDate(message);
        await requireSourceMd5(this.azurite, message, copySource);
        if (isKeyRequest(message)) return this.sendDelegationKey(message, response, admitted);
        return this.forward(region, message, response, {
          ...admitted,
          ...(copySource ? { copySource } : {}),
        });
      },
      (error) => sendStorageError(response, asStorageError(error), message.method ?? 'GET'),
    );
  }

  private async sendDelegationKey(
    message: IncomingMessage,
    response: ServerResponse,
    { account, principal }: Admitted,
  ): Promise<number> {
    if (!principal)
      throw new StorageError(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.');
    let body = '';
    for await (const chunk of message) if (body.length < MOST_KEY_INFO) body += String(chunk);
    const version = String(message.headers['x-ms-version'] ?? STORAGE_VERSION);
    const xml = issueKey(this.cloud, account, principal, body, version);
    response.writeHead(200, {
      'Content-Type': 'application/xml',
      'x-ms-request-id': randomUUID(),
      'x-ms-version': version,
    });
    response.end(xml);
    return 200;
  }

  /** Reads at a secondary, and copies from one, see the state that it should have by now. */
  private async bringSecondariesUpToDate(message: IncomingMessage): Promise<void> {
    const source = message.headers['x-ms-copy-source'];
    const urls = [
      `https://${message.headers.host}${message.url ?? '/'}`,
      ...(typeof source === 'string' ? [source] : []),
    ];
    for (const { host, pathname } of urls.map((url) => new URL(url))) {
      const { account: name, isSecondary } = blobAddress(host, pathname);
      const account = isSecondary ? this.account(name) : undefined;
      if (account) await this.cloud.geo.lastSyncTime(account);
    }
  }

  /**
   * Get Blob Service Stats: Azurite knows that it was asked rightly, but not how far the secondary is. Undefined:
   * something else was asked.
   */
  private async stats(message: IncomingMessage): Promise<string | undefined> {
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    if (url.searchParams.get('restype') !== 'service' || url.searchParams.get('comp') !== 'stats') return undefined;
    const account = this.account(blobAddress(message.headers.host, url.pathname).account);
    if (!account) return undefined;
    const { state, lastSyncTime } = await replicationStatus(this.cloud, account);
    const seconds = lastSyncTime ? new Date(Math.floor(lastSyncTime.getTime() / 1000) * 1000).toUTCString() : '';
    return `<?xml version="1.0" encoding="utf-8"?><StorageServiceStats><GeoReplication><Status>${state.toLowerCase()}</Status><LastSyncTime>${seconds}</LastSyncTime></GeoReplication></StorageServiceStats>`;
  }

  private account(name: string): Stored | undefined {
    return findAccount(this.cloud, name);
  }

  /** A container made or deleted here is there, or gone, for management, too. */
  private mirror(message: IncomingMessage, status: number): void {
    const { method, headers } = message;
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    const { account, container, blob } = blobAddress(headers.host, url.pathname);
    const component = url.searchParams.get('comp');
    if (url.searchParams.get('restype') !== 'container' || blob) return;
    if (method === 'DELETE' && status === 202) mirrorContainer(this.cloud, account, container, null);
    const isMade = method === 'PUT' && component === null && status === 201;
    const isOpened = method === 'PUT' && component === 'acl' && status === 200;
    if (!isMade && !isOpened) return;
    const asked = String(headers['x-ms-blob-public-access'] ?? '').toLowerCase();
    mirrorContainer(this.cloud, account, container, PUBLIC[asked] ?? 'None');
  }

  private async forward(
    region: string,
    message: IncomingMessage,
    response: ServerResponse,
    { account, vouched, url, copySource }: Admitted,
  ): Promise<number | null> {
    const method = message.method ?? 'GET';
    const path = url ?? message.url ?? '/';
    const headers: Record<string, string | string[]> = {};
    for (let i = 0; i < message.rawHeaders.length; i += 2) {
      const [name = '', value = ''] = [message.rawHeaders[i], message.rawHeaders[i + 1]];
      if (!HOP_HEADERS.has(name.toLowerCase())) headers[name] = value;
    }
    for (const name of Object.keys(headers)) if (name.toLowerCase() === 'host') delete headers[name];
    headers.Host = azuriteHost(message.headers.host);
    if (copySource !== undefined) {
      for (const name of Object.keys(headers)) if (name.toLowerCase() === 'x-ms-copy-source') delete headers[name];
      headers['x-ms-copy-source'] = copySource;
    }
    const outgoing = this.azurite.open(method, path, headers, vouched);
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      outgoing.on('response', resolve).on('error', reject),
    );
    const sent = pipeline(message, outgoing);
    sent.catch(() => undefined); // The answer decides; a body that Azurite did not want to read is no failure.
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    const incoming = await answered;
    const status = incoming.statusCode ?? 502;
    this.mirror(message, status);
    if (this.faults.takeDrop(region, method, path)) {
      incoming.resume();
      message.socket.destroy();
      return null;
    }
    const answerHeaders = incoming.rawHeaders.filter(
      (_, i) => !HOP_HEADERS.has((incoming.rawHeaders[i - (i % 2)] ?? '').toLowerCase()),
    );
    const stats = status === 200 ? await this.stats(message) : undefined;
    if (stats !== undefined) {
      incoming.resume();
      response.writeHead(status, {
        'Content-Type': 'application/xml',
        'x-ms-request-id': String(incoming.headers['x-ms-request-id']),
        'x-ms-version': String(incoming.headers['x-ms-version']),
      });
      response.end(stats);
      return status;
    }
    const isList = status === 200 && new URLSearchParams(path.split('?')[1]).get('comp') === 'list';
    const sized = isList ? answerHeaders.filter((_, i) => !isLength(answerHeaders[i - (i % 2)])) : answerHeaders;
    response.writeHead(status, sized);
    // A client that leaves in the middle of a body is its own business.
    const body = isList ? [incoming, withServiceEndpoint(serviceEndpoint(message, account))] : [incoming];
    await pipeline([...body, response]).catch(() => undefined);
    return status;
  }
}

function isLength(header: string | undefined): boolean {
  return header?.toLowerCase() === 'content-length';
}

/** The endpoint as the client addressed it. */
function serviceEndpoint({ headers: { host = '' }, url = '/' }: IncomingMessage, { resource }: Stored): string {
  if (serviceOf(host)?.service === 'blob') return `https://${host}/`;
  const { isSecondary } = blobAddress(host, url);
  return `https://${host}/${resource.name}${isSecondary ? '-secondary' : ''}/`;
}

function isKeyRequest({ method, url = '/' }: IncomingMessage): boolean {
  return method === 'POST' && new URLSearchParams(url.split('?')[1]).get('comp') === 'userdelegationkey';
}

function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof ArmError) {
    if (error.status === 401) return new StorageError(401, 'InvalidAuthenticationInfo', error.message, error.headers);
    if (error.status === 429) return new StorageError(503, 'ServerBusy', 'The server is busy.', error.headers);
    return new StorageError(
      error.status,
      error.status === 503 ? 'ServerBusy' : error.status < 500 ? error.code : 'InternalError',
      error.message,
      error.headers,
    );
  }
  return new StorageError(500, 'InternalError', `The server encountered an internal error: ${String(error)}`);
}
