/** Requests without any credential: what a public container lets them do, and how Azure refuses the rest. */

import { textOf } from '../resource/fields.ts';
import type { Cloud, Stored } from '../contract/index.ts';
import { StorageError } from '../storage-protocol/errors.ts';

/** From this version of the service on, a refusal says where a token is to be had. */
const CHALLENGED_SINCE = '2019-12-12';

interface AnonymousRequest {
  method: string;
  query: URLSearchParams;
  container: string;
  blob: string;
  /** Of the header `x-ms-version`; '': it has none. */
  version: string;
}

/**
 * Throws StorageError unless anybody may ask this: 401 `NoAuthenticationInformation`, 409 `PublicAccessNotPermitted`,
 * 404 `ResourceNotFound`. An OPTIONS request is for everybody.
 */
export function requirePublic(cloud: Cloud, account: Stored, request: AnonymousRequest): void {
  if (request.method === 'OPTIONS') return;
  const isPermitted = account.resource.properties.allowBlobPublicAccess === true;
  if (isPermitted && isPublic(cloud, account, request)) return;
  if (request.version >= CHALLENGED_SINCE)
    throw new StorageError(
      401,
      'NoAuthenticationInformation',
      'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
      {
        'WWW-Authenticate': `Bearer authorization_uri=${cloud.armEndpoint}/${cloud.tenantId}/oauth2/authorize resource_id=https://storage.azure.com`,
      },
    );
  if (!isPermitted)
    throw new StorageError(409, 'PublicAccessNotPermitted', 'Public access is not permitted on this storage account.');
  throw new StorageError(404, 'ResourceNotFound', 'The specified resource does not exist.');
}

function isPublic(cloud: Cloud, { resource }: Stored, request: AnonymousRequest): boolean {
  const { method, query, container, blob } = request;
  if (method !== 'GET' && method !== 'HEAD') return false;
  const held = cloud.store.get(`${resource.id}/blobServices/default/containers/${decodeURIComponent(container)}`);
  const access = textOf(held?.resource.properties.publicAccess);
  if (blob !== '') return (access === 'Blob' || access === 'Container') && !query.has('comp');
  return access === 'Container' && container !== '' && query.get('comp') !== 'acl';
}
