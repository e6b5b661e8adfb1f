/** A run's report for the person at the terminal: as text, and as files in three formats. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UnderstudyError } from '../errors/error.ts';
import { renderHtml } from '../report/html/html.ts';
import type { Report } from '../report/report.ts';
import { renderText } from '../report/text.ts';
import type { Output } from './output.ts';
import { usesColour } from './view/colour.ts';

const reportFolder = 'reports';

/** Writes report.html, .json and .txt into `folder`/{runId}; returns that folder. */
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

/** The report as text, as wide as the terminal. `full: false`: only its beginning. */
export function showReport(
  report: Report,
  { stream }: Pick<Output, 'stream'>,
  { full }: { full: boolean } = { full: true },
): string {
  const columns = Math.min(stream.columns ?? 100, 120);
  return renderText(report, { columns, colour: usesColour(stream), full });
}
