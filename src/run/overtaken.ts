/** Whether a move has overtaken a run: its plan is of an earlier epoch, and nothing makes it valid again. */
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import { planFolder, plans } from './plan-document.ts';
import type { RunDocument } from './run-document.ts';

/** The writer and its epoch. */
export interface Overtaken {
  writer: string;
  epoch: number;
}

/**
 * Returns who is the writer by now, if the region pointer has moved since a replication was planned. Undefined for a run
 * that moves the pointer itself, and if the plan or the pointer cannot be read: what needs them says so.
 */
export async function overtakenBy(
  store: ControlStore,
  { operation, plan }: Pick<RunDocument, 'operation' | 'plan'>,
): Promise<Overtaken | undefined> {
  if (rowOf(operation).movesWriter || plan === undefined) return undefined;
  try {
    const { madeInEpoch } = await plans.open(store, planFolder, plan);
    const pointer = (await readPointerIfAny(store))?.value;
    if (!pointer || pointer.epoch.number <= madeInEpoch) return undefined;
    return { writer: pointer.writer, epoch: pointer.epoch.number };
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return undefined;
  }
}

/** One line about it. */
export function showOvertaken({ writer, epoch }: Overtaken): string {
  return `overtaken by a move to ${writer} (epoch ${epoch})`;
}

/** What to do about a replication that was overtaken. */
export function afterOvertaken({ writer }: Overtaken): string {
  return `Run "understudy replicate" for a recovery point of ${writer}.`;
}
