/**
 * Regions that a move has left, and that are no standby yet. Such a region may still run what nobody sees, and its
 * workspace is shut out of its own storage. It is a standby again once it has been reprotected; and it is no departed
 * region any more where a move was undone, or went back to it.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { RecoveryPointRef } from '../plan/plan.ts';
import { listDebts } from './old-side.ts';
import { stillShutOut } from './shut-out-record.ts';

const Departure = z.strictObject({
  region: z.string(),
  /** The run that left it, and the epoch that it began. */
  run: z.string(),
  epoch: z.int().min(1),
  /** The region as it was found when it answered again, before anything was written there. */
  divergence: RecoveryPointRef.optional(),
  /** ISO 8601, and why: it is a standby again, or the writer. */
  ended: z.strictObject({ at: z.string(), by: z.string() }).optional(),
});
export type Departure = z.infer<typeof Departure>;

const departures = documentKind('departure from a region', 1, Departure);
const nameOf = (region: string) => `departures/${region}.json`;

/** Records that a run has left the region. Idempotent. */
export async function recordDeparture(
  store: ControlStore,
  departure: Pick<Departure, 'region' | 'run' | 'epoch'>,
): Promise<void> {
  await change(store, departure.region, (found) =>
    found?.run === departure.run && found.epoch === departure.epoch ? undefined : { ...departure },
  );
}

/**
 * Pins the divergence point of the departure. The first one stays: after it, the region may have been written to.
 * `epoch`: of the run that sealed it; a later departure is another one.
 */
export async function recordDivergence(
  store: ControlStore,
  { region, epoch }: Pick<Departure, 'region' | 'epoch'>,
  ref: RecoveryPointRef,
): Promise<void> {
  await change(store, region, (found) =>
    found && !found.ended && !found.divergence && found.epoch <= epoch ? { ...found, divergence: ref } : undefined,
  );
}

/** What ends a departure: the run that made the region a standby or the writer, and the epoch in which it did. */
interface EndOfDeparture {
  region: string;
  by: string;
  epoch: number;
}

/**
 * The region is a standby, or the writer. Its divergence point stays pinned. A departure of a later epoch stays: the
 * region was left again since, and this run knows nothing of that.
 */
export async function endDeparture(store: ControlStore, end: EndOfDeparture, now: Date): Promise<void> {
  const ended = { at: now.toISOString(), by: end.by };
  await change(store, end.region, (found) =>
    found && !found.ended && found.epoch <= end.epoch ? { ...found, ended } : undefined,
  );
}

/** A move is undone: the departure that it ended goes on, since the region is not the writer after all. Idempotent. */
export async function reopenDeparture(store: ControlStore, region: string, endedBy: string): Promise<void> {
  await change(store, region, (found) => {
    if (found?.ended?.by !== endedBy) return undefined;
    const { ended: _, ...open } = found;
    return open;
  });
}

/** The last departure from a region, ended or not. */
export async function readDeparture(store: ControlStore, region: string): Promise<Departure | undefined> {
  return (await departures.read(store, nameOf(region)))?.value;
}

/** What stands between a region and being a standby. */
export interface Unprotected {
  /** Absent for a control store of a release that recorded no departures. */
  departure?: Departure;
  /** One line: why it is no standby. */
  why: string;
}

/**
 * Why the region, which is not the writer, is no standby; undefined if it is one.
 * Errors: AzureUnavailable, ControlStoreError.
 */
export async function unprotected(store: ControlStore, region: string): Promise<Unprotected | undefined> {
  if ((await readPointerIfAny(store))?.value.writer === region) return undefined;
  const departure = await readDeparture(store, region);
  if (departure && !departure.ended)
    return { departure, why: `run "${departure.run}" has left ${region}, and it has not been reprotected since` };
  const [debt] = await listDebts(store, { region });
  if (debt) return { why: `${region} still owes: ${debt.what}` };
  const taken = await stillShutOut(store, region, 'writers');
  return taken && { why: `a fence has shut out the workspace of ${region}, and nothing has given it back its access` };
}

async function change(
  store: ControlStore,
  region: string,
  next: (found: Departure | undefined) => Departure | undefined,
): Promise<void> {
  for (;;) {
    const found = await departures.read(store, nameOf(region));
    const value = next(found?.value);
    if (!value || (await departures.swap(store, nameOf(region), value, found?.etag))) return;
  }
}
