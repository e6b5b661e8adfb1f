/** Random numbers from a seed (mulberry32), and what is made of them: the same seed makes the same workspace. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
  word(): string;
}

const syllables = ['ka', 'Ro', 'mi', 'te', 'Su', 'ne', 'lo', 'vi', 'ß', 'é', '字', 'ж', 'x1', '-', '_'];

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number) => Math.floor(next() * below);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  return {
    int,
    pick,
    bytes(length) {
      const buffer = Buffer.alloc(length);
      for (let at = 0; at < length; at++) buffer[at] = int(256);
      return buffer;
    },
    word: () => Array.from({ length: 2 + int(4) }, () => pick(syllables)).join(''),
  };
}
