/** Makes the plan that resubmits the jobs which an outage has failed in the writer's own workspace. */
import { readPointer } from '../../control-store/region-pointer.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { findInterrupted, type FoundInterrupted } from '../../jobs/find-interrupted.ts';
import { compileResubmit } from '../../plan/compile.ts';
import { listRecoveryPoints } from '../../recovery-point/list-points.ts';
import { openByRef } from '../../recovery-point/recovery-point.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { findOpenRun } from '../../run/lease.ts';
import { sideOf } from '../../topology/sides.ts';
import type { MadePlan, Planning } from './planning.ts';

/** The plan, and the jobs that it resubmits. */
export interface MadeResubmit extends MadePlan {
  jobs: FoundInterrupted[];
}

/**
 * `names`: instead of those that the newest recovery point knows. A move that is open is a problem of the plan. NothingToDo
 * if no job was interrupted; PreconditionError if nobody knows, since there is no recovery point.
 */
export async function planResubmit(planning: Planning, names: readonly string[] = []): Promise<MadeResubmit> {
  const { azure, store, topology, bundle, now } = planning;
  const pointer = await readPointer(store, { topology, who: 'resubmit', now });
  const region = pointer.writer;
  const [newest] = (await listRecoveryPoints(store, { region, limit: 1 })).sealed;
  const point = newest && (await openByRef(store, newest.ref));
  const jobs = await findInterrupted({ azure, store, side: sideOf(topology, region), point, names });
  // Without a recovery point nobody knows what was interrupted.
  if (!newest && names.length === 0) {
    throw new UnderstudyError(
      'PreconditionError',
      `there is no recovery point of ${region}, by which interrupted jobs are known`,
      { next: 'Name the jobs: "understudy jobs resubmit NAME …".' },
    );
  }
  if (newest && jobs.length === 0)
    throw new UnderstudyError(
      'NothingToDo',
      `no job of ${region} that was unfinished at recovery point ${newest.ref.id} has failed since: name others, if there are any`,
    );
  const planned = jobs.map(({ name, status, lastSeenAt, endedAs }) => ({ name, status, lastSeenAt, endedAs }));
  const plan = compileResubmit({ topology, pointer, to: region, bundle, jobs: planned });
  const open = await findOpenRun(store, now);
  const problems = open?.run
    ? [`run "${open.runId}" (${open.run.operation}) is open, and sees to the jobs itself. ${howToEnd(open.run)}`]
    : [];
  return { plan, jobs, problems, warnings: [], sharing: [], findings: [], losses: [] };
}
