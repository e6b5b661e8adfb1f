/** "Did you mean …?": finds the known word that is nearest to a wrong one. */

/** How many letters to change, add or remove to turn `a` into `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * Returns the word of `known` that `word` probably means: equal except for case, spaces, `-` and `_`, or else at most
 * two letters different, but not almost completely different. Undefined if none is near.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = normal(word);
  const distances = known.map((each) => ({ each, distance: editDistance(plain, normal(each)) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  if (best === undefined) return undefined;
  return best.distance <= Math.min(2, Math.floor(plain.length / 3)) ? best.each : undefined;
}

/** Returns `; did you mean "…"?`, or an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === undefined ? '' : `; did you mean "${found}"?`;
}

function normal(word: string): string {
  return word.toLowerCase().replaceAll(/[\s_-]/g, '');
}
