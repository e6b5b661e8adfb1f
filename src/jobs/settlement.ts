/** How a job of the old workspace is settled before another takes its place: no more than was seen. */
import type { StepContext } from '../run/step-context.ts';
import type { LedgerEntry, Settlement } from './ledger.ts';
import type { Sight } from './stopped-jobs.ts';

export function settlementOf(
  sight: Sight,
  { status }: LedgerEntry,
  { run, from, now }: Pick<StepContext, 'run' | 'from' | 'now'>,
): Settlement {
  const at = now().toISOString();
  const fence = `the fence of run ${run.runId}`;
  switch (sight.saw) {
    case 'cancelled':
      return { as: 'cancelled', at, reason: `${fence} saw it canceled at ${sight.at}` };
    case 'ended':
      return { as: 'finished', at, reason: `it had ended (${sight.status}) at ${sight.seenAt}` };
    case 'asked':
      return { as: 'lost', at, reason: `${fence} asked it to end, and has not seen that it did` };
    case 'unseen':
      return {
        as: 'lost',
        at,
        reason: `run ${run.runId} moved away from ${from.region}, where the job was last seen ${status}`,
      };
  }
}
