/** Which recovery points there are: the newest are found without a look at the others. */
import { newestFirst } from '../control-store/newest-first.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { epochOf } from './manifest.ts';
import { summarise, tryPoint } from './read-seal.ts';
import { sealedName } from './sealed-manifest.ts';

export interface RecoveryPointList {
  /** Newest first: by epoch, then by start. A late seal of an older epoch never comes before a newer epoch's. */
  sealed: RecoveryPointSummary[];
  /** Sealed, but not readable as such: altered or cut short. */
  damaged: { id: string; reason: string }[];
  /** Begun and never sealed. */
  unsealed: string[];
}

export interface ListOptions {
  /** At most so many sealed ones are read, and what is older than they is not looked at. */
  limit?: number;
  /** Only those of this region. */
  region?: string;
}

/** AzureUnavailable when the control store does not answer. */
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
      // An epoch has one writer: what else there is of this one is of the same region.
      else if (region !== undefined && found.sealed.region !== region) break;
      else if (list.sealed.push(summarise(found)) >= limit) return list;
    }
  }
  return list;
}

/**
 * Ids of those that were sealed, newest first. `isKnown`: it is known of an id that it was, which saves a look. `limit`: at most so many, and
 * what is older than they is not looked at.
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

/** Also where it cannot be read. */
async function isSealed(store: ControlStore, id: string): Promise<boolean> {
  return (await store.readText(sealedName(epochOf(id) ?? 0, id))) !== undefined;
}

/** Sealed or not: the ids of each epoch, the newest epoch first, and in it the newest first. */
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
