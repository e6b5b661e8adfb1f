/** `runs` and `report`: from the journal, with or without Temporal. */
import { Option, type Command } from 'commander';
import { renderText } from '../../report/text.ts';
import { keepReport } from '../../report/report-writer.ts';
import { cut } from '../../report/text-layout.ts';
import { messageOf } from '../../errors/error.ts';
import type { Session } from '../../operations/session.ts';
import { listRuns, requireRun, type RunList } from '../../run/journal.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { showDuration } from '../../topology/duration.ts';
import { command, session } from '../command.ts';
import { readReport, saveReport } from '../print-report.ts';

export function inspectCommands(): Command[] {
  return [runsCommand(), reportCommand()];
}

function runsCommand(): Command {
  return command(
    'runs',
    'list the runs of this topology, newest first, as the journal has them',
    'understudy runs --output json',
  )
    .addOption(new Option('--output <form>', 'how to print them').choices(['text', 'json']).default('text'))
    .option('--journal', 'accepted for what is scripted already: the journal is always read')
    .action(async (options: { output: string }, self: Command) => {
      const list = await listRuns((await session(self)).store);
      console.log(options.output === 'json' ? runsAsJson(list) : showRuns(list));
    });
}

export function showRuns({ runs, damaged }: RunList): string {
  const lines = [
    ...runs.map(lineOf),
    ...damaged.map(({ runId, error }) => `${runId}  DAMAGED: ${error.message}`),
  ];
  return lines.length === 0 ? 'no runs yet' : newestFirst(lines, (line) => line).join('\n');
}

/** One list: of a damaged one its id, and what is wrong with it. */
export function runsAsJson({ runs, damaged }: RunList): string {
  const all = [...runs, ...damaged.map(({ runId, error }) => ({ runId, damaged: error.message }))];
  return JSON.stringify(
    newestFirst(all, ({ runId }) => runId),
    null,
    2,
  );
}

/** A run's id begins with its time. */
function newestFirst<T>(all: readonly T[], keyOf: (each: T) => string): T[] {
  return all.toSorted((one, other) => (keyOf(one) < keyOf(other) ? 1 : -1));
}

/** One line a run: what, where, how it stands, since when and how long, who and why. */
function lineOf(run: RunDocument): string {
  const { runId, from, to, state, paused, triggeredAt, endedAt, triggeredBy, reason, stateReason } = run;
  const lasted =
    endedAt === undefined ? '' : `, ${showDuration(Date.parse(endedAt) - Date.parse(triggeredAt))}`;
  const where = from === undefined ? 'not planned' : `${from} → ${to}`;
  const why = state === 'failed' && stateReason !== undefined ? `: ${cut(stateReason, 100)}` : '';
  return `${runId}  ${where}  ${state}${paused ? ', paused' : ''}${why}  (${triggeredAt}${lasted}; ${triggeredBy}: ${reason})`;
}

function reportCommand(): Command {
  return command(
    'report',
    'print a run’s report, and write it as HTML, JSON and text; also into the control store, where it is missing',
    'understudy report 20261121T030000Z-failover-3f9a',
  )
    .argument('<run>', 'the run’s id')
    .addOption(
      new Option('--output <form>', 'how to print it').choices(['text', 'json', 'none']).default('text'),
    )
    .option('--folder <folder>', 'where to write it', 'reports')
    .action(async (runId: string, options: { output: string; folder: string }, self: Command) => {
      const opened = await session(self);
      const report = await readReport(opened, runId);
      const columns = Math.min(process.stdout.columns ?? 100, 120);
      if (options.output === 'json') console.log(JSON.stringify(report, null, 2));
      if (options.output === 'text')
        console.log(renderText(report, { columns, colour: process.stdout.isTTY && !process.env.NO_COLOR }));
      const folder = await saveReport(report, runId, options.folder);
      if (options.output !== 'json') console.log(`Report: ${folder}/report.html (also .json, .txt)`);
      await keepIfMissing(opened, runId);
    });
}

/** A run that has ended has its report in the control store: the worker may not have been able to write it. */
async function keepIfMissing({ store }: Session, runId: string): Promise<void> {
  const { endedAt, reported } = await requireRun(store, runId);
  const isKept = reported?.of === endedAt && reported?.problem === undefined;
  if (endedAt === undefined || isKept) return;
  try {
    await keepReport(store, runId);
  } catch (error) {
    console.error(`It was not written into the control store: ${messageOf(error)}`);
  }
}
