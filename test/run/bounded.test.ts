/** Bounded concurrency, and counts that add up. */
import { describe, expect, it } from 'vitest';
import { batches, createLimiter, forEachBounded, mapBounded } from '../../src/run/work/bounded.ts';
import { startHeartbeat } from '../../src/run/work/heartbeat.ts';
import { fail, newTally, skip, toCounts } from '../../src/run/work/tally.ts';
import type { Progress } from '../../src/run/work/step-context.ts';

function gauge() {
  const state = { running: 0, most: 0 };
  const work = async <T>(result: T): Promise<T> => {
    state.most = Math.max(state.most, ++state.running);
    await new Promise((resolve) => setImmediate(resolve));
    state.running -= 1;
    return result;
  };
  return { state, work };
}

describe('bounded work', () => {
  it('runs so many at a time, and keeps the order of results', async () => {
    const { state, work } = gauge();
    expect(await mapBounded([5, 4, 3, 2, 1], 2, (item) => work(item * 2))).toEqual([10, 8, 6, 4, 2]);
    expect(state.most).toBe(2);
  });

  it('takes no more after an error, awaits what is under way, and throws it', async () => {
    const { state, work } = gauge();
    const taken: number[] = [];
    const all = forEachBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
      taken.push(item);
      await work(item);
      if (item === 2) throw new Error('two');
    });
    await expect(all).rejects.toThrow('two');
    expect(state.running).toBe(0);
    expect(taken.length).toBeLessThan(6);
  });

  it('throws the error of the earliest that failed, though a later one failed sooner', async () => {
    const all = forEachBounded([20, 1, 30], 3, async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      throw new Error(`after ${ms} ms`);
    });
    await expect(all).rejects.toThrow('after 20 ms');
  });

  it('shares one limit among many', async () => {
    const { state, work } = gauge();
    const limit = createLimiter(3);
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => limit(() => work(index))));
    expect(results).toHaveLength(20);
    expect(state.most).toBe(3);
    await expect(limit(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await limit(() => work('free again'))).toBe('free again');
  });

  it('groups', async () => {
    expect(await Array.fromAsync(batches([1, 2, 3], 2))).toEqual([[1, 2], [3]]);
  });
});

describe('a heartbeat', () => {
  it('reports at once what is settled, and stops where the lease is lost or the step cancelled', async () => {
    const seen: Progress[] = [];
    const abort = new AbortController();
    const checkpoint = (progress: Progress) => {
      seen.push(progress);
      return progress.done > 5 ? Promise.reject(new Error('fenced')) : Promise.resolve();
    };
    const heartbeat = startHeartbeat({ checkpoint, signal: abort.signal }, 'blobs', { done: 1 });
    heartbeat.add(2, 100);
    await heartbeat.save({ progress: 'x' });
    expect(seen).toEqual([{ unit: 'blobs', done: 3, bytes: 100, cursor: { progress: 'x' } }]);
    heartbeat.add(3, 0);
    await expect(heartbeat.save({ progress: 'y' })).rejects.toThrow('fenced');
    abort.abort(new Error('cancelled'));
    await expect(heartbeat.beat()).rejects.toThrow('cancelled');
  });
});

describe('a tally', () => {
  it('gives counts that add up, and refuses those that do not', () => {
    const tally = newTally();
    tally.done = 3;
    skip(tally, 'kept');
    fail(tally, 'refused', 2);
    expect(toCounts(tally, 'blobs', 6)).toEqual({
      kind: 'blobs',
      expected: 6,
      done: 3,
      skipped: [{ reason: 'kept', count: 1 }],
      failed: [{ reason: 'refused', count: 2 }],
    });
    expect(() => toCounts(tally, 'blobs', 7)).toThrow(RangeError);
  });
});
