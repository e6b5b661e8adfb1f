/** Stores the report of a run that has ended, and records with the run whether that succeeded. */
import { messageOf } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { Environments } from '../run/environment.ts';
import { changeRun, requireRun } from '../run/journal.ts';
import type { RunReference } from '../run/reference.ts';
import { loadReportInput } from './load.ts';
import { buildReport, type Report } from './report.ts';
import { writeReport } from './write.ts';

/** Makes the activity `writeReport`. Without a plan there is nothing to report. */
export function reportWriter(open: Environments, now: () => Date = () => new Date()) {
  return async (run: RunReference): Promise<void> => {
    const store = await open.openStore(run);
    if ((await requireRun(store, run.runId)).plan === undefined) return;
    await keepReport(store, run.runId, now);
  };
}

/**
 * Makes the report from the journal and writes it next to the journal, replacing an earlier one. A failure is recorded
 * with the run, for `status` to show, and rethrown.
 * Errors: see `loadReportInput` and `ControlStore.write`.
 */
export async function keepReport(
  store: ControlStore,
  runId: string,
  now: () => Date = () => new Date(),
): Promise<Report> {
  const { endedAt } = await requireRun(store, runId);
  try {
    const report = buildReport(await loadReportInput(store, runId, now()));
    await writeReport(store, runId, report);
    if (endedAt !== undefined) await changeRun(store, runId, { reported: { of: endedAt } });
    return report;
  } catch (error) {
    const problem = messageOf(error);
    // If the failure cannot be recorded either, the first error is the one to throw.
    if (endedAt !== undefined)
      await changeRun(store, runId, { reported: { of: endedAt, problem } }).catch(() => undefined);
    throw error;
  }
}
