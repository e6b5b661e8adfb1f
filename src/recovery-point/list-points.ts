/** Lists recovery points. The newest are found without reading the others. */
import { newestFirst } from '../control-store/newest-first.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { epochOf } from './manifest.ts';
import { summarise, tryPoint } from './read-seal.ts';
import { sealedName } from './sealed-manifest.ts';

/** The recovery points in the control store. */
export interface RecoveryPointList {
  /** Newest first: by epoch, then by start. A late seal of an older epoch never comes before one of a newer epoch. */
  sealed: RecoveryPointSummary[];
  /** Sealed, but altered or cut short. */
  damaged: { id: string; reason: string }[];
  /** Begun but never sealed. */
  unsealed: string[];
}

/** Limits what `listRecoveryPoints` reads. */
export interface ListOptions {
  /** Reads at most this many sealed ones, and none that are older. */
  limit?: number;
  /** Only those of this region. */
  region?: string;
}

/**
 * Lists recovery points, newest first.
 * Errors: AzureUnavailable if the control store does not answer.
 */
export async function listRecoveryPoints(
  store: ControlStore,
  { limit = Infinity, region }: ListOptions = {},
): Promise<RecoveryPointList> {
  const list: RecoveryPointList = { sealed: [], damaged: [], unsealed: [] };
  for await (const ids of idsByEpoch(store)) {
    for await (const id of ids) {
      const found = await tryPoint(store, id);
      if (found === undefined) list.unsealed.push(id);
      else if ('reason' in found) list.damaged.push(found);
      // Of the region that the epoch has left.
      else if (found.sealed.divergence) continue;
      // An epoch has one writer, so the rest of this epoch is of the same region.
      else if (region !== undefined && found.sealed.region !== region) break;
      else if (list.sealed.push(summarise(found)) >= limit) return list;
    }
  }
  return list;
}

/**
 * Returns the ids of sealed recovery points, newest first. `isKnown` tells which ids are already known to be sealed,
 * which saves a request. `limit`: returns at most this many, and reads none that are older.
 */
export async function sealedIds(
  store: ControlStore,
  { isKnown = () => false, limit = Infinity }: { isKnown?: (id: string) => boolean; limit?: number } = {},
): Promise<string[]> {
  const sealed: string[] = [];
  for await (const ids of idsByEpoch(store)) {
    for await (const id of ids) {
      if (!isKnown(id) && !(await isSealed(store, id))) continue;
      if (sealed.push(id) >= limit) return sealed;
    }
  }
  return sealed;
}

/** True also if its seal cannot be read. */
async function isSealed(store: ControlStore, id: string): Promise<boolean> {
  return (await store.readText(sealedName(epochOf(id) ?? 0, id))) !== undefined;
}

/**
 * Ids of all recovery points, sealed or not, one group per epoch. The newest epoch, and within it the newest id, comes
 * first.
 */
async function* idsByEpoch(store: ControlStore): AsyncGenerator<AsyncGenerator<string>> {
  const epochs: number[] = [];
  for await (const folder of store.folders('epochs/')) epochs.push(Number(folder.split('/')[1]));
  for (const epoch of epochs.filter(Number.isInteger).toSorted((a, b) => b - a)) yield idsOf(store, epoch);
}

async function* idsOf(store: ControlStore, epoch: number): AsyncGenerator<string> {
  const folder = `epochs/${epoch}/recovery-points/`;
  for await (const id of newestFirst(store, { folder, dayPrefix: (day) => `${day}T`, now: new Date() }))
    if (epochOf(id) === epoch) yield id;
}
