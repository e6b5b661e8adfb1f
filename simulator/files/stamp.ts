/** What each change leaves on a share, a directory or a file. */

import type { Clock } from '../contract/index.ts';

let stamps = 0;

/** A new etag, and the time of the change on the cloud's clock. */
export function stamp(clock: Clock): { etag: string; changedAt: number } {
  const changedAt = clock.now();
  stamps += 1;
  return {
    etag: `"0x8D${changedAt.toString(16).toUpperCase()}${stamps.toString(16).toUpperCase()}"`,
    changedAt,
  };
}
