/**
 * Whether something happens, decided by a seed and by what is asked: the same requests meet the same fate again, in
 * whatever order clients that run side by side send them.
 */

/** Ids that are made anew each time would make each run another one. */
const UNIQUE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** What is asked more rarely than this many others starts again to be counted; memory stays flat. */
const REMEMBERED = 20_000;

export class Chance {
  readonly seed: number;
  private readonly asked = new Map<string, number>();

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A number in [0, 1) by the seed, `what`, and how often it was drawn for it before. */
  draw(what: string): number {
    const key = plain(what);
    const times = (this.asked.get(key) ?? 0) + 1;
    this.asked.delete(key);
    this.asked.set(key, times);
    if (this.asked.size > REMEMBERED) this.asked.delete(this.asked.keys().next().value ?? '');
    return unit(`${this.seed}|${times}|${key}`);
  }

  /** A number in [0, 1) by the seed and `what` alone. */
  of(what: string): number {
    return unit(`${this.seed}|${plain(what)}`);
  }
}

function plain(what: string): string {
  return what.toLowerCase().replaceAll(UNIQUE, '*');
}

/** FNV-1a, and a last mix: neighbouring texts must not give neighbouring numbers. */
function unit(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
