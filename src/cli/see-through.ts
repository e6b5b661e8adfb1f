/** A run from its start to its report, for every command that starts one or finds one running. */
import { messageOf, UnderstudyError } from '../errors/error.ts';
import type { Report } from '../report/report.ts';
import type { Session } from '../operations/session.ts';
import type { StartedRun } from '../operations/start-operation.ts';
import { interruptible } from './interrupt.ts';
import { printReport } from './print-report.ts';
import { conclude, watchRun } from './watch.ts';

/**
 * Begins the run, watches it, prints its report, and ends the command as the run ended. Ctrl-C while it begins waits until it
 * has begun: a run is never left between its journal and Temporal.
 */
export async function seeThrough(
  session: Session,
  begin: () => Promise<StartedRun>,
  { cancelWanted = false }: { cancelWanted?: boolean } = {},
): Promise<void> {
  const watched = await interruptible(async (leaving) => watchRun(session, await begin(), leaving));
  let report: Report | undefined;
  try {
    report = await printReport(session, watched);
  } catch (error) {
    // How the run ended is one thing, whether its report can be shown is another.
    console.error(
      `understudy: no report: ${messageOf(error)}\n  → understudy report ${watched.runId} --folder …`,
    );
  }
  if (cancelWanted && watched.state === 'cancelled') return;
  conclude(watched);
  if (report) refuseFailures(report);
}

/** Every step is done, and some of what the steps were about is not: nobody must take that for a success. */
function refuseFailures({ run, counts }: Report): void {
  const failed = counts.flatMap(({ kind, failed: parts }) =>
    parts.map(({ reason, count }) => `${count} ${kind}: ${reason}`),
  );
  if (failed.length === 0) return;
  throw new UnderstudyError(
    'ReconciliationError',
    `run ${run.runId} completed, but not all was done: ${[...new Set(failed)].join('; ')}`,
    {
      next: `See what that means in "understudy report ${run.runId}", and do it by hand.`,
    },
  );
}
