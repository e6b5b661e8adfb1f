/** Changes of the region pointer: each is a compare-and-swap. */
import { UnderstudyError } from '../errors/error.ts';
import { declaredActive } from '../topology/sides.ts';
import { firstPointer, RegionPointer } from '../topology/pointer.ts';
import type { Topology } from '../topology/topology.ts';
import { documentKind } from './document.ts';
import type { ControlStore, Versioned } from './store.ts';

const name = 'pointer.json';
const pointers = documentKind('region pointer', 2, RegionPointer);

/**
 * Reads the pointer. Undefined if there is none.
 * Errors: ControlStoreError if it is not a region pointer.
 */
export function readPointerIfAny(store: ControlStore): Promise<Versioned<RegionPointer> | undefined> {
  return pointers.read(store, name);
}

interface First {
  topology: Topology;
  /** Who asks for the pointer. */
  who: string;
  now: Date;
}

/**
 * Reads the pointer. In a control store that was never used, returns the one that the first run will write. Writes
 * nothing.
 * Errors: ControlStoreError if a pointer was there and is lost: it is never recreated automatically.
 */
export async function readPointer(store: ControlStore, first: First): Promise<RegionPointer> {
  const found = await readPointerIfAny(store);
  if (found) return found.value;
  await refuseLostPointer(store);
  return firstPointer(declaredActive(first.topology), first.who, first.now);
}

/** As `readPointer`, but also writes the first pointer. */
export async function ensurePointer(store: ControlStore, first: First): Promise<RegionPointer> {
  const found = await readPointerIfAny(store);
  if (found) return found.value;
  const pointer = await readPointer(store, first);
  // If another process is faster, its pointer counts.
  await pointers.swap(store, name, pointer, undefined);
  return (await readPointerIfAny(store))?.value ?? pointer;
}

/** Returns the name of something that only a run can have written. Undefined in a control store that was never used. */
export async function traceOfUse(store: ControlStore): Promise<string | undefined> {
  for (const prefix of ['epochs/', 'debts/', 'ledger/']) for await (const found of store.list(prefix)) return found;
  for await (const found of store.list('runs/')) if (found.includes('/steps/')) return found;
  return undefined;
}

async function refuseLostPointer(store: ControlStore): Promise<void> {
  const trace = await traceOfUse(store);
  if (trace === undefined) return;
  throw new UnderstudyError(
    'ControlStoreError',
    `the region pointer ("${name}" in the control store) is missing, and this control store has been used: it has "${trace}"`,
    {
      place: name,
      next: 'Put it back from a backup, or make it again from the journal: understudy restore-pointer --reason "…".',
    },
  );
}

/** Writes a pointer if there is none. Returns false if there is one by now. */
export function putPointer(store: ControlStore, pointer: RegionPointer): Promise<boolean> {
  return pointers.swap(store, name, pointer, undefined);
}

/**
 * Changes the pointer by compare-and-swap until that succeeds. `change` receives the current pointer and returns the
 * new one, or undefined if there is nothing to change. Returns the pointer as it then is.
 */
export async function movePointer(
  store: ControlStore,
  change: (pointer: RegionPointer) => RegionPointer | undefined,
): Promise<RegionPointer> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = await pointers.read(store, name);
    if (!found) {
      await refuseLostPointer(store);
      throw new UnderstudyError('ControlStoreError', 'there is no region pointer in the control store', {
        next: 'Take a recovery point with "understudy replicate": it writes the first one.',
      });
    }
    const next = change(found.value);
    if (!next) return found.value;
    if (await pointers.swap(store, name, next, found.etag)) return next;
  }
  throw new UnderstudyError('ControlStoreError', 'the region pointer was changed by others 20 times in a row', {
    next: 'See "understudy runs" for what else is running.',
  });
}

/**
 * Acquires or renews the writer lease for `holder` in `epoch`.
 * Errors: FencedError if the epoch has moved on or another writer has the lease: the caller must stop writing at once.
 * NotYetError while the writers of the previous epoch may still write.
 */
export async function holdWriterLease(
  store: ControlStore,
  lease: { holder: string; epoch: number; ttlMs: number; skewMs: number; now: number },
): Promise<void> {
  await movePointer(store, (pointer) => {
    assertEpoch(pointer, lease.epoch);
    if ((pointer.oldWritersUntil ?? 0) > lease.now) {
      throw new UnderstudyError('NotYetError', 'a writer of the previous epoch may still rely on its lease', {
        retryAfterSeconds: Math.ceil(((pointer.oldWritersUntil ?? 0) - lease.now) / 1000),
      });
    }
    const other = pointer.lease;
    if (other && other.holder !== lease.holder && other.expiresAt + lease.skewMs > lease.now) {
      throw new UnderstudyError('FencedError', `run "${other.holder}" holds the writer lease`, {
        next: `Wait for it, or until ${new Date(other.expiresAt + lease.skewMs).toISOString()}, when the lease runs out.`,
      });
    }
    // Renewed only once a third of it has elapsed: one renewal for each batch, not for each blob.
    if (other?.holder === lease.holder && other.expiresAt - lease.now > (lease.ttlMs * 2) / 3) return undefined;
    return { ...pointer, lease: { holder: lease.holder, expiresAt: lease.now + lease.ttlMs } };
  });
}

/** Releases the lease when the work is done. Another holder's lease is left unchanged. */
export async function releaseWriterLease(store: ControlStore, holder: string): Promise<void> {
  await movePointer(store, (pointer) => {
    if (pointer.lease?.holder !== holder) return undefined;
    const { lease: _, ...rest } = pointer;
    return rest;
  });
}

/** Throws FencedError if the pointer is in another epoch. */
export function assertEpoch(pointer: RegionPointer, epoch: number): void {
  if (pointer.epoch.number === epoch) return;
  throw new UnderstudyError(
    'FencedError',
    `the epoch has moved on: this run writes in epoch ${epoch}, the region pointer is at ${pointer.epoch.number} (${pointer.changedBy})`,
  );
}
