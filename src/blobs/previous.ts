/**
 * Reads the blobs of the previous recovery point in step with the units of this one, so that nothing is copied twice.
 */
import type { ControlStore } from '../control-store/store.ts';
import { covers, orderKey, type BlobLine, type SealedManifest, type Unit } from '../recovery-point/manifest.ts';
import { keyIn } from './unit-listing.ts';
import { cursor, spool, type Spool } from '../run/work/spool.ts';
import { readPart } from '../recovery-point/recovery-point.ts';

/** What the previous recovery point has of a unit. The caller discards it. */
export interface PreviousUnit {
  /** In `orderKey` order. */
  lines: Spool<BlobLine>;
  /** Epochs in which its replicas were made. */
  epochs: ReadonlySet<number>;
}

/** The blobs of the previous recovery point, by unit. */
export interface PreviousBlobs {
  /** Units must be requested in order. `beat` is called for each line that is read. */
  of(unit: Unit, beat: () => Promise<void>): Promise<PreviousUnit>;
}

/** Used if there is no previous recovery point. */
export const noPrevious: PreviousBlobs = { of: (unit) => Promise.resolve(nothingOf(unit)) };

/** Used for a unit that the previous recovery point does not have. */
export function nothingOf(unit: Unit): PreviousUnit {
  return { lines: spool<BlobLine>(keyIn(unit)), epochs: new Set() };
}

/**
 * Reads them from a sealed recovery point.
 * Errors: RecoveryPointError if a part of it is damaged.
 */
export function previousBlobs(store: ControlStore, sealed: SealedManifest): PreviousBlobs {
  const all = cursor(readPart(store, sealed, 'blobs'), ({ account, container, path }) =>
    orderKey(account, container, path),
  );
  return {
    async of(unit, beat) {
      const lines = spool<BlobLine>(keyIn(unit));
      const epochs = new Set<number>();
      const start = orderKey(unit.account, unit.container, unit.path);
      try {
        for (let line = await all.peek(); line; line = await all.peek()) {
          await beat();
          const { account, container, path } = line;
          const isInside = account === unit.account && container === unit.container && covers(unit.path, path);
          if (!isInside && orderKey(account, container, path) >= start) break;
          await all.shift();
          if (!isInside) continue;
          await lines.add(line);
          epochs.add(Number(line.replica.split('/')[1]));
        }
      } catch (error) {
        await lines.discard();
        throw error;
      }
      return { lines, epochs };
    },
  };
}
