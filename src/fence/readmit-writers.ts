/**
 * Restores to the region that becomes the writer what an earlier fence took from it. Without that, its workspace could
 * neither read nor write its own storage, although everything that is done from outside succeeds.
 */
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { restoreAccess } from './restore-access.ts';
import { doOrOwe } from './old-side.ts';
import { shutOut, writersOf } from './shut-out-writers.ts';
import { recordRestored, stillShutOut, type RemovedAccess } from './shut-out-record.ts';

/** Errors: AzureUnavailable; AzureError if the workspace or its storage does not exist; ControlStoreError. */
export async function readmitWriters(context: StepContext): Promise<StepResult> {
  const { azure, store, to, signal, now } = context;
  // Its schedules come from the recovery point, at the switch: the next fence begins a list of its own.
  await recordRestored(store, to.region, 'intake', now());
  // Recorded: an attempt that is interrupted after the record is closed would find nothing to restore, and not know
  // whether everything was restored.
  const taken = await context.recordUndo<RemovedAccess | null>(
    async () => (await stillShutOut(store, to.region, 'writers')) ?? null,
  );
  if (taken === null) return { state: 'skipped', detail: `no fence has taken anything from ${to.region}` };
  await context.checkpoint({ unit: 'regions', done: 0, total: 1 });
  const { detail, left, counts } = await restoreAccess(azure, to, taken, { signal }, now());
  await recordRestored(store, to.region, 'writers', now());
  return {
    state: 'completed',
    detail: `${detail}${left.length > 0 ? `; ${left.length} not` : ''}`,
    counts: counts.map((each) => ({
      ...each,
      skipped: [],
      failed:
        each.expected > each.done ? [{ reason: 'could not be given back', count: each.expected - each.done }] : [],
    })),
    ...(left.length > 0 ? { lost: left } : {}),
  };
}

/** For a cancelled run: the region is not the writer after all, so its writers are shut out again, or that is owed. */
export async function shutOutAgain(context: StepContext, undo: unknown): Promise<string> {
  const { azure, from, to, run } = context;
  if (undo === undefined || undo === null) return 'nothing was given back';
  const what = `rotate the storage keys of ${to.region} and remove the roles of its workspace`;
  const { detail } = await doOrOwe({ ...context, from: to }, { kind: 'writers', what }, async (ask) => {
    const writers = await ask((options) => writersOf(azure, { side: to, other: from }, options));
    // A name of its own: the undo rotates the keys again, even if a fence of this run rotated them.
    return shutOut(context, { region: to.region, run: `${run.runId}/undo`, writers }, ask);
  });
  return detail;
}
