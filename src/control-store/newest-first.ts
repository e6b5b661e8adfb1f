/** Lists folders whose names begin with a time, newest first. Does not list all of them if only a few are needed. */
import type { ControlStore } from './store.ts';

interface NewestFirst {
  /** The parent folder: `runs/`. */
  folder: string;
  /** The prefix of the names of a day: `20261121T` for `2026-11-21`. */
  dayPrefix: (day: string) => string;
  now: Date;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Yields names without their parent folder, newest first. Recent days are listed first, one by one. Older names are
 * listed only if the caller continues, because a listing by name begins with the oldest. A clock that is ahead by less
 * than a day does no harm.
 */
export async function* newestFirst(store: ControlStore, of: NewestFirst): AsyncGenerator<string> {
  const { folder, dayPrefix, now } = of;
  const days = [1, 0, -1].map((offset) => new Date(now.getTime() + offset * dayMs).toISOString().slice(0, 10));
  const recent = await Promise.all(days.map((day) => namesIn(store, folder, dayPrefix(day))));
  const told = new Set(recent.flat());
  yield* told;
  for (const name of await namesIn(store, folder, '')) if (!told.has(name)) yield name;
}

async function namesIn(store: ControlStore, folder: string, prefix: string): Promise<string[]> {
  const names = (await Array.fromAsync(store.folders(`${folder}${prefix}`))).map((each) =>
    each.slice(folder.length, -1),
  );
  return names.toSorted().toReversed();
}
