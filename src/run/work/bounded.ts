/** Bounded concurrency over a list that may be longer than memory. */

/**
 * Runs `work` on every item, at most `limit` at a time, and takes the next item only when there is room. After the
 * first error it takes no more, waits for what is running, and throws the error of the earliest item that failed.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const under = { way: 0 };
  let failure: { index: number; error: unknown } | undefined;
  let ended: () => void = () => undefined;
  // One promise for whichever ends next: a race of all running items would cost each item as much as there are others.
  const untilBelow = async (count: number) => {
    while (under.way >= count) await new Promise<void>((resolve) => (ended = resolve));
  };
  let index = 0;
  for await (const item of items) {
    const at = index++;
    under.way += 1;
    void work(item, at)
      .catch((error: unknown) => {
        // All earlier items were started earlier: which error is thrown does not depend on which is faster.
        if (!failure || at < failure.index) failure = { index: at, error };
      })
      .finally(() => {
        under.way -= 1;
        ended();
      });
    await untilBelow(limit);
    if (failure) break;
  }
  await untilBelow(1);
  if (failure) throw failure.error;
}

/** As `forEachBounded`, with the results in the order of the items. */
export async function mapBounded<T, R>(items: Iterable<T>, limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  await forEachBounded(items, limit, async (item, index) => {
    results[index] = await work(item);
  });
  return results;
}

/** Groups of at most `size`, in order. */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncIterable<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Runs at most `limit` pieces of work at a time, over all callers. */
export function createLimiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or is released.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
