/**
 * Withdraws the requests for checkpoints that a switchover left behind: a failover has ended it, and its region was
 * silent. The next job that writes its checkpoints to the same folder would find the request there.
 */
import { LiveCheckpoints } from '../checkpoints/live-checkpoints.ts';
import { findJob, type Asking } from '../fence/cancel-jobs.ts';
import { readDeparture } from '../fence/departures.ts';
import { isRefusal } from '../fence/fence-deadline.ts';
import { readRun } from '../run/journal.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showCount } from '../topology/figures.ts';
import { readAsked } from './asked-jobs.ts';
import { window } from './job-ends.ts';

/**
 * Returns one line; undefined: no request was left. What Azure refuses is left there, and is in that line. Errors:
 * GaveUp, AzureUnavailable.
 */
export async function withdrawLeft(context: StepContext, asking: Asking): Promise<string | undefined> {
  const names = await leftAsked(context);
  if (names.length === 0) return undefined;
  const checkpoints = await LiveCheckpoints.open(context, context.to);
  let refused = 0;
  await forEachBounded(names, window, async (name) => {
    await asking.beat();
    try {
      const job = await findJob(asking, name);
      asking.deadline.progress();
      if (job) await checkpoints.withdraw(job.raw);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused += 1;
    }
  });
  const done = `withdrew ${showCount(names.length - refused, 'request')} for checkpoints`;
  return refused === 0 ? done : `${done}; Azure refused that for ${showCount(refused, 'job')}`;
}

/** Jobs that were asked by the switchover which the move out of the region has ended. */
async function leftAsked({ store, to }: StepContext): Promise<string[]> {
  const departure = await readDeparture(store, to.region);
  const superseded = departure && (await readRun(store, departure.run))?.supersedes;
  return superseded === undefined ? [] : readAsked(store, superseded);
}
