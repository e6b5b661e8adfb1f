/** Locks on a subscription, a resource group or a resource: whatever stands below is held by them, too. */

import { textOf } from '../resource/fields.ts';
import { ArmError, type Call, type Cloud, type Stored } from '../contract/index.ts';
import { row } from '../resource/table.ts';

const LOCK = 'Microsoft.Authorization/locks';
const LEVELS = ['CanNotDelete', 'ReadOnly'];

/** `delete` is refused by either level; `write`, which a POST counts as, by ReadOnly alone. */
export type LockedOperation = 'write' | 'delete';

export const locks = row(LOCK, {
  region: 'global',
  verbs: ['get', 'put', 'delete', 'list'],
  beforePut: prepareLock,
  list: listLocks,
});

function prepareLock({ id }: Call, next: Stored): void {
  const { level, notes, owners } = next.resource.properties;
  const known = LEVELS.find((one) => one.toLowerCase() === textOf(level).toLowerCase());
  if (!known)
    throw new ArmError(
      400,
      'LockLevelNotSupported',
      `The lock '${id.name}' has the level '${textOf(level)}', which is not supported. Supported levels are: ${LEVELS.join(', ')}.`,
    );
  if (notes !== undefined && notes !== null && textOf(notes).length > 512)
    throw new ArmError(400, 'InvalidLockNotes', `The notes of the lock '${id.name}' exceed 512 characters.`);
  next.resource.properties = { level: known, ...(notes ? { notes } : {}), ...(owners ? { owners } : {}) };
  delete next.resource.location;
}

/** The locks at a scope and below it, as Azure lists them; `atScope()` leaves out those below. */
function listLocks({ cloud, id, query }: Call): Stored[] {
  const atScope = /atScope\(\)/i.test(query.get('$filter') ?? '');
  return cloud.store.ofType(LOCK).filter((lock) => {
    const held = scopeOf(lock);
    return held === id.key || (!atScope && held.startsWith(`${id.key}/`));
  });
}

/**
 * Throws ArmError 409 `ScopeLocked`, naming the scopes, if a lock at `id`, or above it, forbids the operation; for a
 * deletion also if one below does, for that would go with it. Locks themselves are never locked: they can be taken
 * away.
 */
export function requireUnlocked(
  cloud: Pick<Cloud, 'store'>,
  id: string,
  type: string,
  operation: LockedOperation,
): void {
  if (type.toLowerCase() === LOCK.toLowerCase()) return;
  const at = id.toLowerCase();
  const holding = cloud.store.ofType(LOCK).filter((lock) => {
    const held = scopeOf(lock);
    const isReadOnly = lock.resource.properties.level === 'ReadOnly';
    if (operation === 'write' && !isReadOnly) return false;
    const covers = at === held || at.startsWith(`${held}/`);
    return covers || (operation === 'delete' && held.startsWith(`${at}/`));
  });
  if (holding.length === 0) return;
  const scopes = [...new Set(holding.map(({ resource }) => lockedScope(resource.id)))];
  throw new ArmError(
    409,
    'ScopeLocked',
    `The scope '${id}' cannot perform ${operation} operation because following scope(s) are locked: '${scopes.join("', '")}'. Please remove the lock and try again.`,
  );
}

function scopeOf({ resource }: Stored): string {
  return lockedScope(resource.id).toLowerCase();
}

function lockedScope(lockId: string): string {
  return lockId.slice(0, lockId.toLowerCase().lastIndexOf('/providers/microsoft.authorization/'));
}
