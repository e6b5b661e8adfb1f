/**
 * Who may do what at Azure Files: the account's network rules, shared keys, account and service SAS, bearer tokens with
 * the intent to back up.
 */

import { StorageError } from '../storage-protocol/errors.ts';
import { requireSasAddress } from '../storage-protocol/sas-address.ts';
import { accountSasText, fileSasText, isSame, sharedKeyText, sign } from '../storage-protocol/signing-text.ts';
import { ArmError, type Cloud, type Principal, type Stored } from '../contract/index.ts';
import { isAllowed } from '../authorization/access.ts';
import { admitsCaller } from '../storage/network.ts';
import type { FileAddress } from './address.ts';

const FILE_SERVICES = 'Microsoft.Storage/storageAccounts/fileServices';

export interface FileRequest {
  method: string;
  /** As it was sent, percent-encoded. */
  pathname: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  caller: string | undefined;
  address: FileAddress;
}

/** What a SAS must permit: one of `permissions`, on this kind of resource. */
export interface Need {
  permissions: string;
  resource: 'service' | 'container' | 'object';
}

/** Throws StorageError 400, 401 or 403. */
export function admit(cloud: Cloud, account: Stored, request: FileRequest, need: Need): void {
  if (!admitsCaller(account, request.caller))
    throw new StorageError(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.');
  const { authorization } = request.headers;
  if (authorization !== undefined && /^bearer /i.test(authorization)) {
    admitToken(cloud, account, request, authorization);
    return;
  }
  if (authorization === undefined && !request.query.has('sig'))
    throw new StorageError(
      401,
      'NoAuthenticationInformation',
      'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
      { 'WWW-Authenticate': 'SharedKey' },
    );
  if (account.resource.properties.allowSharedKeyAccess === false)
    throw new StorageError(
      403,
      'KeyBasedAuthenticationNotPermitted',
      'Key based authentication is not permitted on this storage account.',
    );
  requireSasAddress(request.query, request.caller);
  const keys = cloud.blobs.keys(account.resource.name);
  const both = keys ? [keys.key1, keys.key2] : [];
  if (authorization !== undefined) admitKey(both, request, authorization);
  else admitSas(both, request, need);
}

function admitToken(
  cloud: Cloud,
  account: Stored,
  { headers, method, address }: FileRequest,
  authorization: string,
): void {
  if (headers['x-ms-file-request-intent'] !== 'backup')
    throw new StorageError(
      400,
      'MissingRequiredHeader',
      "An HTTP header that's mandatory for this request is not specified: x-ms-file-request-intent.",
    );
  let principal: Principal;
  try {
    principal = cloud.authenticate(authorization, ['https://storage.azure.com']);
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    throw new StorageError(401, 'InvalidAuthenticationInfo', error.message, error.headers);
  }
  const scope = `${account.resource.id}/fileServices/default${address.share === '' ? '' : `/fileshares/${address.share}`}`;
  const isAllowedTo = (action: string): boolean =>
    isAllowed(cloud, principal, `${FILE_SERVICES}/${action}`, scope, 'data');
  const isRead = method === 'GET' || method === 'HEAD';
  const verb = isRead ? 'read' : method === 'DELETE' ? 'delete' : 'write';
  const semantics = isRead ? 'readFileBackupSemantics' : 'writeFileBackupSemantics';
  if (!isAllowedTo(`fileshares/files/${verb}`) || !isAllowedTo(`${semantics}/action`))
    throw new StorageError(
      403,
      'AuthorizationPermissionMismatch',
      'This request is not authorized to perform this operation using this permission.',
    );
}

function admitKey(keys: string[], request: FileRequest, authorization: string): void {
  const { address, method, pathname, query, headers } = request;
  const match = /^SharedKey ([^:]+):(.+)$/.exec(authorization);
  if (!match || match[1] !== address.account) throw notAuthentic('expected SharedKey ACCOUNT:SIGNATURE');
  const text = sharedKeyText(address.account, method, pathname, query, headers);
  if (!keys.some((key) => isSame(match[2] ?? '', sign(key, text))))
    throw notAuthentic('the signature of the shared key does not verify');
}

function admitSas(keys: string[], { address, query }: FileRequest, need: Need): void {
  const isOfAccount = query.has('ss');
  const text = isOfAccount ? accountSasText(address.account, query) : fileSasText(resourceOf(address, query), query);
  const given = query.get('sig') ?? '';
  if (!keys.some((key) => isSame(given, sign(key, text))))
    throw notAuthentic('the signature of the SAS does not verify');
  const now = Date.now();
  const [start, expiry] = [query.get('st'), query.get('se')].map((time) =>
    time === null ? undefined : Date.parse(time),
  );
  if (expiry === undefined || Number.isNaN(expiry) || expiry < now || (start !== undefined && !(start <= now)))
    throw notAuthentic('the SAS is not in its time');
  const permitted = query.get('sp') ?? '';
  if (!Array.from(need.permissions).some((one) => permitted.includes(one)))
    throw new StorageError(
      403,
      'AuthorizationPermissionMismatch',
      'This request is not authorized to perform this operation using this permission.',
    );
  if (isOfAccount) requireScope(query, need);
  else if (need.resource === 'service' || (query.get('sr') === 'f' && need.permissions === 'l'))
    throw new StorageError(
      403,
      'AuthorizationResourceTypeMismatch',
      'This request is not authorized to perform this operation using this resource type.',
    );
}

function requireScope(query: URLSearchParams, need: Need): void {
  if (!(query.get('ss') ?? '').includes('f'))
    throw new StorageError(
      403,
      'AuthorizationServiceMismatch',
      'This request is not authorized to perform this operation using this service.',
    );
  if (!(query.get('srt') ?? '').includes(need.resource.charAt(0)))
    throw new StorageError(
      403,
      'AuthorizationResourceTypeMismatch',
      'This request is not authorized to perform this operation using this resource type.',
    );
}

/** What a service SAS is for: its share, or with `sr=f` the one file. */
function resourceOf({ account, share, path }: FileAddress, query: URLSearchParams): string {
  const file = query.get('sr') === 'f' ? path : [];
  return ['/file', account, share, ...file].join('/');
}

function notAuthentic(detail: string): StorageError {
  return new StorageError(
    403,
    'AuthenticationFailed',
    `Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature. (${detail})`,
  );
}
