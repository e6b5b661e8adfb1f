/** Chooses what to read now, so that everything is read within its period. Pure. */

/** What is read together. */
export interface ScrubUnit {
  /** When it was last read (ISO 8601). */
  readAt: string;
  /** The cost of reading it. */
  weight: number;
}

/** How fast to read. */
export interface Pace {
  /** Milliseconds since the epoch. */
  now: number;
  /** The longest expected time until the next scrub. */
  intervalMs: number;
  periodMs: number;
}

/** Read more than just enough: the time between two replications varies. */
const margin = 1.25;

/**
 * Returns the units to read now, those unread for longest first. These are the units that fall due before the next
 * time; and beyond these, enough that an equal amount each time reads everything when it falls due, however much falls
 * due at once.
 */
export function shareOf<T extends ScrubUnit>(units: readonly T[], pace: Pace): T[] {
  const oldestFirst = units.toSorted((a, b) => Date.parse(a.readAt) - Date.parse(b.readAt));
  const target = margin * pace.intervalMs * leastRate(oldestFirst, pace);
  const share: T[] = [];
  let taken = 0;
  for (const unit of oldestFirst) {
    // Half the weight: a unit larger than the share is read once in a while.
    if (taken + unit.weight / 2 > target) break;
    share.push(unit);
    taken += unit.weight;
  }
  return share;
}

/** The lowest weight per millisecond at which every unit is read before it falls due. */
function leastRate(oldestFirst: readonly ScrubUnit[], { now, intervalMs, periodMs }: Pace): number {
  let weight = 0;
  let rate = 0;
  for (const unit of oldestFirst) {
    weight += unit.weight;
    const left = Date.parse(unit.readAt) + periodMs - now;
    rate = Math.max(rate, weight / Math.max(left, intervalMs));
  }
  return rate;
}

/**
 * Estimates how long it may be until the next scrub: the longest time between any two of the last few, or since the
 * last one. `times`: when the last ones were, in milliseconds since the epoch.
 */
export function intervalBefore(times: readonly number[], now: number): number {
  const sorted = [...times, now].toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
  return Math.max(1000, ...gaps);
}
