/** The merge that a failback would make, from three sealed recovery points. Asks no region, and changes nothing. */
import { UnderstudyError } from '../errors/error.ts';
import { readPointer } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { readDeparture } from '../fence/departures.ts';
import { readItems } from '../merge/read-items.ts';
import { isConflict, mergeOf, type Difference } from '../merge/three-way.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { listRecoveryPoints } from '../recovery-point/list-points.ts';
import { openByRef, readLedger } from '../recovery-point/recovery-point.ts';
import { listSteps, requireRun } from '../run/journal.ts';
import { planFolder, plans } from '../run/plan-document.ts';
import { withPlan } from '../run/run-document.ts';
import { sealedBy } from '../run/work/recovery-point-of.ts';
import type { MergeDocument } from './documents/merge.ts';
import type { Session } from './session.ts';

/**
 * NothingToDo if no move has left a region, or it has not been reprotected; RecoveryPointError if a recovery point is
 * missing or altered.
 */
export async function lookAtMerge({ store, topology }: Session, now: Date): Promise<MergeDocument> {
  const { writer } = await readPointer(store, { topology, who: 'failback', now });
  const [there] = Object.keys(topology.regions).filter((region) => region !== writer);
  const departure = there === undefined ? undefined : await readDeparture(store, there);
  if (!departure) throw nothing(`no move has left ${there ?? 'another region'}: there is nothing to merge`);
  if (!departure.divergence)
    throw nothing(
      `what ${departure.region} had when run "${departure.run}" left it has not been sealed`,
      reprotectFirst,
    );
  const [newest] = (await listRecoveryPoints(store, { region: writer, limit: 1 })).sealed;
  if (!newest || newest.epoch < departure.epoch)
    throw nothing(
      `there is no recovery point of ${writer} since run "${departure.run}" has moved there`,
      reprotectFirst,
    );
  const base = await openByRef(store, await baseOf(store, departure.run));
  const found = await openByRef(store, departure.divergence);
  const here = await openByRef(store, newest.ref);
  const merge = mergeOf({
    base: await readItems(store, base.sealed),
    there: await readItems(store, found.sealed),
    here: await readItems(store, here.sealed),
  });
  const differences = [...merge.differences, ...(await jobsOnlyThere(store, base, found))];
  return {
    there: departure.region,
    here: writer,
    run: departure.run,
    base: pointOf(base.ref),
    divergencePoint: pointOf(found.ref),
    newest: pointOf(here.ref),
    differences,
    conflicts: differences.filter(isConflict).length,
    same: merge.same,
    onlyHere: merge.onlyHere,
  };
}

const reprotectFirst = 'Run "understudy reprotect" first, once the region answers.';

function nothing(message: string, next?: string): UnderstudyError {
  return new UnderstudyError('NothingToDo', message, next === undefined ? {} : { next });
}

function pointOf({ id, startedAt }: RecoveryPointRef) {
  return { id, startedAt };
}

/** The recovery point that the move has restored. */
async function baseOf(store: ControlStore, runId: string): Promise<RecoveryPointRef> {
  const plan = await plans.open(store, planFolder, withPlan(await requireRun(store, runId)).plan);
  const base = plan.recoveryPoint ?? sealedBy(plan, await listSteps(store, runId));
  if (base) return base;
  throw new UnderstudyError('ControlStoreError', `the journal of run "${runId}" does not name its recovery point`);
}

/** Those that were unfinished when the region was found, and of which the move knew nothing. */
async function jobsOnlyThere(
  store: ControlStore,
  base: OpenRecoveryPoint,
  found: OpenRecoveryPoint,
): Promise<Difference[]> {
  const known = new Set<string>();
  for await (const { name } of readLedger(store, base)) known.add(name);
  const differences: Difference[] = [];
  for await (const { name } of readLedger(store, found))
    if (!known.has(name)) differences.push({ item: `jobs/${name}`, case: 'only there', fields: [] });
  return differences;
}
