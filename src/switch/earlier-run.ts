/** What the run whose move is reversed did to the config files of a host. */
import type { ConfigUndo, EarlierRun } from '../config-files/outcome.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';
import type { Step } from '../plan/plan.ts';
import { readRun, readStep } from '../run/journal.ts';
import { planFolder, plans } from '../run/plan-document.ts';

/** What a rewriting records before the first file is written. It does not say how far an interrupted one came. */
export type KeptUndo = ConfigUndo | { kind: 'begun' };

/** Returns the run whose move a rewriting reverses, if its step names one. */
export function backFrom({ input }: Pick<Step, 'input'>): string | undefined {
  return typeof input.backFrom === 'string' ? input.backFrom : undefined;
}

/**
 * Reads what a run recorded for the undo of its rewritings on a host, whatever its topology called them. If its plan or
 * a record is missing or damaged, nothing is known: the files are then rewritten as any other.
 */
export async function readEarlierRun(store: ControlStore, runId: string, host: string): Promise<EarlierRun> {
  try {
    return { runId, undos: await undosOf(store, runId, host) };
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return { runId, undos: [] };
  }
}

async function undosOf(store: ControlStore, runId: string, host: string): Promise<ConfigUndo[]> {
  const run = await readRun(store, runId);
  if (run?.plan === undefined) return [];
  const { steps } = await plans.open(store, planFolder, run.plan);
  const rewritings = steps.filter((step) => step.action === 'rewriteConfigs' && step.host === host);
  const records = await Promise.all(rewritings.map(({ id }) => readStep(store, runId, id)));
  return records.flatMap((record) => {
    const undo = record?.undo as KeptUndo | undefined;
    return undo === undefined || undo.kind === 'begun' ? [] : [undo];
  });
}
