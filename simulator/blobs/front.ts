/**
 * A region's blob front: TLS, the rules of the storage account (its region, its secondary, whether keys or the public network are
 * allowed), bearer tokens, copy sources; then the request goes on to Azurite and both bodies are streamed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Faults } from '../faults.ts';
import { isObject } from '../http/fields.ts';
import { regionOfHost } from '../http/service-regions.ts';
import { underFaults } from '../http/under-faults.ts';
import { ArmError, type Cloud, type Stored } from '../provider.ts';
import { mirrorContainer } from '../providers/storage-containers.ts';
import { replicationStatus } from '../providers/storage-failover.ts';
import { admitsCaller } from '../providers/storage-network.ts';
import { findAccount, readableSecondaryOf } from '../providers/storage-places.ts';
import { requireBlobRole } from '../providers/authorization/blob-access.ts';
import { azuriteHost, blobAddress } from './address.ts';
import type { Azurite } from './azurite.ts';
import { sendStorageError, StorageError } from './errors.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
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

export class BlobFront {
  private readonly cloud: Cloud;
  private readonly faults: Faults;
  private readonly azurite: Azurite;

  constructor(cloud: Cloud, faults: Faults, azurite: Azurite) {
    this.cloud = cloud;
    this.faults = faults;
    this.azurite = azurite;
  }

  /** Serves one request that reached the front of `region`; answers the status, null where the client got none. */
  async handle(region: string, message: IncomingMessage, response: ServerResponse): Promise<number | null> {
    return underFaults(
      { faults: this.faults, region, parts: ['blob', 'storage'], message },
      async () => {
        const vouched = this.admit(region, message);
        this.requireCopySource(message);
        await this.bringSecondariesUpToDate(message);
        return this.forward(region, message, response, vouched);
      },
      (error) => sendStorageError(response, asStorageError(error), message.method ?? 'GET'),
    );
  }

  /** Checks the account and the kind of authentication. True: the bearer token was checked here. Throws StorageError. */
  private admit(region: string, message: IncomingMessage): boolean {
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    const { account: name, isSecondary } = blobAddress(message.headers.host, url.pathname);
    const account = this.account(name);
    if (!account || !this.isServedBy(region, account, isSecondary)) {
      throw new StorageError(404, 'ResourceNotFound', 'The specified resource does not exist.');
    }
    if (isSecondary && !READS.has(message.method ?? '')) {
      throw new StorageError(
        403,
        'WriteOperationNotSupportedOnSecondary',
        'Write operations are not allowed on the secondary.',
      );
    }
    const { properties } = account.resource;
    if (!admitsCaller(account, message.socket.remoteAddress)) {
      throw new StorageError(
        403,
        'AuthorizationFailure',
        'This request is not authorized to perform this operation.',
      );
    }
    const authorization = message.headers.authorization;
    if (authorization !== undefined && /^bearer /i.test(authorization)) {
      const audiences = ['https://storage.azure.com', blobEndpoint(account)];
      const principal = this.cloud.authenticate(authorization, audiences);
      requireBlobRole(this.cloud, principal, account.resource.id, message);
      return true;
    }
    const usesKey = authorization !== undefined || url.searchParams.has('sig');
    if (usesKey && properties.allowSharedKeyAccess === false) {
      throw new StorageError(
        403,
        'KeyBasedAuthenticationNotPermitted',
        'Key based authentication is not permitted on this storage account.',
      );
    }
    return false;
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

  /** Get Blob Service Stats: Azurite knows that it was asked rightly, but not how far the secondary is. Undefined: something else was asked. */
  private async stats(message: IncomingMessage): Promise<string | undefined> {
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    if (url.searchParams.get('restype') !== 'service' || url.searchParams.get('comp') !== 'stats')
      return undefined;
    const account = this.account(blobAddress(message.headers.host, url.pathname).account);
    if (!account) return undefined;
    const { state, lastSyncTime } = await replicationStatus(this.cloud, account);
    const seconds = lastSyncTime
      ? new Date(Math.floor(lastSyncTime.getTime() / 1000) * 1000).toUTCString()
      : '';
    return `<?xml version="1.0" encoding="utf-8"?><StorageServiceStats><GeoReplication><Status>${state.toLowerCase()}</Status><LastSyncTime>${seconds}</LastSyncTime></GeoReplication></StorageServiceStats>`;
  }

  private account(name: string): Stored | undefined {
    return findAccount(this.cloud, name);
  }

  private isServedBy(region: string, account: Stored, isSecondary: boolean): boolean {
    return (isSecondary ? readableSecondaryOf(account) : account.region) === region;
  }

  /** The source of a copy is read by the service: its region must be up, and it must be an account of this cloud. */
  private requireCopySource(message: IncomingMessage): void {
    const source = message.headers['x-ms-copy-source'];
    if (typeof source !== 'string') return;
    const url = URL.canParse(source) ? new URL(source) : undefined;
    if (!url)
      throw new StorageError(
        400,
        'InvalidHeaderValue',
        `The value for one of the HTTP headers is not in the correct format: x-ms-copy-source '${source}'.`,
      );
    const { account: name, isSecondary } = blobAddress(url.host, url.pathname);
    const account = this.account(name);
    const region =
      regionOfHost(this.cloud.store, this.cloud.regions, url.host) ??
      this.cloud.regions.find((one) => this.cloud.dataPlane(one) === url.origin);
    if (region === undefined || !account || !this.isServedBy(region, account, isSecondary)) {
      throw new StorageError(404, 'CannotVerifyCopySource', 'The specified resource does not exist.');
    }
    if (this.faults.modeOf(region, ['blob', 'storage']) !== 'none') {
      throw new StorageError(
        500,
        'CannotVerifyCopySource',
        'Could not verify the copy source within the specified time. Examine the HTTP status code and message for more information about the failure.',
      );
    }
    const { properties } = account.resource;
    if (!admitsCaller(account, message.socket.remoteAddress)) {
      throw new StorageError(
        403,
        'CannotVerifyCopySource',
        'This request is not authorized to perform this operation.',
      );
    }
    if (url.searchParams.has('sig') && properties.allowSharedKeyAccess === false) {
      throw new StorageError(
        403,
        'CannotVerifyCopySource',
        'Key based authentication is not permitted on this storage account.',
      );
    }
  }

  /** A container made or deleted here is there, or gone, for management, too. */
  private mirror(message: IncomingMessage, status: number): void {
    const { method } = message;
    if ((method !== 'PUT' || status !== 201) && (method !== 'DELETE' || status !== 202)) return;
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    const { account, container, blob } = blobAddress(message.headers.host, url.pathname);
    if (url.searchParams.get('restype') !== 'container' || url.searchParams.has('comp') || blob) return;
    mirrorContainer(this.cloud, account, container, method === 'PUT');
  }

  private async forward(
    region: string,
    message: IncomingMessage,
    response: ServerResponse,
    vouched: boolean,
  ): Promise<number | null> {
    const method = message.method ?? 'GET';
    const path = message.url ?? '/';
    const headers: Record<string, string | string[]> = {};
    for (let i = 0; i < message.rawHeaders.length; i += 2) {
      const [name = '', value = ''] = [message.rawHeaders[i], message.rawHeaders[i + 1]];
      if (!HOP_HEADERS.has(name.toLowerCase())) headers[name] = value;
    }
    for (const name of Object.keys(headers)) if (name.toLowerCase() === 'host') delete headers[name];
    headers.Host = azuriteHost(message.headers.host);
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
    response.writeHead(status, answerHeaders);
    // A client that leaves in the middle of a body is its own business.
    await pipeline(incoming, response).catch(() => undefined);
    return status;
  }
}

function blobEndpoint(account: Stored): string {
  const endpoints = account.resource.properties.primaryEndpoints;
  return isObject(endpoints) && typeof endpoints.blob === 'string' ? endpoints.blob : '';
}

function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof ArmError) {
    if (error.status === 401)
      return new StorageError(401, 'InvalidAuthenticationInfo', error.message, error.headers);
    if (error.status === 429)
      return new StorageError(503, 'ServerBusy', 'The server is busy.', error.headers);
    return new StorageError(
      error.status,
      error.status === 503 ? 'ServerBusy' : error.status < 500 ? error.code : 'InternalError',
      error.message,
      error.headers,
    );
  }
  return new StorageError(500, 'InternalError', `The server encountered an internal error: ${String(error)}`);
}
