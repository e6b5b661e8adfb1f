/** After a run: its summary, and the report in its three forms, in a folder of the user's. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import type { Session } from '../operations/session.ts';
import { renderHtml } from '../report/html/html.ts';
import { loadReportInput } from '../report/load.ts';
import { buildReport, type Report } from '../report/report.ts';
import { renderText } from '../report/text.ts';
import { readRun } from '../run/journal.ts';
import type { Watched } from './watch.ts';

const reportFolder = 'reports';

/** Makes the run's report from the journal: it is there with or without Temporal. */
export async function readReport({ store }: Session, runId: string): Promise<Report> {
  return buildReport(await loadReportInput(store, runId, new Date()));
}

/** Writes report.html, .json and .txt into `folder`/{runId}; returns the folder. UsageError where it cannot. */
export async function saveReport(report: Report, runId: string, folder = reportFolder): Promise<string> {
  const target = join(folder, runId);
  try {
    await mkdir(target, { recursive: true });
    await writeFile(join(target, 'report.html'), renderHtml(report));
    await writeFile(join(target, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(join(target, 'report.txt'), renderText(report, { columns: 100 }));
  } catch (error) {
    throw new UnderstudyError('UsageError', `cannot write the report into "${target}": ${messageOf(error)}`);
  }
  return target;
}

/** A run is as it is, whether its report can be made or not: what prevents it is said, with the way to have it later. */
export async function printReport(session: Session, watched: Watched): Promise<Report | undefined> {
  try {
    return await tryPrintReport(session, watched);
  } catch (error) {
    const { runId, state } = watched;
    console.error(
      `The run is ${state}; its report was not made: ${messageOf(error)}\n  → Later: understudy report ${runId}`,
    );
    return undefined;
  }
}

async function tryPrintReport(session: Session, watched: Watched): Promise<Report | undefined> {
  if (watched.state === 'left') return undefined;
  // A run that never had a plan has done nothing.
  if ((await readRun(session.store, watched.runId))?.plan === undefined) return undefined;
  const report = await readReport(session, watched.runId);
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  console.log(
    `\n${renderText(report, { columns, colour: process.stdout.isTTY && !process.env.NO_COLOR, full: false })}`,
  );
  const folder = await saveReport(report, watched.runId);
  console.log(`Report: ${join(folder, 'report.html')} (also .json, .txt)`);
  return report;
}
