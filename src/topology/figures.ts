/** Formats counts and sizes for people. Durations are in `duration.ts`. */

/** Examples: `1 blob`, `212 blobs`. */
export function showCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Example: `24.1 MB`. Powers of 1,000, as in Azure's portal and bills. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // A value that would be rounded to 1000.0 is shown in the next unit.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
