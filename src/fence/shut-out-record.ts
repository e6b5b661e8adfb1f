/**
 * What fences have taken from a region, by kind. It is recorded before the first of it is taken: any later run, on any
 * machine, that makes the region the writer again restores it from here.
 */
import { z } from 'zod';
import type { JsonObject } from '../azure/azure.ts';
import { documentKind, type DocumentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';

const Taken = z.strictObject({
  region: z.string(),
  /** The run whose fence took it, or owed it until it was taken. */
  run: z.string(),
  takenAt: z.string(),
  /** Set once all of it is restored. */
  givenBackAt: z.string().optional(),
});

/** What the workspace of the region wrote with: roles at or below its storage account, and the account's keys. */
const RemovedAccess = Taken.extend({
  storageAccount: z.string(),
  roles: z.array(
    z.strictObject({
      id: z.string(),
      properties: z.custom<JsonObject>((value) => typeof value === 'object'),
    }),
  ),
});
export type RemovedAccess = z.infer<typeof RemovedAccess>;

/** Schedules that were enabled. */
const StoppedIntake = Taken.extend({ schedules: z.array(z.string()) });
export type StoppedIntake = z.infer<typeof StoppedIntake>;

interface Kinds {
  writers: RemovedAccess;
  intake: StoppedIntake;
}
const kinds: { [Kind in keyof Kinds]: DocumentKind<Kinds[Kind]> } = {
  writers: documentKind('what a fence took from writers', 1, RemovedAccess),
  intake: documentKind('what a fence took from the intake', 1, StoppedIntake),
};
type Noted<K extends keyof Kinds> = Omit<Kinds[K], 'takenAt' | 'givenBackAt'>;

const nameOf = (region: string, kind: keyof Kinds) => `fence/${region}/taken-${kind}.json`;

/** What was last taken there, restored or not. */
export async function readShutOut<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
): Promise<Kinds[K] | undefined> {
  return (await kinds[kind].read(store, nameOf(region, kind)))?.value;
}

/** What was taken there and is not restored. */
export async function stillShutOut<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
): Promise<Kinds[K] | undefined> {
  const found = await readShutOut(store, region, kind);
  return found?.givenBackAt === undefined ? found : undefined;
}

/** Records roles and keys before they are removed; called again, it adds to what is recorded. */
export async function recordRemovedAccess(store: ControlStore, taken: Noted<'writers'>, now: Date): Promise<void> {
  await note(store, 'writers', taken, now, (before) => ({
    // A second attempt finds fewer of them than the first.
    roles: [...new Map([...before.roles, ...taken.roles].map((role) => [role.id.toLowerCase(), role])).values()],
  }));
}

/** Records schedules before they are disabled; called again, it adds to what is recorded. */
export async function recordStoppedIntake(store: ControlStore, taken: Noted<'intake'>, now: Date): Promise<void> {
  await note(store, 'intake', taken, now, (before) => ({
    schedules: [...new Set([...before.schedules, ...taken.schedules])],
  }));
}

/** Marks it as restored: the next fence begins a record of its own. */
export async function recordRestored(store: ControlStore, region: string, kind: keyof Kinds, now: Date): Promise<void> {
  await change(store, region, kind, (before) =>
    before && before.givenBackAt === undefined ? { ...before, givenBackAt: now.toISOString() } : undefined,
  );
}

async function note<K extends keyof Kinds>(
  store: ControlStore,
  kind: K,
  taken: Noted<K>,
  now: Date,
  merge: (before: Kinds[K]) => Partial<Kinds[K]>,
): Promise<void> {
  await change(store, taken.region, kind, (found) => {
    const before = found?.givenBackAt === undefined ? found : undefined;
    const takenAt = before?.takenAt ?? now.toISOString();
    return { takenAt, ...taken, ...(before ? merge(before) : {}) } as Kinds[K];
  });
}

/** Replaces the record by `next(current record)`, by compare-and-swap; undefined leaves it as it is. */
async function change<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
  next: (before: Kinds[K] | undefined) => Kinds[K] | undefined,
): Promise<void> {
  const name = nameOf(region, kind);
  for (;;) {
    const found = await kinds[kind].read(store, name);
    const value = next(found?.value);
    if (!value || (await kinds[kind].swap(store, name, value, found?.etag))) return;
  }
}
