/**
 * Whether a job may reach a place: with the credentials that its datastore holds. An account whose keys were regenerated, or which takes
 * none any more, shuts out what runs with them, wherever that runs.
 */

import type { Cloud } from '../provider.ts';
import { DATASTORE_SECRETS } from '../providers/machinelearning/default-datastores.ts';
import { objectOf, textOf } from '../providers/machinelearning/fields.ts';
import { findAccount } from '../providers/storage-places.ts';
import type { BlobPlace } from './blob-files.ts';
import { RunFailure } from './run-failure.ts';

/** Errors: RunFailure with what storage would answer. A datastore without keys is one that identities reach: nothing is checked. */
export function requireAccess(cloud: Cloud, { account, datastore: id }: BlobPlace): void {
  const datastore = id === undefined ? undefined : cloud.store.get(id);
  const { secretsType, key } = objectOf(datastore?.hidden[DATASTORE_SECRETS]);
  if (!datastore || secretsType !== 'AccountKey') return;
  const refused = (why: string): RunFailure =>
    new RunFailure(
      'UserError',
      `The datastore '${datastore.resource.name}' cannot reach the storage account '${account}': ${why}`,
    );
  if (findAccount(cloud, account)?.resource.properties.allowSharedKeyAccess === false)
    throw refused('KeyBasedAuthenticationNotPermitted: key based authentication is not permitted on it.');
  const now = cloud.blobs.keys(account);
  if (now && ![now.key1, now.key2].includes(textOf(key) ?? ''))
    throw refused('AuthenticationFailed: the key that the datastore holds is none of its keys any more.');
}
