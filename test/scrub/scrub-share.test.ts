import { describe, expect, it } from 'vitest';
import { intervalBefore, shareOf } from '../../src/scrub/scrub-share.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2026-11-01T00:00:00Z');

interface Simulated {
  /** The longest that anything went unread, from the moment that everything was copied at once. */
  longest: number;
  /** The most that was read in one go, once the first period was over. */
  most: number;
}

/** Scrubs again and again, each time that `gaps` says, in turns. */
function simulate({ gaps, periodMs, weights }: { gaps: number[]; periodMs: number; weights: number[] }): Simulated {
  const units = weights.map((weight) => ({ weight, readAt: new Date(start).toISOString() }));
  const times: number[] = [];
  let [now, longest, most] = [start, 0, 0];
  for (let turn = 0; now < start + 3 * periodMs; turn++) {
    now += gaps[turn % gaps.length] ?? day;
    const share = shareOf(units, { now, periodMs, intervalMs: intervalBefore(times.slice(-8), now) });
    for (const unit of share) {
      longest = Math.max(longest, now - Date.parse(unit.readAt));
      unit.readAt = new Date(now).toISOString();
    }
    times.push(now);
    if (now > start + periodMs)
      most = Math.max(
        most,
        share.reduce((sum, { weight }) => sum + weight, 0),
      );
  }
  for (const { readAt } of units) longest = Math.max(longest, now - Date.parse(readAt));
  return { longest, most };
}

const even = Array.from({ length: 140 }, () => 1);
const uneven = Array.from({ length: 200 }, (_, index) => 1 + ((index * 37) % 91));

describe('a share of what is to be read', () => {
  it.each([
    ['every quarter of an hour', [hour / 4]],
    ['every day', [day]],
    ['every three days', [3 * day]],
    ['now and again', [hour, 9 * hour, 2 * hour, 30 * hour]],
  ])('has everything read within its period where it is read %s', (_often, gaps) => {
    for (const weights of [even, uneven, [1], [1000, 1]]) {
      const { longest } = simulate({ gaps, periodMs: 7 * day, weights });
      expect(longest).toBeLessThanOrEqual(7 * day);
    }
  });

  it('is everything where a whole period goes by between two times', () => {
    const { longest, most } = simulate({ gaps: [10 * day], periodMs: 7 * day, weights: even });
    expect(longest).toBeLessThanOrEqual(10 * day);
    expect(most).toBe(140);
  });

  it('is about the same each time, though all was copied at once', () => {
    const { most } = simulate({ gaps: [6 * hour], periodMs: 7 * day, weights: even });
    // 28 times a period: 5 each would just do.
    expect(most).toBeLessThan(9);
  });

  it('is nothing where there is nothing, and of one small list nothing until it is nearly due', () => {
    const pace = { now: start, intervalMs: hour, periodMs: 7 * day };
    expect(shareOf([], pace)).toEqual([]);
    const unit = { weight: 10, readAt: new Date(start - 3 * day).toISOString() };
    expect(shareOf([unit], pace)).toEqual([]);
    expect(shareOf([unit], { ...pace, now: start + 4 * day - hour })).toEqual([unit]);
  });
});
