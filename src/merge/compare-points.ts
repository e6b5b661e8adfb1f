/** The merge of three recovery points, with the jobs of which the writer knows nothing. */
import type { ControlStore } from '../control-store/store.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { openByRef, readLedger } from '../recovery-point/recovery-point.ts';
import { readItems } from './read-items.ts';
import { mergeOf, type Difference, type Merge } from './three-way.ts';

/** `divergence`: of the region that was left; `newest`: of the writer, which went on from `base`. */
export interface PointsToCompare {
  base: RecoveryPointRef;
  divergence: RecoveryPointRef;
  newest: RecoveryPointRef;
}

/** Errors: RecoveryPointError if one of them is missing or altered; AzureUnavailable. */
export async function comparePoints(store: ControlStore, points: PointsToCompare): Promise<Merge> {
  const base = await openByRef(store, points.base);
  const there = await openByRef(store, points.divergence);
  const here = await openByRef(store, points.newest);
  const merge = mergeOf(
    {
      base: await readItems(store, base.sealed),
      there: await readItems(store, there.sealed),
      here: await readItems(store, here.sealed),
    },
    there.sealed.region,
  );
  return { ...merge, differences: [...merge.differences, ...(await jobsOnlyThere(store, base, there))] };
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
