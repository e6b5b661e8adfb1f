/** Pays what an earlier fence still owes: as soon as the region answers, and before it becomes the writer again. */
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import { UnderstudyError } from '../errors/error.ts';
import { everySecond } from '../run/work/every-second.ts';
import { cancelUnfinishedJobs } from './stop-old-jobs.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { sideOf } from '../topology/sides.ts';
import { isRefusalOrSilence, listDebts, mayOwe, pay, type KeptDebt } from './old-side.ts';
import { isRefusal, type Ask } from './fence-deadline.ts';
import { shutOut, writersOf } from './shut-out-writers.ts';
import { stopSchedules } from './stop-intake.ts';

/**
 * Pays what it can. NotYetError while a region does not answer, or refuses: its debts stay owed, and nothing that waits
 * for them begins.
 */
export async function payFenceDebt(context: StepContext): Promise<StepResult> {
  const debts = await listDebts(context.store);
  if (debts.length === 0) return { state: 'skipped', detail: 'nothing was left undone' };
  const lines: string[] = [];
  const left: KeptDebt[] = [];
  for (const debt of debts) {
    const writer = (await readPointerIfAny(context.store))?.value.writer;
    if (debt.region === writer) {
      // The workspace has moved back there meanwhile: stopping and shutting out its writers now would be an outage of
      // our own.
      await pay(context.store, debt, context.now());
      lines.push(`no longer owed, since ${debt.region} is the writer again: ${debt.what}`);
      continue;
    }
    try {
      lines.push(await payDebt(context, debt));
    } catch (error) {
      if (!isRefusalOrSilence(error)) throw error;
      left.push(debt);
    }
  }
  const detail = [...lines, ...left.map((debt) => `still owed: ${debt.what}`)].join('; ');
  if (left.length > 0 && !mayOwe(context)) throw new UnderstudyError('NotYetError', detail);
  return {
    state: left.length > 0 ? 'owed' : 'completed',
    detail,
    owed: left.map(({ kind, region, what, reason, step }) => ({ kind, region, what, reason, step })),
  };
}

/**
 * In a failover, before it takes the pointer: the region that becomes the writer may still run jobs that the fence of
 * an earlier move could not cancel. Their successors run on the other side: resumed once more, they would run twice.
 * Errors: those of Azure while the region does not answer; PreconditionError if it refuses to cancel its jobs.
 */
export async function payDebtsOfTarget(context: StepContext): Promise<StepResult> {
  const { region } = context.to;
  const debts = await listDebts(context.store, { region });
  if (debts.length === 0) return { state: 'skipped', detail: `nothing was left undone in ${region}` };
  const lines: string[] = [];
  for (const debt of debts) {
    // Shutting its writers out would need the region that is left to answer; and the writers get their access back
    // after the pointer has moved.
    if (debt.kind === 'writers') {
      lines.push(`void once ${region} is the writer: ${debt.what}`);
      continue;
    }
    try {
      lines.push(await payDebt(context, debt));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (debt.kind === 'jobs')
        throw new UnderstudyError(
          'PreconditionError',
          `an earlier failover could not ${debt.what}, and ${region} still refuses it: ${error.message}`,
          {
            next: `Cancel the unfinished jobs there by hand, or allow it, then "understudy retry ${context.run.runId}": their successors run elsewhere.`,
            cause: error,
          },
        );
      lines.push(`refused, and void once ${region} is the writer: ${debt.what}: ${error.message}`);
    }
  }
  return { state: 'completed', detail: lines.join('; ') };
}

async function payDebt(context: StepContext, debt: KeptDebt): Promise<string> {
  const line = `${debt.region}: ${await payOne(context, debt)}`;
  await pay(context.store, debt, context.now());
  return line;
}

async function payOne(context: StepContext, debt: KeptDebt): Promise<string> {
  const { azure, topology, signal } = context;
  const side = sideOf(topology, debt.region);
  const other = context.from.region === debt.region ? context.to : context.from;
  const beat = () => context.checkpoint({ unit: 'debts', done: 0 });
  // Nothing is taken away once the lease is lost: the region may be the writer by now.
  const ask: Ask = async (question) => {
    await beat();
    return question({ signal });
  };
  try {
    switch (debt.kind) {
      case 'intake':
        return await stopSchedules(context, { side, run: debt.run }, ask);
      case 'jobs':
        return await cancelUnfinishedJobs(azure, side, { signal, beat: everySecond(beat) });
      case 'writers':
        return await shutOut(
          context,
          {
            region: debt.region,
            run: debt.run,
            writers: await ask((options) => writersOf(azure, { side, other }, options)),
          },
          ask,
        );
    }
  } catch (error) {
    // Without the workspace neither jobs nor schedules run; its storage may still be written to.
    if (debt.kind === 'writers' || !isRefusal(error) || error.details.azure?.status !== 404) throw error;
    return `workspace "${side.workspace.name}" is gone, and its ${debt.kind === 'jobs' ? 'jobs' : 'schedules'} with it`;
  }
}
