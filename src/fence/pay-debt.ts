/** Pays what an earlier fence still owes, as soon as the region answers: before anything is copied into it. */
import { peekPointer } from '../control-store/region-pointer.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { cancelUnfinishedJobs } from '../jobs/stop-old-jobs.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { sideOf } from '../topology/sides.ts';
import { isRefusalOrSilence, listDebts, pay, type KeptDebt } from './old-side.ts';
import { shutOut, writersOf } from './shut-out-writers.ts';
import { disableSchedules, enabledSchedules } from './stop-intake.ts';

export async function payFenceDebt(context: StepContext): Promise<StepResult> {
  const debts = await listDebts(context.store);
  if (debts.length === 0) return { state: 'skipped', detail: 'the fence owes nothing' };
  const writer = (await peekPointer(context.store))?.value.writer;
  const lines: string[] = [];
  const left: KeptDebt[] = [];
  for (const debt of debts) {
    if (debt.region === writer) {
      // The workspace has come back there meanwhile: to stop and shut out its writers now would be an outage of our own.
      await pay(context.store, debt, context.now());
      lines.push(`no longer owed, since ${debt.region} is the writer again: ${debt.what}`);
      continue;
    }
    try {
      lines.push(`${debt.region}: ${await payOne(context, debt)}`);
      await pay(context.store, debt, context.now());
    } catch (error) {
      if (!isUnderstudyError(error) || !isRefusalOrSilence(error)) throw error;
      left.push(debt);
    }
  }
  return {
    state: 'completed',
    detail: [...lines, ...left.map((debt) => `still owed: ${debt.what}`)].join('; '),
    owed: left,
  };
}

async function payOne({ azure, topology, signal }: StepContext, debt: KeptDebt): Promise<string> {
  const side = sideOf(topology, debt.region);
  switch (debt.kind) {
    case 'intake':
      return disableSchedules(azure, side, await enabledSchedules(azure, side, { signal }), { signal });
    case 'jobs':
      return cancelUnfinishedJobs(azure, side, { signal });
    case 'writers':
      return shutOut(azure, await writersOf(azure, side, { signal }), debt.run, { signal });
  }
}
