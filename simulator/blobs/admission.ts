/**
 * Which blob requests go on to Azurite: by the account's region, its secondary and its network, by bearer tokens, keys
 * and signatures, or as anybody's; and which sources a copy may read.
 */

import type { IncomingMessage } from 'node:http';
import type { Faults } from '../faults/faults.ts';
import { isObject } from '../resource/fields.ts';
import { regionOfHost } from '../services/service-regions.ts';
import type { Cloud, Principal, Stored } from '../contract/index.ts';
import { requireBlobRole } from '../authorization/blob-access.ts';
import { admitsCaller } from '../storage/network.ts';
import { findAccount, readableSecondaryOf } from '../storage/places.ts';
import { blobAddress } from '../storage-protocol/address.ts';
import { requirePublic } from './anonymous.ts';
import { StorageError } from '../storage-protocol/errors.ts';
import { requireSasAddress } from '../storage-protocol/sas-address.ts';
import { asServiceSas, isUserDelegation, requireDelegation } from '../storage-protocol/user-delegation.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A request that may go on to Azurite. */
export interface Admitted {
  account: Stored;
  /** Whose bearer token it has. */
  principal?: Principal;
  /** Who asks was checked here: Azurite need not. */
  vouched: boolean;
  /** Path and query, where Azurite is asked otherwise than the client has. */
  url?: string;
  copySource?: string;
}

export class Admission {
  private readonly cloud: Cloud;
  private readonly faults: Faults;

  constructor(cloud: Cloud, faults: Faults) {
    this.cloud = cloud;
    this.faults = faults;
  }

  /** Checks the account and the kind of authentication. Throws StorageError. */
  admit(region: string, message: IncomingMessage): Admitted {
    const url = new URL(`https://localhost${message.url ?? '/'}`);
    const address = blobAddress(message.headers.host, url.pathname);
    const { account: name, isSecondary } = address;
    const account = findAccount(this.cloud, name);
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
      throw new StorageError(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.');
    }
    requireOffered(message, account, url.searchParams);
    requireSasAddress(url.searchParams, message.socket.remoteAddress);
    const authorization = message.headers.authorization;
    if (authorization !== undefined && /^bearer /i.test(authorization)) {
      const audiences = ['https://storage.azure.com', blobEndpoint(account)];
      const principal = this.cloud.authenticate(authorization, audiences);
      requireBlobRole(this.cloud, principal, account.resource.id, message);
      return { account, vouched: true, principal };
    }
    if (authorization === undefined && !url.searchParams.has('sig')) {
      const version = String(message.headers['x-ms-version'] ?? '');
      const { method = 'GET' } = message;
      requirePublic(this.cloud, account, { ...address, method, query: url.searchParams, version });
      return { account, vouched: true };
    }
    if (isUserDelegation(url.searchParams))
      return { account, vouched: false, url: this.delegated(account, message, url) };
    if (properties.allowSharedKeyAccess === false) {
      throw new StorageError(
        403,
        'KeyBasedAuthenticationNotPermitted',
        'Key based authentication is not permitted on this storage account.',
      );
    }
    return { account, vouched: false };
  }

  /**
   * The path and query of a request under a user delegation SAS, as Azurite takes it: whose key signed it needs the
   * role for it, too.
   */
  private delegated(
    account: Stored,
    { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
    url: URL,
  ): string {
    const address = blobAddress(headers.host, url.pathname);
    const principal = requireDelegation(this.cloud, account, address, url.searchParams);
    const message = { method, headers, url: `${url.pathname}${url.search}` };
    requireBlobRole(this.cloud, principal, account.resource.id, message);
    return `${url.pathname}?${asServiceSas(this.cloud, account, address, url.searchParams).toString()}`;
  }

  private isServedBy(region: string, account: Stored, isSecondary: boolean): boolean {
    return (isSecondary ? readableSecondaryOf(account) : account.region) === region;
  }

  /** The source of a copy is read by the service: its region must be up, and it must be an account of this cloud. */
  requireCopySource(message: IncomingMessage): string | undefined {
    const source = message.headers['x-ms-copy-source'];
    if (typeof source !== 'string') return undefined;
    const url = URL.canParse(source) ? new URL(source) : undefined;
    if (!url)
      throw new StorageError(
        400,
        'InvalidHeaderValue',
        `The value for one of the HTTP headers is not in the correct format: x-ms-copy-source '${source}'.`,
      );
    const { account: name, isSecondary } = blobAddress(url.host, url.pathname);
    const account = findAccount(this.cloud, name);
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
    if (isUserDelegation(url.searchParams))
      return `${url.origin}${this.delegated(account, { method: 'GET', headers: { host: url.host } }, url)}`;
    if (url.searchParams.has('sig') && properties.allowSharedKeyAccess === false) {
      throw new StorageError(
        403,
        'CannotVerifyCopySource',
        'Key based authentication is not permitted on this storage account.',
      );
    }
    return undefined;
  }
}

/**
 * Azurite keeps no versions, so there is none of any id; and it would make containers public where their account
 * forbids it.
 */
function requireOffered({ headers }: IncomingMessage, account: Stored, query: URLSearchParams): void {
  if (query.has('versionid')) throw new StorageError(404, 'BlobNotFound', 'The specified blob does not exist.');
  const isPublic = headers['x-ms-blob-public-access'] !== undefined;
  if (isPublic && account.resource.properties.allowBlobPublicAccess !== true)
    throw new StorageError(409, 'PublicAccessNotPermitted', 'Public access is not permitted on this storage account.');
}

function blobEndpoint(account: Stored): string {
  const endpoints = account.resource.properties.primaryEndpoints;
  return isObject(endpoints) && typeof endpoints.blob === 'string' ? endpoints.blob : '';
}
