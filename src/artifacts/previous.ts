/** The blobs of the recovery point before, read in step with the units of this one: nothing is copied twice. */
import type { ControlStore } from '../control-store/store.ts';
import { covers, orderKey, type BlobLine, type SealedManifest, type Unit } from './manifest.ts';
import { readPart } from './recovery-point.ts';

export interface PreviousBlobs {
  /** The lines of a unit's blobs, by path. Units must be asked for in their order. */
  of(unit: Unit): Promise<Map<string, BlobLine>>;
}

export const noPrevious: PreviousBlobs = { of: () => Promise.resolve(new Map<string, BlobLine>()) };

/** Errors: RecoveryPointError if a part of it is damaged. */
export function previousBlobs(store: ControlStore, sealed: SealedManifest): PreviousBlobs {
  const lines = readPart(store, sealed, 'blobs')[Symbol.asyncIterator]();
  let next: BlobLine | undefined;
  let ended = false;
  const peek = async () => {
    if (next === undefined && !ended) {
      const answer = await lines.next();
      if (answer.done) ended = true;
      else next = answer.value;
    }
    return next;
  };
  return {
    async of(unit) {
      const start = orderKey(unit.account, unit.container, unit.path);
      const found = new Map<string, BlobLine>();
      for (let line = await peek(); line !== undefined; line = await peek()) {
        const inside =
          line.account === unit.account && line.container === unit.container && covers(unit.path, line.path);
        if (!inside && orderKey(line.account, line.container, line.path) >= start) break;
        if (inside) found.set(line.path, line);
        next = undefined;
      }
      return found;
    },
  };
}
