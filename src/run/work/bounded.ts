/** Bounded concurrency over a list that may be longer than memory. */

/**
 * Runs `work` on every item, at most `limit` at a time, taking the next item only when there is room. The first error stops the
 * taking; what is under way is awaited, and then the error of the earliest item that failed is thrown.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const under = { way: 0 };
  let failure: { index: number; error: unknown } | undefined;
  let ended: () => void = () => undefined;
  // One promise for whichever ends next: a race of all that run would cost each item as much as there are others.
  const untilBelow = async (count: number) => {
    while (under.way >= count) await new Promise<void>((resolve) => (ended = resolve));
  };
  let index = 0;
  for await (const item of items) {
    const at = index++;
    under.way += 1;
    void work(item, at)
      .catch((error: unknown) => {
        // All items before it were taken before it: which error is thrown does not hang on which is faster.
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
export async function mapBounded<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
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

/** Lets at most `limit` pieces of work run at a time, whoever asks. */
export function createLimiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or is given back.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
