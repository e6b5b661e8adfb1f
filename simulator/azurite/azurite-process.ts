/**
 * The child process that runs Azurite's blob service. Azurite reads its accounts from an environment variable once a
 * minute and knows copies only from its own plain address; here the accounts come from the parent at once, copy sources
 * are named by the addresses of the regions' fronts, and the two block-copy calls that Azurite lacks are made of those
 * it has.
 *
 * It listens on loopback only, and ends, saving its state, when the parent's channel closes: killed or stopped, nothing
 * stays.
 */

import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { azuriteHost } from '../storage-protocol/address.ts';
import { patch, prototypeOf, requireAzurite as require, type Prototype } from './azurite-internals.ts';
import {
  CLOCK_HEADER,
  VOUCHED_HEADER,
  type AccountsMessage,
  type ChildMessage,
  type ParentMessage,
  type ReplicaMessage,
} from './azurite-protocol.ts';
import { joinReplicas } from './replica-patches.ts';
import type { Replicas } from './replica.ts';

interface Account {
  name: string;
  key1: Buffer;
  key2: Buffer;
}
interface BlobRequest {
  getHeader(name: string): string | undefined;
}
interface Context {
  request: BlobRequest;
  contextId: string;
}
const accounts = new Map<string, Account>();
let self = '';
/** The cloud's clock as the latest request told it. */
let clock = 0;

function takeAccounts(message: AccountsMessage): void {
  accounts.clear();
  for (const [name, { key1, key2 }] of Object.entries(message.accounts)) {
    accounts.set(name, { name, key1: Buffer.from(key1, 'base64'), key2: Buffer.from(key2, 'base64') });
  }
  tell({ applied: message.sequence });
}

