/** After a run: its summary, and the report beside the user in its three forms. */
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

/** Reads the run's report anew from the journal: it is there with or without Temporal. */
export async function readReport({ store }: Session, runId: string): Promise<Report> {
  return buildReport(await loadReportInput(store, runId, new Date()));
}

/** Writes report.html, .json and .txt into `folder`/{runId}; answers the folder. */
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

export async function printReport(session: Session, watched: Watched): Promise<Report | undefined> {
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
