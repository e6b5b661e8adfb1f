/** `sealed.json` in the control store. What is wrong with one is wrong with its recovery point: there may be one before it. */
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, UnderstudyError } from '../errors/error.ts';
import { folderOf, SealedManifest } from './manifest.ts';

const sealedManifests = documentKind('recovery point', 2, SealedManifest);

export function sealedName(epoch: number, id: string): string {
  return `${folderOf(epoch, id)}/sealed.json`;
}

/** Undefined where there is none. RecoveryPointError where it cannot be read. Its digest is not looked at. */
export async function readManifest(store: ControlStore, place: string): Promise<SealedManifest | undefined> {
  try {
    return (await sealedManifests.read(store, place))?.value;
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    throw new UnderstudyError('RecoveryPointError', error.message, { place, ...error.details, cause: error });
  }
}

/** False where another is there. ControlStoreError where it could not be read again. */
export async function writeManifest(
  store: ControlStore,
  place: string,
  sealed: SealedManifest,
): Promise<boolean> {
  return sealedManifests.swap(store, place, sealed, undefined);
}