function changeReplica(replicas: Replicas, { sequence, replica }: ReplicaMessage): void {
  try {
    if (replica.act === 'sync') replicas.sync(replica.account, replica.to);
    else replicas[replica.act](replica.account);
    tell({ applied: sequence });
  } catch (error) {
    tell({ applied: sequence, error: error instanceof Error ? error.message : String(error) });
  }
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

/**
 * A read of a copy source, from this process itself, past the fronts: they have checked the source's region already.
 */
async function fetchSource(copySource: string, headers: Record<string, string>, comp?: string): Promise<Response> {
  const url = new URL(copySource);
  const host = azuriteHost(url.host);
  if (host !== 'localhost') url.pathname = `/${host.split('.')[0]}${url.pathname}`;
  if (comp) url.searchParams.set('comp', comp);
  return fetch(`${self}${url.pathname}${url.search}`, { headers });
}

/**
 * Azure's code for a signature that does not verify is AuthenticationFailed; Azurite has another one for the same
 * message.
 */
function nameRefusalsAsAzureDoes(): void {
  const { default: factory } = require('azurite/dist/src/blob/errors/StorageErrorFactory') as {
    default: { getAuthorizationFailure(contextId: string): Error & { storageErrorCode?: string } };
  };
  const { default: StorageError } = require('azurite/dist/src/blob/errors/StorageError') as {
    default: new (status: number, code: string, message: string, contextId: string) => Error;
  };
  if (typeof factory.getAuthorizationFailure !== 'function')
    throw new Error("this version of Azurite has no 'getAuthorizationFailure' to build on");
  factory.getAuthorizationFailure = (contextId) =>
    new StorageError(
      403,
      'AuthenticationFailed',
      'Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.',
      contextId,
    );
}

function copyRefused(contextId: string, status: number, message: string): Error {
  const { default: factory } = require('azurite/dist/src/blob/errors/StorageErrorFactory') as {
    default: { getCannotVerifyCopySource(contextId: string, status: number, message: string): Error };
  };
  return factory.getCannotVerifyCopySource(contextId, status, message);
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  return /<Message>([^<\n]*)/.exec(text)?.[1] ?? 'The specified resource does not exist.';
}

/** The bytes of a copy source, for the calls that Azurite does not have. Throws Azurite's CannotVerifyCopySource. */
async function readSource(
  copySource: string,
  range: string | undefined,
  context: Context,
): Promise<{ bytes: Buffer; response: Response }> {
  const response = await fetchSource(copySource, range ? { 'x-ms-range': range } : {});
  if (!response.ok) throw copyRefused(context.contextId, response.status, await messageOf(response));
  return { bytes: Buffer.from(await response.arrayBuffer()), response };
}

function patchAzurite(secret: string): void {
  patch(prototypeOf('common/AccountDataStore'), 'getAccount', () => (name: string) => accounts.get(name));
  patch(prototypeOf('common/AccountDataStore'), 'refresh', () => () => undefined);
  // Only the fronts speak to Azurite, and they speak TLS: a SAS with spr=https is honoured.
  patch(prototypeOf('blob/generated/ExpressRequestAdapter'), 'getProtocol', () => () => 'https');
  patch(prototypeOf('blob/authentication/BlobSharedKeyAuthenticator'), 'validate', (original) => {
    return function validate(this: unknown, request: BlobRequest, ...rest: never[]): unknown {
      if (request.getHeader(VOUCHED_HEADER) === secret) return Promise.resolve(true);
      return Reflect.apply(original, this, [request, ...rest]);
    };
  });
  patch(prototypeOf('blob/handlers/BlobHandler'), 'validateCopySource', () => {
    return async (copySource: string, _account: string, context: Context): Promise<void> => {
      const response = await fetchSource(copySource, {}, 'metadata');
      if (!response.ok) throw copyRefused(context.contextId, response.status, await messageOf(response));
      await response.body?.cancel();
    };
  });
  patchBlockCopies();
  permitBlobCopies();
}

/**
 * Azurite has no permission that a SAS must have for "Put Blob From URL", and fails; azcopy sends it. It needs what an
 * upload needs.
 */
function permitBlobCopies(): void {
  const { default: operation } = require('azurite/dist/src/blob/generated/artifacts/operation') as {
    default: Record<string, number>;
  };
  const { BlockBlob_Upload: upload, BlockBlob_PutBlobFromUrl: copy } = operation;
  const { default: accountWide } = require('azurite/dist/src/blob/authentication/OperationAccountSASPermission') as {
    default: Map<number, unknown>;
  };
  const { OPERATION_BLOB_SAS_BLOB_PERMISSIONS: ofBlob, OPERATION_BLOB_SAS_CONTAINER_PERMISSIONS: ofContainer } =
    require('azurite/dist/src/blob/authentication/OperationBlobSASPermission') as Record<
      string,
      Map<number, unknown> | undefined
    >;
  for (const permissions of [accountWide, ofBlob, ofContainer]) {
    if (upload === undefined || copy === undefined || permissions?.get(upload) === undefined)
      throw new Error("this version of Azurite has no permission of 'BlockBlob_Upload' to build on");
    permissions.set(copy, permissions.get(upload));
  }
}

interface CopyOptions {
  sourceRange?: string;
  blobHTTPHeaders?: Record<string, unknown>;
  metadata?: Record<string, string>;
}

function patchBlockCopies(): void {
  const handler = prototypeOf('blob/handlers/BlockBlobHandler');
  patch(handler, 'stageBlockFromURL', () => {
    const copy = async function (
      this: Prototype,
      block: string,
      _length: number,
      source: string,
      options: CopyOptions,
      context: Context,
    ): Promise<unknown> {
      const { bytes } = await readSource(source, options.sourceRange, context);
      return (this.stageBlock as (...values: unknown[]) => unknown)(
        block,
        bytes.length,
        Readable.from([bytes]),
        options,
        context,
      );
    };
    return copy;
  });
  patch(handler, 'putBlobFromUrl', () => {
    const copy = async function (
      this: Prototype,
      _length: number,
      source: string,
      options: CopyOptions,
      context: Context,
    ): Promise<unknown> {
      const { bytes, response } = await readSource(source, undefined, context);
      const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
      const blobHTTPHeaders = {
        ...options.blobHTTPHeaders,
        blobContentType: options.blobHTTPHeaders?.blobContentType ?? contentType,
      };
      const upload = this.upload as (...values: unknown[]) => unknown;
      return Reflect.apply(upload, this, [
        Readable.from([bytes]),
        bytes.length,
        { ...options, blobHTTPHeaders },
        context,
      ]);
    };
    return copy;
  });
}

interface BlobServer {
  start(): Promise<void>;
  close(): Promise<void>;
  httpServer: {
    address(): AddressInfo;
    prependListener(event: 'request', listener: (request: IncomingMessage) => void): void;
  };
}

/** What Azurite asks of its command line, answered from here. */
function environment(location: string): Record<string, () => unknown> {
  return {
    blobHost: () => '127.0.0.1',
    blobPort: () => 0,
    blobKeepAliveTimeout: () => 600,
    location: () => Promise.resolve(location),
    silent: () => true,
    loose: () => false,
    skipApiVersionCheck: () => true,
    cert: () => undefined,
    key: () => undefined,
    pwd: () => undefined,
    oauth: () => undefined,
    disableProductStyleUrl: () => false,
    disableTelemetry: () => true,
    inMemoryPersistence: () => false,
    extentMemoryLimit: () => undefined,
    debug: () => Promise.resolve(undefined),
  };
}

async function main(): Promise<void> {
  const [location = '', secret = ''] = [process.argv[2], process.env.LOCAL_AZURE_VOUCH];
  patchAzurite(secret);
  const replicas = joinReplicas(() => clock);
  nameRefusalsAsAzureDoes();
  const { BlobServerFactory } = require('azurite/dist/src/blob/BlobServerFactory') as {
    BlobServerFactory: new () => { createServer(environment: unknown): Promise<BlobServer> };
  };
  const server = await new BlobServerFactory().createServer(environment(location));
  await server.start();
  server.httpServer.prependListener('request', ({ headers }) => {
    clock = Math.max(clock, Number(headers[CLOCK_HEADER]) || 0);
  });
  const { port } = server.httpServer.address();
  self = `http://127.0.0.1:${port}`;
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('message', (message: ParentMessage) => {
    if ('accounts' in message) takeAccounts(message);
    else changeReplica(replicas(), message);
  });
  process.on('disconnect', end);
  process.on('SIGTERM', end);
  // Ctrl-C reaches the whole process group; the parent then ends this process in its own order.
  process.on('SIGINT', () => undefined);
  tell({ port });
}

await main();
