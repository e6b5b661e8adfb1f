/** Suggests what to use in place of a recovery point that cannot be used. */
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { epochOf } from './manifest.ts';
import { readChecked, readParts, tryPoint } from './read-seal.ts';

/** How many recovery points to suggest when the one that was named does not exist. */
const offered = 3;

/** Suggests only what a failover would use: recovery points of the writer's region whose seal and parts are intact. */
export async function adviceAfter(store: ControlStore, id: string): Promise<string> {
  const ids = await sealedNames(store);
  if (ids.length === 0) return 'There is none: take one with "understudy replicate".';
  const at = ids.indexOf(id);
  if (at < 0) {
    const newest = ids.slice(0, offered).map((each) => `"${each}"`);
    return `Name one that is there, or none for the newest; of ${ids.length}, newest first: ${newest.join(', ')}${ids.length > offered ? ', …' : ''}.`;
  }
  const older = ids.slice(at + 1);
  const region = await writerOr(store, () => regionOf(store, id));
  const before = await newestWhole(store, older, region);
  if (before !== undefined) return `Use the one before it: --recovery-point ${before}`;
  return older.length === 0
    ? 'There is no recovery point before it: take one with "understudy replicate".'
    : `None of the ${older.length} before it can be used in its place: take one with "understudy replicate".`;
}

/** Ids of all sealed recovery points, newest first, from a listing of all names. */
async function sealedNames(store: ControlStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const name of store.list('epochs/')) {
    const [, , kind, id = '', file] = name.split('/');
    if (kind === 'recovery-points' && file === 'sealed.json' && epochOf(id) !== undefined) ids.push(id);
  }
  return ids.toSorted((a, b) => (epochOf(b) ?? 0) - (epochOf(a) ?? 0) || (a < b ? 1 : -1));
}

/**
 * Returns the writer: a failover restores only its recovery points. If the pointer cannot be read, returns what
 * `otherwise` returns.
 */
async function writerOr(
  store: ControlStore,
  otherwise: () => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    return (await readPointerIfAny(store))?.value.writer ?? (await otherwise());
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return otherwise();
  }
}

/**
 * Returns the newest of `ids` that is intact, parts included. `ids` are newest first. Without a region, any region
 * counts.
 */
async function newestWhole(
  store: ControlStore,
  ids: readonly string[],
  region: string | undefined,
): Promise<string | undefined> {
  for (const id of ids) {
    try {
      const open = await readChecked(store, id);
      if (region !== undefined && open.sealed.region !== region) continue;
      await readParts(store, open.sealed);
      return id;
    } catch (error) {
      if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    }
  }
  return undefined;
}

/** Undefined if its seal cannot be read. */
async function regionOf(store: ControlStore, id: string): Promise<string | undefined> {
  const found = await tryPoint(store, id);
  return found && 'sealed' in found ? found.sealed.region : undefined;
}
