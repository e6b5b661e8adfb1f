/** Makes the plan that resubmits the jobs which an outage has failed in the writer's own workspace. */
import { readPointer } from '../../control-store/region-pointer.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { findInterrupted, type FoundInterrupted } from '../../jobs/in-place/find-interrupted.ts';
import type { PlannedJob } from '../../jobs/in-place/resubmit-here.ts';
import { compileResubmit } from '../../plan/compile.ts';
import { listRecoveryPoints } from '../../recovery-point/list-points.ts';
import { openByRef } from '../../recovery-point/recovery-point.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { findOpenRun } from '../../run/lease.ts';
import { showCount } from '../../topology/figures.ts';
import { sideOf } from '../../topology/sides.ts';
import type { MadePlan, Planning } from './planning.ts';

/** The plan, and the jobs that were interrupted: those that have no `left` are resubmitted. */
export interface MadeResubmit extends MadePlan {
  jobs: FoundInterrupted[];
}

/**
 * `names`: instead of those that the newest recovery point knows. The plan has the jobs that are left for people too:
 * its report names what each has to do. A move that is open is a problem of the plan. NothingToDo if no job goes on;
 * PreconditionError if nobody knows, since there is no recovery point.
 */
export async function planResubmit(planning: Planning, names: readonly string[] = []): Promise<MadeResubmit> {
  const { azure, store, topology, bundle, now } = planning;
  const pointer = await readPointer(store, { topology, who: 'resubmit', now });
  const region = pointer.writer;
  const [newest] = (await listRecoveryPoints(store, { region, limit: 1 })).sealed;
  const point = newest && (await openByRef(store, newest.ref));
  // Without a recovery point nobody knows what was interrupted.
  if (!newest && names.length === 0) {
    throw new UnderstudyError(
      'PreconditionError',
      `there is no recovery point of ${region}, by which interrupted jobs are known`,
      { next: 'Name the jobs: "understudy jobs resubmit NAME …".' },
    );
  }
  const side = sideOf(topology, region);
  const jobs = await findInterrupted({ azure, store, side, point, names, policy: topology.jobs });
  if (newest && jobs.length === 0)
    throw new UnderstudyError(
      'NothingToDo',
      `no job of ${region} that was unfinished at recovery point ${newest.ref.id} has failed since: name others, if there are any`,
    );
  const [first] = jobs.flatMap(({ name, left }) => (left ? [`job "${name}": ${left.reason}`] : []));
  if (first !== undefined && jobs.every(({ left }) => left))
    throw new UnderstudyError(
      'NothingToDo',
      `none of ${showCount(jobs.length, 'job')} of ${region} that ended goes on by itself, such as ${first}`,
    );
  const planned = jobs.filter(({ left }) => left?.class !== 'skip').map(plannedOf);
  const plan = compileResubmit({ topology, pointer, to: region, bundle, jobs: planned });
  const open = await findOpenRun(store, now);
  const problems = open?.run
    ? [`run "${open.runId}" (${open.run.operation}) is open, and sees to the jobs itself. ${howToEnd(open.run)}`]
    : [];
  return { plan, jobs, problems, warnings: [], sharing: [], findings: [], losses: [] };
}

function plannedOf({ name, status, lastSeenAt, endedAs, cancelledBy }: FoundInterrupted): PlannedJob {
  return {
    name,
    status,
    endedAs,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
    ...(cancelledBy === undefined ? {} : { cancelledBy }),
  };
}
