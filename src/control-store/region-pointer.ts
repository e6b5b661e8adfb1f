/** The region pointer's moves: each a compare-and-swap. */
import { UnderstudyError } from '../errors/error.ts';
import { declaredActive } from '../topology/sides.ts';
import { firstPointer, type RegionPointer } from '../topology/pointer.ts';
import type { Topology } from '../topology/topology.ts';
import type { ControlStore, Versioned } from './store.ts';

const name = 'pointer.json';

/** The pointer as it stands; made on first use, naming the declared active region. */
export async function readPointer(
  store: ControlStore,
  topology: Topology,
  who: string,
  now: Date,
): Promise<Versioned<RegionPointer>> {
  const found = await peekPointer(store);
  if (found) return found;
  await store.swap(name, firstPointer(declaredActive(topology), who, now), undefined);
  const made = await peekPointer(store);
  if (!made)
    throw new UnderstudyError('ControlStoreError', 'the region pointer was written and is not there');
  return made;
}

/** The pointer as it stands, or undefined where nothing has ever run. */
export function peekPointer(store: ControlStore): Promise<Versioned<RegionPointer> | undefined> {
  return store.read<RegionPointer>(name);
}

/**
 * Changes the pointer by compare-and-swap until it holds: `change` is given what is there and answers what should be,
 * or undefined if there is nothing to change. Answers the pointer as it then is.
 */
export async function movePointer(
  store: ControlStore,
  change: (pointer: RegionPointer) => RegionPointer | undefined,
): Promise<RegionPointer> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = await store.read<RegionPointer>(name);
    if (!found)
      throw new UnderstudyError('ControlStoreError', 'there is no region pointer in the control store');
    const next = change(found.value);
    if (!next) return found.value;
    if (await store.swap(name, next, found.etag)) return next;
  }
  throw new UnderstudyError(
    'ControlStoreError',
    'the region pointer was changed by others 20 times in a row',
    {
      next: 'See "understudy runs" for what else is running.',
    },
  );
}

/**
 * Takes or renews the writer lease for `holder` in `epoch`. FencedError if the epoch has moved on or another writer
 * holds the lease: the caller must stop writing at once. NotYetError while the writers of the epoch before may write.
 */
export async function holdWriterLease(
  store: ControlStore,
  lease: { holder: string; epoch: number; ttlMs: number; skewMs: number; now: number },
): Promise<void> {
  await movePointer(store, (pointer) => {
    assertEpoch(pointer, lease.epoch);
    if ((pointer.oldWritersUntil ?? 0) > lease.now) {
      throw new UnderstudyError(
        'NotYetError',
        'a writer of the epoch before may still believe in its lease',
        {
          retryAfterSeconds: Math.ceil(((pointer.oldWritersUntil ?? 0) - lease.now) / 1000),
        },
      );
    }
    const other = pointer.lease;
    if (other && other.holder !== lease.holder && other.expiresAt + lease.skewMs > lease.now) {
      throw new UnderstudyError('FencedError', `run "${other.holder}" holds the writer lease`, {
        next: `Wait for it, or until ${new Date(other.expiresAt + lease.skewMs).toISOString()}, when the lease runs out.`,
      });
    }
    // Renewed only when a third of it is gone: a renewal per batch, not per blob.
    if (other?.holder === lease.holder && other.expiresAt - lease.now > (lease.ttlMs * 2) / 3)
      return undefined;
    return { ...pointer, lease: { holder: lease.holder, expiresAt: lease.now + lease.ttlMs } };
  });
}

/** Gives the lease back when the work is done; somebody else's is left alone. */
export async function releaseWriterLease(store: ControlStore, holder: string): Promise<void> {
  await movePointer(store, (pointer) => {
    if (pointer.lease?.holder !== holder) return undefined;
    const { lease: _, ...rest } = pointer;
    return rest;
  });
}

export function assertEpoch(pointer: RegionPointer, epoch: number): void {
  if (pointer.epoch.number === epoch) return;
  throw new UnderstudyError(
    'FencedError',
    `the epoch has moved on: this run writes in epoch ${epoch}, the region pointer is at ${pointer.epoch.number} (${pointer.changedBy})`,
  );
}
