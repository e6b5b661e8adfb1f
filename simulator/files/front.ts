/**
 * A region's front to Azure Files: finds the account, asks who may, then answers from the store of shares. As dark as
 * its region's storage.
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sendStorageError, StorageError } from '../storage-protocol/errors.ts';
import type { Faults } from '../faults/faults.ts';
import { plainHeaders, readBody } from '../http/body.ts';
import { regionOfHost } from '../services/service-regions.ts';
import { underFaults, unlessLost } from '../faults/under-faults.ts';
import { ArmError, type Cloud } from '../contract/index.ts';
import { findAccount } from '../storage/places.ts';
import { mirrorShare } from '../storage/shares.ts';
import { fileAddress } from './address.ts';
import { admit, type FileRequest, type Need } from './admission.ts';
import type { FileAnswer } from './answers.ts';
import { askFile } from './contents.ts';
import { askDirectory } from './directories.ts';
import type { FileStore } from './file-store.ts';
import { askShare, listShares, notOffered, requireShare } from './service.ts';

/** One range, and some. */
const LARGEST_BODY = 8 << 20;
/** A copy's source is in memory whole. */
const LARGEST_COPY = 256 << 20;

export class FileFront {
  private readonly cloud: Cloud;
  private readonly faults: Faults;
  private readonly store: FileStore;

  constructor(cloud: Cloud, faults: Faults, store: FileStore) {
    this.cloud = cloud;
    this.faults = faults;
    this.store = store;
  }

  /** Serves one request that reached the front of `region`; answers the status, null where the client got none. */
  async handle(region: string, message: IncomingMessage, response: ServerResponse): Promise<number | null> {
    const method = message.method ?? 'GET';
    const reached = { faults: this.faults, region, parts: ['storage'] as const, message };
    return underFaults(
      reached,
      async () => {
        const body = await readBody(message, LARGEST_BODY);
        const answer = await this.answer(region, requestOf(message), body);
        return unlessLost(reached, () => sendAnswer(response, answer, method));
      },
      (error) => sendStorageError(response, this.asStorageError(error), method),
    );
  }

  private async answer(region: string, request: FileRequest, body: Buffer): Promise<FileAnswer> {
    const { address, query, method } = request;
    const account = findAccount(this.cloud, address.account);
    if (!account || account.region !== region)
      throw new StorageError(404, 'ResourceNotFound', 'The specified resource does not exist.');
    admit(this.cloud, account, request, needOf(request));
    const context = {
      cloud: this.cloud,
      store: this.store,
      request,
      body,
      mirror: (name: string, share: string, exists: boolean) => mirrorShare(this.cloud, name, share, exists),
      fetch: (url: string, range: string | undefined) => this.fetch(url, range, request.caller),
    };
    const restype = query.get('restype');
    if (address.share === '') {
      if (method === 'GET' && query.get('comp') === 'list') return listShares(context);
      throw notOffered(request);
    }
    if (restype === 'share') return askShare(context);
    const share = requireShare(this.store, request);
    if (restype === 'directory') return askDirectory(context, share);
    if (restype !== null || address.path.length === 0) throw notOffered(request);
    return askFile(context, share);
  }

  /** Reads the source of a copy: a file of this cloud, with its own SAS, in a region that is up. */
  private async fetch(source: string, range: string | undefined, caller: string | undefined): Promise<Buffer> {
    const url = URL.canParse(source) ? new URL(source) : undefined;
    const region =
      url &&
      (regionOfHost(this.cloud.store, this.cloud.regions, url.host) ??
        this.cloud.regions.find((one) => this.cloud.dataPlane(one) === url.origin));
    if (!url || region === undefined)
      throw new StorageError(404, 'CannotVerifyCopySource', 'The specified resource does not exist.');
    if (this.faults.modeOf(region, ['storage']) !== 'none')
      throw new StorageError(
        500,
        'CannotVerifyCopySource',
        'Could not verify the copy source within the specified time.',
      );
    const headers: Record<string, string> = {
      host: url.host,
      ...(range === undefined ? {} : { 'x-ms-range': range }),
    };
    const request: FileRequest = {
      method: 'GET',
      pathname: url.pathname,
      query: url.searchParams,
      headers,
      caller,
      address: fileAddress(url.host, url.pathname),
    };
    try {
      const { headers: found, parts } = await this.answer(region, request, Buffer.alloc(0));
      if (Number(found?.['Content-Length']) > LARGEST_COPY)
        throw new StorageError(
          501,
          'NotImplemented',
          `The local Azure copies files of up to ${LARGEST_COPY} bytes in one request.`,
        );
      return Buffer.concat([...(parts?.() ?? [])]);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new StorageError(error.status, 'CannotVerifyCopySource', error.message);
    }
  }

  private asStorageError(error: unknown): StorageError {
    if (error instanceof StorageError) return error;
    if (error instanceof URIError)
      return new StorageError(400, 'InvalidUri', 'The requested URI does not represent any resource on the server.');
    if (error instanceof ArmError) {
      const code =
        error.status === 429 || error.status === 503
          ? 'ServerBusy'
          : error.status === 413
            ? 'RequestBodyTooLarge'
            : 'InternalError';
      return new StorageError(error.status === 429 ? 503 : error.status, code, error.message, error.headers);
    }
    this.cloud.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return new StorageError(
      500,
      'InternalError',
      'The server encountered an internal error. Please retry the request.',
    );
  }
}

function requestOf(message: IncomingMessage): FileRequest {
  const url = new URL(`https://localhost${message.url ?? '/'}`);
  return {
    method: message.method ?? 'GET',
    pathname: url.pathname,
    query: url.searchParams,
    headers: plainHeaders(message),
    caller: message.socket.remoteAddress,
    address: fileAddress(message.headers.host, url.pathname),
  };
}

/** What a SAS must permit for this, as the documentation of account SAS has it. */
function needOf({ method, query, address }: FileRequest): Need {
  const comp = query.get('comp');
  const restype = query.get('restype');
  const resource = address.share === '' ? 'service' : restype === 'share' ? 'container' : 'object';
  if (comp === 'list') return { permissions: 'l', resource: restype === 'directory' ? 'container' : resource };
  if (method === 'GET' || method === 'HEAD') return { permissions: 'r', resource };
  if (method === 'DELETE') return { permissions: 'd', resource };
  return { permissions: comp === null || comp === 'snapshot' ? 'cw' : 'w', resource };
}

async function sendAnswer(
  response: ServerResponse,
  { status, headers = {}, body, parts }: FileAnswer,
  method: string,
): Promise<number> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0));
  response.writeHead(status, {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2024-11-04',
    'Content-Length': bytes.length,
    ...headers,
  });
  // A client that leaves in the middle of a file is its own business.
  if (parts && method !== 'HEAD') await pipeline(Readable.from(parts()), response).catch(() => undefined);
  else response.end(method === 'HEAD' ? undefined : bytes);
  return status;
}
