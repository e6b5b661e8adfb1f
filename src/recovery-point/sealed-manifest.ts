/**
 * Reads and writes `sealed.json` in the control store. Errors are about its recovery point, so they can suggest the one
 * before.
 */
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import { folderOf, SealedManifest } from './manifest.ts';

const sealedManifests = documentKind('recovery point', 2, SealedManifest);

/** The path of a recovery point's seal in the control store. */
export function sealedName(epoch: number, id: string): string {
  return `${folderOf(epoch, id)}/sealed.json`;
}

/**
 * Reads a seal without checking its digest. Undefined if there is none.
 * Errors: RecoveryPointError if it cannot be read.
 */
export async function readManifest(store: ControlStore, place: string): Promise<SealedManifest | undefined> {
  try {
    return (await sealedManifests.read(store, place))?.value;
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    throw new UnderstudyError('RecoveryPointError', error.message, { place, ...error.details, cause: error });
  }
}

/**
 * Writes a seal. Returns false if another one exists.
 * Errors: ControlStoreError if it could not be read again.
 */
export async function writeManifest(store: ControlStore, place: string, sealed: SealedManifest): Promise<boolean> {
  return sealedManifests.swap(store, place, sealed, undefined);
}
