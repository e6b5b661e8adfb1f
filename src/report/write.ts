/** Writes a run's report into the control store, in its three forms. */
import type { ControlStore } from '../control-store/store.ts';
import { renderHtml } from './html/html.ts';
import type { Report } from './schema.ts';
import { renderText } from './text.ts';

/** Names of the three forms, below the container. */
export interface WrittenReport {
  json: string;
  html: string;
  text: string;
}

/**
 * Writes the report and returns the names below the container. Idempotent: a report is a function of its run, so it
 * replaces the previous one.
 */
export async function writeReport(store: ControlStore, runId: string, report: Report): Promise<WrittenReport> {
  const name = (extension: string) => `runs/${runId}/report.${extension}`;
  const written = { json: name('json'), html: name('html'), text: name('txt') };
  await store.write(written.html, renderHtml(report), 'text/html; charset=utf-8');
  await store.write(written.text, renderText(report, { columns: 100 }), 'text/plain; charset=utf-8');
  // Last: a reader that finds the JSON also finds the other forms.
  await store.write(written.json, `${JSON.stringify(report, null, 2)}\n`, 'application/json');
  return written;
}
