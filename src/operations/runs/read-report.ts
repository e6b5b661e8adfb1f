/** What is known of a run once it is over, from the journal, with or without Temporal. */
import { messageOf, UnderstudyError } from '../../errors/error.ts';
import { loadReportInput } from '../../report/load.ts';
import { buildReport, type Report } from '../../report/report.ts';
import { keepReport } from '../../report/report-writer.ts';
import { readRun, requireRun } from '../../run/journal.ts';
import type { Session } from '../session.ts';

/** The report of a run. UsageError: there is no such run; ControlStoreError: it has no plan yet, or cannot be read. */
export async function readReport({ store }: Session, runId: string): Promise<Report> {
  return buildReport(await loadReportInput(store, runId, new Date()));
}

/** The report of a run that has done something; undefined if it never had a plan. */
export async function reportOf(session: Session, runId: string): Promise<Report | undefined> {
  if ((await readRun(session.store, runId))?.plan === undefined) return undefined;
  return readReport(session, runId);
}

/**
 * ReconciliationError if every step is done, but some of what the steps were about is not: that must not pass for a
 * success.
 */
export function requireAllDone({ run, counts }: Report): void {
  const failed = counts.flatMap(({ kind, failed: parts }) =>
    parts.map(({ reason, count }) => `${count} ${kind}: ${reason}`),
  );
  if (failed.length === 0) return;
  throw new UnderstudyError(
    'ReconciliationError',
    `run ${run.runId} completed, but not all was done: ${[...new Set(failed)].join('; ')}`,
    { next: `See what that means in "understudy report ${run.runId}", and do it by hand.` },
  );
}

/**
 * Writes the report of a run that has ended into the control store, if the worker was not able to. Returns why that was
 * not possible.
 */
export async function keepReportIfMissing({ store }: Session, runId: string): Promise<string | undefined> {
  const { endedAt, reported } = await requireRun(store, runId);
  const isKept = reported?.of === endedAt && reported?.problem === undefined;
  if (endedAt === undefined || isKept) return undefined;
  try {
    await keepReport(store, runId);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
