/**
 * What fences have taken from a region, by kind, written down before the first of it is taken: whoever makes the region the writer again
 * gives it back, in whatever run, on whatever machine.
 */
import { z } from 'zod';
import type { JsonObject } from '../azure/azure.ts';
import type { ControlStore, Versioned } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';

const Taken = z.object({
  version: z.literal(1),
  region: z.string(),
  /** The run whose fence took it, or owed it until it was taken. */
  run: z.string(),
  takenAt: z.string(),
  /** Set once all of it is given back. */
  givenBackAt: z.string().optional(),
});

/** What the workspace of the region wrote with: roles at or below its storage account, and the account's keys. */
const TakenWriters = Taken.extend({
  storageAccount: z.string(),
  roles: z.array(
    z.object({ id: z.string(), properties: z.custom<JsonObject>((value) => typeof value === 'object') }),
  ),
});
export type TakenWriters = z.infer<typeof TakenWriters>;

/** Schedules that were enabled. */
const TakenIntake = Taken.extend({ schedules: z.array(z.string()) });
export type TakenIntake = z.infer<typeof TakenIntake>;

const kinds = { writers: TakenWriters, intake: TakenIntake };
interface Kinds {
  writers: TakenWriters;
  intake: TakenIntake;
}
type Noted<K extends keyof Kinds> = Omit<Kinds[K], 'version' | 'takenAt' | 'givenBackAt'>;

const nameOf = (region: string, kind: keyof Kinds) => `fence/${region}/taken-${kind}.json`;

/** What was last taken there, given back or not. */
export async function readTaken<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
): Promise<Kinds[K] | undefined> {
  return (await find(store, region, kind))?.value;
}

/** What was taken there and is not given back. */
export async function stillTaken<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
): Promise<Kinds[K] | undefined> {
  const found = await readTaken(store, region, kind);
  return found?.givenBackAt === undefined ? found : undefined;
}

export async function noteTakenWriters(
  store: ControlStore,
  taken: Noted<'writers'>,
  now: Date,
): Promise<void> {
  await note(store, 'writers', taken, now, (before) => ({
    // A second attempt finds fewer of them than the first.
    roles: [
      ...new Map([...before.roles, ...taken.roles].map((role) => [role.id.toLowerCase(), role])).values(),
    ],
  }));
}

export async function noteTakenIntake(store: ControlStore, taken: Noted<'intake'>, now: Date): Promise<void> {
  await note(store, 'intake', taken, now, (before) => ({
    schedules: [...new Set([...before.schedules, ...taken.schedules])],
  }));
}

/** It is given back: the next fence begins a record of its own. */
export async function noteGivenBack(
  store: ControlStore,
  region: string,
  kind: keyof Kinds,
  now: Date,
): Promise<void> {
  for (;;) {
    const found = await find(store, region, kind);
    if (!found || found.value.givenBackAt !== undefined) return;
    const next = { ...found.value, givenBackAt: now.toISOString() };
    if (await store.swap(nameOf(region, kind), next, found.etag)) return;
  }
}

async function note<K extends keyof Kinds>(
  store: ControlStore,
  kind: K,
  taken: Noted<K>,
  now: Date,
  merge: (before: Kinds[K]) => Partial<Kinds[K]>,
): Promise<void> {
  for (;;) {
    const found = await find(store, taken.region, kind);
    const before = found?.value.givenBackAt === undefined ? found?.value : undefined;
    const next = {
      version: 1,
      takenAt: before?.takenAt ?? now.toISOString(),
      ...taken,
      ...(before ? merge(before) : {}),
    };
    if (await store.swap(nameOf(taken.region, kind), next, found?.etag)) return;
  }
}

async function find<K extends keyof Kinds>(
  store: ControlStore,
  region: string,
  kind: K,
): Promise<Versioned<Kinds[K]> | undefined> {
  const name = nameOf(region, kind);
  const found = await store.read<unknown>(name);
  if (!found) return undefined;
  const parsed = kinds[kind].safeParse(found.value);
  if (parsed.success) return { etag: found.etag, value: parsed.data as Kinds[K] };
  throw new UnderstudyError(
    'ControlStoreError',
    `"${name}" is not what a fence of this version writes: ${z.prettifyError(parsed.error)}`,
    { place: name, next: 'Use the version that wrote it, or restore it from a copy of the control store.' },
  );
}
