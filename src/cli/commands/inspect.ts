/** `runs` and `report`: from the journal, with or without Temporal. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ReportDocument, RunsDocument } from '../../operations/documents/run.ts';
import { listNewestRuns, type ListedRun } from '../../operations/runs/list-runs.ts';
import { keepReportIfMissing, readReport } from '../../operations/runs/read-report.ts';
import { cut, visible } from '../../report/text-layout.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { showDuration } from '../../topology/duration.ts';
import { command, session } from '../command.ts';
import { shows } from '../output.ts';
import { saveReport, showReport } from '../save-report.ts';
import type { Paint } from '../view/colour.ts';

/** `understudy runs` and `understudy report`. */
export function inspectCommands(): Command[] {
  return [runsCommand(), reportCommand()];
}

function runsCommand(): Command {
  const of = command(
    'runs',
    'list the runs of this topology, newest first',
    'understudy runs --limit 50\nunderstudy runs --all --output json',
  )
    .addOption(new Option('--limit <count>', 'how many runs to list').argParser(parseLimit).default(newestRuns))
    .addOption(new Option('--all', 'list every run').conflicts('limit'))
    .addOption(new Option('--journal', 'kept for old scripts; has no effect').hideHelp());
  return shows(of, RunsDocument, async ({ paint }, options: { limit: number; all?: boolean }, self: Command) => {
    const limit = options.all === true ? Infinity : options.limit;
    const { runs, isCut } = await listNewestRuns(await session(self), limit);
    if (isCut) console.error(`The newest ${limit}; there are older ones: --all, or --limit N.`);
    return { document: runs, text: showRuns(runs, paint) };
  });
}

const newestRuns = 20;

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`expected a whole number above 0, got "${text}"`);
}

/** One line per run, in the order given. */
export function showRuns(runs: readonly ListedRun[], paint: Paint): string {
  if (runs.length === 0) return 'no runs yet';
  return runs
    .map((run) => ('damaged' in run ? `${run.runId}  ${paint.red('DAMAGED')}: ${run.damaged}` : lineOf(run, paint)))
    .join('\n');
}

/** One line: what, where, its state, since when and how long, who and why. */
function lineOf(run: RunDocument, paint: Paint): string {
  const { runId, from, to, state, paused, triggeredAt, endedAt, triggeredBy, reason, stateReason } = run;
  const lasted = endedAt === undefined ? '' : `, ${showDuration(Date.parse(endedAt) - Date.parse(triggeredAt))}`;
  const where = from === undefined ? 'not planned' : `${from} → ${to}`;
  const why = state === 'failed' && stateReason !== undefined ? `: ${cut(visible(stateReason), 100)}` : '';
  const shown = state === 'failed' ? paint.red(state) : state === 'completed' ? paint.green(state) : state;
  return `${runId}  ${where}  ${shown}${paused ? ', paused' : ''}${why}  (${triggeredAt}${lasted}; ${triggeredBy}: ${visible(reason)})`;
}

function reportCommand(): Command {
  const of = command(
    'report',
    'print a run’s report, and write it as HTML, JSON and text; also into the control store, where it is missing',
    'understudy report 20261121T030000Z-failover-3f9a',
  )
    .argument('<run>', 'the run’s id')
    .option('--folder <folder>', 'where to write it', 'reports');
  return shows(
    of,
    ReportDocument,
    async (output, runId: string, options: { output: string; folder: string }, self: Command) => {
      const opened = await session(self);
      const report = await readReport(opened, runId);
      if (options.output === 'text') output.say(showReport(report, output));
      const folder = await saveReport(report, runId, options.folder);
      output.say(`Report: ${folder}/report.html (also .json, .txt)`);
      const missing = await keepReportIfMissing(opened, runId);
      if (missing !== undefined) console.error(`It was not written into the control store: ${missing}`);
      return { document: report };
    },
    ['text', 'json', 'none'],
  );
}
