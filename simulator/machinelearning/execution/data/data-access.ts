/**
 * Whether a job may reach a place: with the credentials that its datastore holds, or, where that holds none, with a
 * role of the identities that it runs as. An account whose keys were regenerated, or which takes none any more, shuts
 * out what runs with them, wherever that runs.
 */

import { accountSasText, blobSasText, isSame, sign } from '../../../storage-protocol/signing-text.ts';
import type { Cloud, JsonObject, Principal, Stored } from '../../../contract/index.ts';
import { isAllowed } from '../../../authorization/access.ts';
import { DATASTORE_SECRETS } from '../../data/default-datastores.ts';
import { isObject, objectOf, textOf, workspaceIdOf } from '../../bodies/fields.ts';
import { resolveCompute } from '../../bodies/references.ts';
import { findAccount } from '../../../storage/places.ts';
import type { BlobPlace } from './blob-files.ts';
import { RunFailure } from './run-failure.ts';

const READ = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read';

/** The storage refuses what the job comes with. */
export class AccessRefused extends RunFailure {}

/**
 * Errors: AccessRefused with what storage would answer. Without a job, a datastore without keys is not asked about:
 * identities reach it, and whose they are is not known.
 */
export function requireAccess(cloud: Cloud, place: BlobPlace, job?: Stored): void {
  const { account, datastore: id } = place;
  const datastore = id === undefined ? undefined : cloud.store.get(id);
  const found = findAccount(cloud, account);
  if (!datastore || !found) return;
  const refused = (why: string): AccessRefused =>
    new AccessRefused(
      'UserError',
      `The datastore '${datastore.resource.name}' cannot reach the storage account '${account}': ${why}`,
    );
  const { secretsType, key, sasToken } = objectOf(datastore.hidden[DATASTORE_SECRETS]);
  const kind = textOf(objectOf(datastore.resource.properties.credentials).credentialsType);
  const hasSecret = kind === secretsType && (secretsType === 'AccountKey' || secretsType === 'Sas');
  if (hasSecret && found.resource.properties.allowSharedKeyAccess === false)
    throw refused('KeyBasedAuthenticationNotPermitted: key based authentication is not permitted on it.');
  const keys = cloud.blobs.keys(account);
  const now = keys ? [keys.key1, keys.key2] : [];
  if (hasSecret && secretsType === 'AccountKey' && keys && !now.includes(textOf(key) ?? ''))
    throw refused('AuthenticationFailed: the key that the datastore holds is none of its keys any more.');
  if (hasSecret && secretsType === 'Sas' && keys) {
    const why = whyRefused(place, textOf(sasToken) ?? '', now);
    if (why !== undefined) throw refused(why);
  }
  if (kind === 'None' && job && !hasRole(cloud, job, found, place))
    throw refused(
      'AuthorizationPermissionMismatch: no identity of the compute or of the workspace has a role for its data.',
    );
}

/**
 * Of a signature that is kept with a datastore. One of an older version, which signs another text, is not looked at.
 */
function whyRefused({ account, container }: BlobPlace, token: string, keys: string[]): string | undefined {
  const query = new URLSearchParams(token.trim().replace(/^\?/, ''));
  const signature = query.get('sig');
  if (signature === null || query.has('skoid'))
    return signature === null ? 'AuthenticationFailed: what the datastore holds is no signature.' : undefined;
  if (Date.parse(query.get('se') ?? '') <= Date.now())
    return 'AuthenticationFailed: the signature that the datastore holds has run out.';
  if ((query.get('sv') ?? '') < '2020-12-06') return undefined;
  const text = query.has('srt') ? accountSasText(account, query) : blobSasText(`/blob/${account}/${container}`, query);
  return keys.some((key) => isSame(signature, sign(key, text)))
    ? undefined
    : 'AuthenticationFailed: the signature that the datastore holds is of none of its keys any more.';
}

/**
 * As Azure has it, a job without an identity of its own comes with that of its compute; the workspace's stands in where
 * there is none.
 */
function hasRole(cloud: Cloud, job: Stored, account: Stored, { container }: BlobPlace): boolean {
  const { identity, computeId } = job.resource.properties;
  // Whoever submitted it: their roles are theirs.
  if (textOf(objectOf(identity).identityType) === 'UserIdentity') return true;
  const workspaceId = workspaceIdOf(job.resource.id);
  const holders = [resolveCompute(cloud, workspaceId, computeId), cloud.store.get(workspaceId)];
  const scope = `${account.resource.id}/blobServices/default/containers/${container}`;
  return holders
    .flatMap((holder) => principalsOf(cloud, objectOf(holder?.resource.identity)))
    .some((principal) => isAllowed(cloud, principal, READ, scope, 'data'));
}

function principalsOf({ tenantId }: Cloud, { principalId, userAssignedIdentities }: JsonObject): Principal[] {
  const assigned = Object.values(objectOf(userAssignedIdentities)).map((one) =>
    isObject(one) ? one.principalId : undefined,
  );
  return [principalId, ...assigned]
    .map(textOf)
    .filter((objectId) => objectId !== undefined)
    .map((objectId) => ({ objectId, clientId: objectId, tenantId }));
}
