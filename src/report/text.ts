/** The report as text: `failover` ends with it on the terminal, and `report RUN` prints it. */
import { rowOf } from '../plan/operations.ts';
import picocolors from 'picocolors';
import { showCount } from '../topology/figures.ts';
import { showLeftBehind } from '../recovery-point/drafts.ts';
import { countGroups, totalOf, type CountsTotal } from './counts-total.ts';
import type { Report } from './schema.ts';
import { tableOf, visible, wrap } from './text-layout.ts';
import { knowBlock, tasksBlock } from './text-tasks.ts';
import {
  objectiveRows,
  owedByRegion,
  rangeNote,
  shortened,
  showFates,
  showMs,
  showOutage,
  showRecoveryPoint,
  showTally,
  showTime,
  showWorst,
  stateMarks,
  stateWords,
} from './wording.ts';
import { worstMeasures } from './worst.ts';

/** How to render text. */
export interface TextOptions {
  /** Width in characters. Longer lines are wrapped. Paths and digests that cannot be wrapped are left whole. */
  columns?: number;
  colour?: boolean;
  /**
   * Includes every config file's diff, every job and every step. Without it: what a person reads at the end of a run.
   */
  full?: boolean;
}

type Paint = ReturnType<typeof picocolors.createColors>;

/** Renders the report as text. */
export function renderText(report: Report, options: TextOptions = {}): string {
  const { columns = 100, colour = false, full = true } = options;
  const paint = picocolors.createColors(colour);
  const blocks = [
    tasksBlock(report, columns, paint),
    knowBlock(report, columns, paint),
    notice(paint.red, 'WHAT THIS REPORT CANNOT VOUCH FOR', report.problems, columns),
    summary(report, columns, paint),
    objectives(report, columns, paint),
    ...owedByRegion(report.owed).map(({ region, lines }) =>
      notice(paint.yellow, `OWED TO ${region}, PAID WHEN IT ANSWERS`, lines, columns),
    ),
    phases(report, columns, full),
    counts(report, columns),
    leftOver(report, columns, full),
    full ? notice(paint.bold, 'NOT IN THE RECOVERY POINT', leftBehind(report), columns) : [],
    jobs(report, columns, full),
    configs(report, columns, full),
    notice(
      paint.bold,
      'UNDO',
      report.undo.map((each) => `${each.outcome}: ${each.title} (${shortened(each.reason)})`),
      columns,
    ),
    full ? notice(paint.bold, 'NOTES OF THE PLAN', report.notes, columns) : [],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function notice(paint: (text: string) => string, title: string, items: string[], columns: number): string[] {
  if (items.length === 0) return [];
  return [paint(`${title} (${items.length})`), ...items.flatMap((item) => wrap(item, columns, '  - ', '    '))];
}

function summary(report: Report, columns: number, paint: Paint): string[] {
  const { run, recoveryPoint } = report;
  const ended =
    run.endedAt === undefined ? 'not yet' : `${showTime(run.endedAt)} (${showMs(run.durationMs)} after the trigger)`;
  const rows = [
    ['run', run.runId],
    ...(run.outageBeganAt === undefined && rowOf(run.operation).recoveryPoint === 'makes one'
      ? []
      : [['outage began', showOutage(run)]]),
    ['triggered', `${showTime(run.triggeredAt)} by ${run.triggeredBy}: ${run.reason}`],
    ['ended', ended],
    ...worstMeasures(report.objectives).map((each) => [each.name, showWorst(each)]),
    ['recovery point', showRecoveryPoint(recoveryPoint)],
  ];
  const emphasis = run.state === 'completed' ? paint.green : run.state === 'failed' ? paint.red : paint.yellow;
  return [
    ...wrap(report.headline, columns).map((line) => emphasis(line)),
    ...rows.flatMap(([name = '', value = '']) => wrap(value, columns, `  ${name.padEnd(15)} `, ' '.repeat(18))),
  ];
}

function objectives(report: Report, columns: number, paint: Paint): string[] {
  if (report.objectives.length === 0) return [];
  const verdictPaint = {
    met: paint.green,
    missed: paint.red,
    'not measured': paint.yellow,
    'no objective': paint.dim,
  };
  const rows = objectiveRows(report.objectives);
  const lines = tableOf(
    ['class', '', 'objective', 'outage', 'trigger', 'waited', 'verdict'],
    rows.map((row) => [row.class, row.name, row.objective, row.sinceOutage, row.sinceTrigger, row.waited, row.verdict]),
    columns,
  );
  const [head = '', ...body] = lines;
  return [
    ...wrap(
      'OBJECTIVES (measured since the outage and since the trigger; both include the time waited for a person)',
      columns,
    ).map((line) => paint.bold(line)),
    ...(report.run.answeredAt === undefined || report.run.outageBeganAt === undefined
      ? []
      : wrap(rangeNote, columns, '  ', '  ')),
    paint.dim(head),
    ...rows.flatMap((row, index) => [
      verdictPaint[row.verdict](body[index] ?? ''),
      ...(row.why === '' ? [] : wrap(row.why, columns, '      ', '      ').map((line) => paint.dim(line))),
    ]),
  ];
}

function phases(report: Report, columns: number, full: boolean): string[] {
  // An operation without phases has only steps.
  const hasPhases = report.phases.some(({ phase }) => phase !== undefined);
  const lines = report.phases.flatMap((phase) => [
    ...(phase.phase === undefined
      ? []
      : wrap(
          `${showMs(phase.durationMs).padStart(8)}  ${showTally(phase.tally)}`,
          columns,
          `  ${stateMarks[phase.state]} ${phase.phase.padEnd(10)}`,
          ' '.repeat(24),
        )),
    ...(full ? phase.classes.flatMap((each) => each.steps.flatMap((step) => stepLines(step, columns))) : []),
  ]);
  return lines.length === 0 ? [] : [`${hasPhases ? 'PHASES' : 'STEPS'} (${showTally(report.tally)})`, ...lines];
}

function stepLines(step: Report['phases'][number]['classes'][number]['steps'][number], columns: number): string[] {
  const waited = step.waitedForPersonMs > 0 ? `, ${showMs(step.waitedForPersonMs)} of it for a person` : '';
  const outcome = step.error?.message ?? step.detail;
  const took =
    step.durationMs === undefined
      ? stateWords[step.state]
      : `${stateWords[step.state]}, ${showMs(step.durationMs)}${waited}`;
  return [
    ...wrap(`${step.class}: ${step.title} (${took})`, columns, `      ${stateMarks[step.state]} `, '        '),
    ...(outcome === undefined ? [] : wrap(shortened(outcome), columns, '          ', '          ')),
  ];
}

function counts(report: Report, columns: number): string[] {
  if (report.counts.length === 0) return [];
  const line = (row: CountsTotal, kind: string, of: string) => [
    kind,
    of,
    ...[row.expected, row.done, row.skipped, row.failed].map(String),
    row.reconciled ? 'yes' : 'NO',
  ];
  const rows = countGroups(report.counts).flatMap(({ kind, rows: each, total }) => [
    ...each.map((row) => line(totalOf([row]), kind, row.step)),
    ...(total ? [line(total, kind, `total of ${each.length} steps`)] : []),
  ]);
  return [
    'COUNTS (expected = done + skipped + failed)',
    ...tableOf(['kind', 'step', 'expected', 'done', 'skipped', 'failed', 'adds up'], rows, columns, 1),
  ];
}

function leftOver(report: Report, columns: number, full: boolean): string[] {
  if (report.leftOver.length + report.findings.length === 0) return [];
  // A run that ended early has many: their number is enough.
  const [first, ...others] = full ? [] : report.leftOver.filter(({ state }) => state === 'pending');
  const listed = others.length > 0 ? report.leftOver.filter(({ state }) => state !== 'pending') : report.leftOver;
  const notBegun =
    first && others.length > 0
      ? [`  ${stateMarks.pending} ${others.length + 1} steps were not begun, the first ${first.step}: ${first.reason}`]
      : [];
  return [
    'SKIPPED AND FAILED',
    ...listed.flatMap((each) => [
      ...wrap(
        `${each.what === undefined ? '' : `${each.what}: `}${shortened(each.reason)}`,
        columns,
        `  ${stateMarks[each.state]} ${each.step}: `,
        '      ',
      ),
      ...(each.next === undefined ? [] : wrap(`Next: ${each.next}`, columns, '      ', '      ')),
    ]),
    ...notBegun,
    ...(full
      ? report.findings.flatMap((each) =>
          wrap(`${each.what}: ${shortened(each.reason)}`, columns, `      ${stateMarks[each.state]} `, '        '),
        )
      : []),
    ...report.moreFindings.flatMap(({ step, count, blob }) =>
      wrap(`${step} listed ${count} more: ${blob} in the control store`, columns, '      … ', '        '),
    ),
  ];
}

function leftBehind({ recoveryPoint }: Report): string[] {
  return (recoveryPoint?.leftBehind ?? []).map(
    ({ chosen, ...each }) => `${showLeftBehind(each)}${chosen ? ', as the topology asks' : ''}`,
  );
}

function jobs(report: Report, columns: number, full: boolean): string[] {
  if (report.jobs.length === 0) return [];
  const title = `JOBS (${showFates(report.jobs)})`;
  const listed = report.jobs.flatMap((job) => {
    const from = job.checkpoint === undefined ? '' : `, from ${job.checkpoint}`;
    const warned = (job.warnings ?? []).flatMap(({ place, reason }) =>
      wrap(`warning: ${place}: ${reason}`, columns, '      ! ', '        '),
    );
    const line = wrap(
      `${job.old}${job.submittedAs === undefined ? '' : ` (submitted as ${job.submittedAs})`} → ${job.new ?? 'none'} (${job.class}: ${job.reason}${from})`,
      columns,
      '  - ',
      '    ',
    );
    return [...line, ...warned];
  });
  return [...wrap(title, columns), ...(full ? listed : [])];
}

function configs(report: Report, columns: number, full: boolean): string[] {
  if (report.configs.length === 0) return [];
  return [
    `CONFIG FILES (${report.configs.length})`,
    ...report.configs.flatMap((config) => [
      ...wrap(
        `${config.host}:${config.file}: ${config.status}${config.reason === undefined ? '' : ` (${config.reason})`}, ${showCount(config.changes.length, 'value')} rewritten${config.commit === undefined ? '' : `, commit ${config.commit}`}`,
        columns,
        '  - ',
        '    ',
      ),
      ...(full && config.diff !== '' ? diffLines(config.diff) : []),
    ]),
  ];
}

/** Kept whole, with its signs: a wrapped diff could not be applied. */
function diffLines(diff: string): string[] {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line.split('\t').map(visible).join('\t')}`);
}
