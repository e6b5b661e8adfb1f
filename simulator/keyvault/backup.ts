/**
 * Backup and restore of a secret, all its versions at once. As in Azure the backup tells its holder nothing: it is encrypted for the tenant,
 * and a vault of the same subscription alone takes it.
 */

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { parseJson } from '../http/body.ts';
import { isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type Cloud,
  type DataPlaneResponse,
  type JsonObject,
  type Stored,
} from '../contract/index.ts';
import { VaultError } from './access.ts';
import { deletedSecret, nameIsDeleted } from './deleted-secrets.ts';
import { keep, latest, SECRET, shown, versionsOf } from './versions.ts';

const CIPHER = 'aes-256-gcm';
const [NONCE_BYTES, TAG_BYTES] = [12, 16];

/** POST secrets/{name}/backup. */
export function backupSecret(cloud: Cloud, vault: Stored, stored: Stored): DataPlaneResponse {
  const content: JsonObject = {
    subscription: subscriptionOf(vault),
    name: stored.resource.name,
    versions: versionsOf(stored),
  };
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(cloud), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
  const value = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  return { status: 200, body: { value } };
}

/** POST secrets/restore: under the name that it had, which must be free. Throws ArmError 400 `BadParameter`, VaultError 409 `Conflict`. */
export function restoreSecret(cloud: Cloud, vault: Stored, body: JsonObject): DataPlaneResponse {
  const content = opened(cloud, textOf(body.value));
  if (!content)
    throw new ArmError(400, 'BadParameter', 'Property value has invalid value: not a backup of a secret');
  if (content.subscription !== subscriptionOf(vault))
    throw new ArmError(
      400,
      'BadParameter',
      'The backup is of a vault in another subscription: it can be restored in its own only.',
    );
  const name = textOf(content.name);
  if (deletedSecret(cloud, vault, name)) throw nameIsDeleted(name);
  if (cloud.store.get(`${vault.resource.id}/secrets/${name}`))
    throw new VaultError(
      409,
      'Conflict',
      `There was a conflict restoring the secret '${textOf(vault.resource.properties.vaultUri)}secrets/${name}' to target vault. Check if a secret with this name already exists in the target vault.`,
      'SecretAlreadyExists',
    );
  const stored = keep(cloud, vault, SECRET, `secrets/${name}`, { versions: content.versions ?? [] });
  return { status: 200, body: shown(vault, name, latest(stored), false) };
}

function opened(cloud: Cloud, text: string): JsonObject | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, keyOf(cloud), bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    const content = parseJson(plain);
    return isObject(content) ? content : undefined;
  } catch {
    return undefined; // Whatever it is, nobody here sealed it: the caller answers 400 for every reason alike.
  }
}

function keyOf({ tenantId }: Cloud): Buffer {
  return createHash('sha256').update(`backup of secrets|${tenantId}`).digest();
}

function subscriptionOf({ resource }: Stored): string {
  return resource.id.split('/')[2]?.toLowerCase() ?? '';
}
