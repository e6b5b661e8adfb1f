/** Which part of all that is to be read is read now, so that everything is read within its period. Pure. */

/** What is read together. */
export interface ScrubUnit {
  /** When it was last read (ISO 8601). */
  readAt: string;
  /** What reading it costs. */
  weight: number;
}

export interface Pace {
  /** Milliseconds since the epoch. */
  now: number;
  /** How long it may be until the next time. */
  intervalMs: number;
  periodMs: number;
}

/** More than what would just do: times between two replications differ. */
const margin = 1.25;

/**
 * What has waited longest comes first. Read is what falls due before the next time; and of the rest so much that the same amount each time
 * has everything read when it falls due, however much of it falls due at once.
 */
export function shareOf<T extends ScrubUnit>(units: readonly T[], pace: Pace): T[] {
  const oldestFirst = units.toSorted((a, b) => Date.parse(a.readAt) - Date.parse(b.readAt));
  const target = margin * pace.intervalMs * leastRate(oldestFirst, pace);
  const share: T[] = [];
  let taken = 0;
  for (const unit of oldestFirst) {
    // Half of it: what is larger than the share is read every so often.
    if (taken + unit.weight / 2 > target) break;
    share.push(unit);
    taken += unit.weight;
  }
  return share;
}

/** Weight per millisecond at which every unit is read before it falls due. */
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
 * How long it may be until the next time: as long as it has been between any two of the last few, or since the last one.
 * `times`: of the last ones, in milliseconds since the epoch.
 */
export function intervalBefore(times: readonly number[], now: number): number {
  const sorted = [...times, now].toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? time));
  return Math.max(1000, ...gaps);
}
