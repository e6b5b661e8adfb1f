/**
 * Secrets as management sees them: a PUT makes a version of the same secret that the data plane has, and no answer
 * shows its value. There is no DELETE: a template makes secrets, and takes none away.
 */

import { textOf } from '../resource/fields.ts';
import { type Call, type Resource, type ResourceType, type Stored } from '../contract/index.ts';
import { deletedSecret, nameIsDeleted } from './deleted-secrets.ts';
import { changedVersion, latest, newVersion, requireSecretName, SECRET, versionsOf } from './versions.ts';
import { row } from '../resource/table.ts';

/** `afterDelete`: what becomes of a secret whose vault goes. */
export function managedSecrets(afterDelete: NonNullable<ResourceType['afterDelete']>): ResourceType {
  return row(SECRET, {
    verbs: ['get', 'head', 'put', 'patch', 'list'],
    createdStatus: 201,
    beforePut: prepareSecret,
    afterDelete,
    show: (cloud, stored) => showSecret(cloud.store.get(vaultIdOf(stored)), stored),
  });
}

function prepareSecret({ cloud, id, verb, existing, body }: Call, next: Stored): void {
  requireSecretName(id.name);
  const vault = cloud.store.get(id.parent ?? '');
  if (!vault) return; // The envelope has refused a vault that is not there.
  if (deletedSecret(cloud, vault, id.name)) throw nameIsDeleted(id.name);
  const { value, contentType, attributes } = next.resource.properties;
  const asked = {
    ...(value === undefined ? {} : { value }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(body.tags === undefined ? {} : { tags: body.tags }),
  };
  const versions = existing ? versionsOf(existing) : [];
  const last = versions.at(-1);
  next.hidden.versions =
    verb === 'patch' && last && value === undefined
      ? [...versions.slice(0, -1), changedVersion(cloud, vault, last, asked)]
      : [...versions, newVersion(cloud, vault, asked)];
  next.resource.properties = {};
  delete next.resource.tags;
}

function showSecret(vault: Stored | undefined, stored: Stored): Resource {
  const { id, attributes, contentType, tags } = latest(stored);
  const secretUri = `${textOf(vault?.resource.properties.vaultUri)}secrets/${stored.resource.name}`;
  const { enabled = true, nbf, exp, created = 0, updated = 0 } = attributes;
  return {
    ...stored.resource,
    ...(vault?.resource.location === undefined ? {} : { location: vault.resource.location }),
    tags,
    properties: {
      attributes: {
        enabled,
        ...(nbf === undefined ? {} : { nbf }),
        ...(exp === undefined ? {} : { exp }),
        created,
        updated,
      },
      ...(contentType === null ? {} : { contentType }),
      secretUri,
      secretUriWithVersion: `${secretUri}/${id}`,
    },
  };
}

function vaultIdOf({ resource }: Stored): string {
  return resource.id.split('/').slice(0, -2).join('/');
}
