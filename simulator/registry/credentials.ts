/** The admin user of a container registry: two passwords, each of which can be made anew. */

import { randomBytes } from 'node:crypto';
import { textOf } from '../resource/fields.ts';
import { ArmError, type ActionResult, type Call, type Json, type Stored } from '../contract/index.ts';

/** In `hidden`. */
const PASSWORDS = 'passwords';
const NAMES = ['password', 'password2'] as const;

function freshPasswords(): Record<string, Json> {
  return Object.fromEntries(NAMES.map((name) => [name, freshPassword()]));
}

export function ensurePasswords(next: Stored): void {
  next.hidden[PASSWORDS] ??= freshPasswords();
}

/** The two passwords, in order. */
export function passwordsOf(registry: Stored): { name: string; value: string }[] {
  const held = registry.hidden[PASSWORDS] as Record<string, string> | undefined;
  return NAMES.map((name) => ({ name, value: held?.[name] ?? '' })).filter(({ value }) => value !== '');
}

/** POST listCredentials. Throws ArmError 400 where the admin user is off. */
export function listCredentials({ existing, id }: Call): ActionResult {
  if (existing?.resource.properties.adminUserEnabled !== true)
    throw new ArmError(
      400,
      'UnAuthorizedForCredentialOperations',
      'Cannot perform credential operations as admin user is disabled. Kindly enable admin user.',
    );
  return { body: { username: id.name, passwords: passwordsOf(existing) } };
}

/** POST regenerateCredential. */
export function regenerateCredential(call: Call): ActionResult {
  const { cloud, existing, body } = call;
  listCredentials(call);
  const name = NAMES.find((one) => one === body.name);
  if (!name || !existing)
    throw new ArmError(400, 'InvalidParameter', `name: expected password or password2, got '${textOf(body.name)}'.`);
  const held = existing.hidden[PASSWORDS] as Record<string, Json>;
  const next = {
    ...existing,
    hidden: { ...existing.hidden, [PASSWORDS]: { ...held, [name]: freshPassword() } },
  };
  cloud.store.put(next);
  return listCredentials({ ...call, existing: next });
}

function freshPassword(): string {
  return randomBytes(24).toString('base64url');
}
