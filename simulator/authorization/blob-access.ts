/**
 * What a blob request under a bearer token needs: an action in Azure's words, of the data plane for blobs and of
 * management for containers. Source: Azure Storage, "Permissions for calling blob data operations".
 */

import type { IncomingMessage } from 'node:http';
import { blobAddress } from '../storage-protocol/address.ts';
import { StorageError } from '../storage-protocol/errors.ts';
import type { Cloud, Principal } from '../contract/index.ts';
import { isAllowed, type Plane } from './access.ts';
import type { Circumstances } from './conditions.ts';

const CONTAINERS = 'Microsoft.Storage/storageAccounts/blobServices/containers';

interface BlobNeed {
  /** Any of these is enough. */
  actions: readonly string[];
  plane: Plane;
}

interface BlobRequest {
  method: string;
  query: URLSearchParams;
  container: string;
  blob: string;
  /** The value of `x-ms-blob-type`, where the request has one. */
  blobType?: string | undefined;
}

/**
 * Throws StorageError 403 `AuthorizationPermissionMismatch` unless the principal has a role for the request at the
 * container or above.
 */
export function requireBlobRole(
  cloud: Pick<Cloud, 'store' | 'clock'>,
  principal: Principal,
  accountId: string,
  message: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
): void {
  const url = new URL(`https://localhost${message.url ?? '/'}`);
  const { container, blob } = blobAddress(message.headers.host, url.pathname);
  const blobType = message.headers['x-ms-blob-type'];
  const need = blobNeed({
    method: message.method ?? 'GET',
    query: url.searchParams,
    container,
    blob,
    blobType: typeof blobType === 'string' ? blobType : undefined,
  });
  if (!need) return;
  const scope = `${accountId}/blobServices/default${container === '' ? '' : `/containers/${container}`}`;
  const about = circumstancesOf(url.searchParams, container, blob);
  if (need.actions.some((action) => isAllowed(cloud, principal, action, scope, need.plane, about))) return;
  throw new StorageError(
    403,
    'AuthorizationPermissionMismatch',
    'This request is not authorized to perform this operation using this permission.',
  );
}

/** What conditions of role assignments may ask of a blob request. */
function circumstancesOf(query: URLSearchParams, container: string, blob: string): Circumstances {
  const blobs = `${CONTAINERS}/blobs`.toLowerCase();
  const named = (name: string): string[] => [query.get(name) ?? ''].filter((value) => value !== '');
  const isList = blob === '' && container !== '' && query.get('comp') === 'list';
  return {
    ...(isList ? { subOperation: 'Blob.List' } : {}),
    attributes: {
      [`resource|${blobs}:path`]: blob === '' ? [] : [blob],
      [`request|${blobs}:prefix`]: named('prefix'),
      [`request|${blobs}:delimiter`]: named('delimiter'),
      [`request|${blobs}:snapshot`]: named('snapshot'),
      'resource|microsoft.storage/storageaccounts:ishnsenabled': [false],
    },
  };
}

/** What the request needs; undefined where any principal of the tenant may ask (an OPTIONS request). */
function blobNeed(request: BlobRequest): BlobNeed | undefined {
  const { method, query, container, blob } = request;
  if (method === 'OPTIONS') return undefined;
  const component = (query.get('comp') ?? '').toLowerCase();
  if (container === '') return ofService(method, component);
  if (blob === '') return ofContainer(method, component);
  const { action, more } = ofBlob(request, component);
  return { actions: [action, ...more].map((one) => `${CONTAINERS}/blobs/${one}`), plane: 'data' };
}

function ofService(method: string, component: string): BlobNeed {
  if (component === 'list') return management(`${CONTAINERS}/read`);
  if (component === 'userdelegationkey')
    return management('Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action');
  if (component === 'blobs') return data(`${CONTAINERS}/blobs/filter/action`);
  // Each part of a batch is held against its own rights in Azure; here the batch as a whole is.
  if (component === 'batch') return data(`${CONTAINERS}/blobs/delete`);
  const verb = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
  return management(`Microsoft.Storage/storageAccounts/blobServices/${verb}`);
}

function ofContainer(method: string, component: string): BlobNeed {
  if (component === 'list') return data(`${CONTAINERS}/blobs/read`);
  if (component === 'blobs') return data(`${CONTAINERS}/blobs/filter/action`);
  if (component === 'batch') return data(`${CONTAINERS}/blobs/delete`);
  if (component === 'acl') return management(`${CONTAINERS}/${method === 'PUT' ? 'setAcl' : 'getAcl'}/action`);
  if (method === 'DELETE') return management(`${CONTAINERS}/delete`);
  return management(`${CONTAINERS}/${method === 'PUT' ? 'write' : 'read'}`);
}

function ofBlob({ method, blobType }: BlobRequest, component: string): { action: string; more: readonly string[] } {
  const reads = method === 'GET' || method === 'HEAD';
  if (component === 'tags') return { action: reads ? 'tags/read' : 'tags/write', more: [] };
  if (reads || component === 'query') return { action: 'read', more: [] };
  if (method === 'DELETE') return { action: 'delete', more: [] };
  // New blobs, and new blocks at the end of one, may be added by those who may not overwrite.
  const adds = blobType !== undefined || component === 'appendblock';
  return { action: 'write', more: adds ? ['add/action'] : [] };
}

function management(action: string): BlobNeed {
  return { actions: [action], plane: 'management' };
}

function data(action: string): BlobNeed {
  return { actions: [action], plane: 'data' };
}
