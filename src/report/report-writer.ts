/** The report of a run that has ended, and who is told of it. */
import type { Environments } from '../run/environment.ts';
import { requireRun } from '../run/journal.ts';
import { tellOfEnd } from '../run/notify.ts';
import type { RunExecution } from '../run/reference.ts';
import { loadReportInput } from './load.ts';
import { buildReport } from './report.ts';
import { writeReport } from './write.ts';

/** Tells whoever wants to know how a run ended, and writes its report; without a plan there is nothing to report. */
export function reportWriter(open: Environments, now: () => Date = () => new Date()) {
  return async (run: RunExecution): Promise<void> => {
    const store = await open.openStore(run);
    await tellOfEnd(open, run);
    if ((await requireRun(store, run.runId)).plan === undefined) return;
    await writeReport(store, run.runId, buildReport(await loadReportInput(store, run.runId, now())));
  };
}
