/** Records how a job of the old workspace ended before another replaces it: only what was seen. */
import type { StepContext } from '../run/work/step-context.ts';
import type { LedgerEntry, Settlement } from '../ledger/ledger.ts';
import type { OldJobState } from '../fence/stopped-jobs.ts';

/** Returns the settlement of a job, by what this run saw of it. */
export function settlementOf(
  old: OldJobState,
  { status }: LedgerEntry,
  { run, from, now }: Pick<StepContext, 'run' | 'from' | 'now'>,
): Settlement {
  const at = now().toISOString();
  const fence = `the fence of run ${run.runId}`;
  switch (old.is) {
    case 'cancelled':
      return old.endedAs === undefined
        ? { as: 'cancelled', at, reason: `${fence} saw it canceled at ${old.at}` }
        : {
            as: 'finished',
            at,
            reason: `${fence} was ending it, and saw it ${old.endedAs} at ${old.at}`,
          };
    case 'ended':
      return { as: 'finished', at, reason: `it had ended (${old.status}) at ${old.seenAt}` };
    case 'interrupted':
      return {
        as: old.endedAs === 'Canceled' ? 'cancelled' : 'finished',
        at,
        reason: `it had ended (${old.endedAs}) when run ${run.runId} looked, at ${old.seenAt}`,
      };
    case 'asked':
    case 'unconfirmed':
      return { as: 'lost', at, reason: `${fence} set out to cancel it, and has not seen that it ended` };
    case 'unseen':
      return {
        as: 'lost',
        at,
        reason: `run ${run.runId} moved away from ${from.region}, where the job was last seen ${status}`,
      };
  }
}
