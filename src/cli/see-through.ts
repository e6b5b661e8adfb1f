/** Follows a run from its start to its report, for every command that starts one or finds one running. */
import { messageOf } from '../errors/error.ts';
import type { RunOutcome } from '../operations/documents/run.ts';
import type { StartedRun } from '../operations/runs/open-run.ts';
import { reportOf, requireAllDone } from '../operations/runs/read-report.ts';
import type { Session } from '../operations/session.ts';
import { requireCompleted, type Watched } from '../operations/runs/watch-run.ts';
import type { Report } from '../report/report.ts';
import { interruptible } from './interrupt.ts';
import { failureOf, type Output, type Shown } from './output.ts';
import { saveReport, showReport } from './save-report.ts';
import { showRun } from './watch.ts';

/** Throws the error that the command must end with. */
type Judge = (watched: Watched, report: Report | undefined) => void;

/** The run must complete, with everything that its steps were about. */
const mustComplete: Judge = (watched, report) => {
  requireCompleted(watched);
  if (report) requireAllDone(report);
};

/**
 * Begins the run, watches it, and shows its report; `judge` decides whether the command did what it was asked to do.
 * Ctrl-C while the run begins waits until it has begun: a run is never left half-way between the journal and Temporal.
 */
export async function seeThrough(
  output: Output,
  session: Session,
  begin: () => Promise<StartedRun>,
  judge: Judge = mustComplete,
): Promise<Shown<RunOutcome>> {
  let started = false;
  const watched = await interruptible(async (leaving) => {
    const run = await begin();
    ({ started } = run);
    if (started) output.say(`started ${run.runId}`);
    return showRun(output, session, run, leaving);
  });
  const found = watched.state === 'left' ? {} : await reportFor(output, session, watched.runId);
  const { runId, state, reason } = watched;
  const document = { runId, started, state, reason, ...found };
  return { document, ...failureOf(() => judge(watched, found.report)) };
}

/** A report that cannot be shown does not change how the run ended. */
async function reportFor(
  output: Output,
  session: Session,
  runId: string,
): Promise<Pick<RunOutcome, 'reportFolder'> & { report?: Report }> {
  try {
    const report = await reportOf(session, runId);
    if (!report) return {};
    if (!output.json) output.say(`\n${showReport(report, output, { full: false })}`);
    const reportFolder = await saveReport(report, runId);
    output.say(`Report: ${reportFolder}/report.html (also .json, .txt)`);
    return { report, reportFolder };
  } catch (error) {
    console.error(`understudy: no report: ${messageOf(error)}\n  → understudy report ${runId} --folder …`);
    return {};
  }
}
