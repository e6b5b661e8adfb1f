/** Figures in words for people: counts of things, and sizes. Lengths of time are in `duration.ts`. */

/** `1 blob`, `212 blobs`. */
export function showCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `24.1 MB`: powers of 1,000, as Azure's portal and bills count. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded to 1000.0 belongs to the next unit.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
