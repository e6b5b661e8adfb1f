/** The sections of the HTML report, each made from one part of the report. A section without content is omitted. */
import { configs, jobs } from './jobs-and-configs.ts';
import { leftBehind, leftOver } from './left-behind.ts';
import { table } from './table.ts';
import { next, stateTag, tag, verdictTones } from './tags.ts';
import { html, type Insert, type Markup } from './markup.ts';
import type { CountsRow, Report } from '../schema.ts';
import { countGroups, type CountsTotal } from '../counts-total.ts';
import { timeline } from './timeline.ts';
import {
  objectiveRows,
  rangeNote,
  shortened,
  showMs,
  showOutage,
  showParts,
  showTally,
  showTime,
  unknown,
} from '../wording.ts';

/** A part of the page, with its heading. */
export interface Section {
  id: string;
  title: string;
  content: Markup;
}

/** Returns the sections that have content. */
export function sectionsOf(report: Report): Section[] {
  return [
    section('objectives', 'Objectives', report.objectives, () => objectives(report)),
    section('timeline', 'Timeline', report.phases, () => happened(report)),
    section('counts', 'Counts', report.counts, () => counts(report)),
    section('left', 'Skipped and failed', [...report.leftOver, ...report.findings], () => leftOver(report)),
    section('left-behind', 'Not in the recovery point', report.recoveryPoint?.leftBehind ?? [], () =>
      leftBehind(report),
    ),
    section('jobs', 'Jobs', report.jobs, () => jobs(report)),
    section('configs', 'Config files', report.configs, () => configs(report)),
    section('undo', 'Undo', report.undo, () => undo(report)),
    section(
      'notes',
      'Notes of the plan',
      report.notes,
      () =>
        html`<ul>
          ${report.notes.map((note) => html`<li>${note}</li>`)}
        </ul>`,
    ),
    section('sources', 'Sources', [report], () => sources(report)),
  ].filter((each) => each !== undefined);
}

function section(id: string, title: string, of: unknown[], content: () => Markup): Section | undefined {
  return of.length === 0 ? undefined : { id, title, content: content() };
}

function objectives(report: Report): Markup {
  const rows = objectiveRows(report.objectives).map((row): Insert[] => {
    const [tone, mark] = verdictTones[row.verdict];
    return [
      `${row.class} ${row.name}`,
      row.strategy,
      row.objective,
      row.sinceOutage,
      row.sinceTrigger,
      row.waited,
      tag(tone, `${mark} ${row.verdict}`),
      row.why,
    ];
  });
  const columns = [
    { label: 'Objective of', words: true },
    { label: 'Strategy', words: true },
    { label: 'Objective', numeric: true },
    { label: 'Since outage', numeric: true },
    { label: 'Since trigger', numeric: true },
    { label: 'For a person', numeric: true },
    { label: 'Verdict', words: true },
    { label: 'Remarks' },
  ];
  return html`<p>
      RTO: until the class was switched (training: until its jobs were resumed), since the outage began and since the
      trigger. RPO: from the start of the recovery point’s listing to the outage. The figures include the time in which
      the run waited for a person.
    </p>
    <p class="note">${showBeginning(report.run)}</p>
    ${table('Measured against the objectives of the topology', columns, [{ rows }])}`;
}

function showBeginning(run: Report['run']): string {
  if (run.outageBeganAt === undefined)
    return run.answeredAt === undefined
      ? 'When the outage began is not known: verdicts count from the trigger.'
      : `The move was planned, since ${run.from} answered: verdicts count from the trigger.`;
  const began = `The outage began ${run.answeredAt === undefined ? 'at ' : ''}${showOutage(run)}.`;
  return run.answeredAt === undefined ? began : `${began} ${rangeNote}`;
}

function happened(report: Report): Markup {
  const columns = [
    { label: 'Step' },
    { label: 'State', words: true },
    { label: 'Began', numeric: true },
    { label: 'Took', numeric: true },
    { label: 'For a person', numeric: true },
    { label: 'Attempts', numeric: true },
    { label: 'Outcome' },
  ];
  const groups = report.phases.flatMap((phase) =>
    phase.classes.map((each) => ({
      heading: `${phase.phase === undefined ? '' : `${phase.phase} / `}${each.class}: ${showTally(each.tally)}${each.durationMs === undefined ? '' : `, ${showMs(each.durationMs)}`}`,
      rows: each.steps.map((step): Insert[] => [
        step.title,
        stateTag(step.state),
        began(step.startedAt, report),
        showMs(step.durationMs),
        step.waitedForPersonMs > 0 ? showMs(step.waitedForPersonMs) : '',
        step.attempts > 1 ? step.attempts : '',
        [
          shortened(step.detail ?? ''),
          step.error && html` ${shortened(step.error.message)} <code>${step.error.code}</code>${next(step.error.next)}`,
        ],
      ]),
    })),
  );
  const chart = timeline(report);
  const legend = report.phases.flatMap((phase) => phase.classes.map((each) => each.class));
  return html`${
    chart &&
    html`<figure style="margin:0">
      <figcaption class="note">
        Seconds since the trigger. A solid bar completed, a dashed one was skipped, a hatched one failed or has not
        ended, a dotted one was undone.
      </figcaption>
      <ul class="legend">
        ${[...new Set(legend)].map((name) => html`<li class="${name}"><span class="swatch"></span>${name}</li>`)}
      </ul>
      ${chart}
    </figure>`
  }
  ${table(`Every step of the plan; began: since the trigger at ${showTime(report.run.triggeredAt)}. ${showTally(report.tally)}.`, columns, groups)}`;
}

/** Shows seconds after the trigger to people, and the time itself to programs. */
function began(startedAt: string | undefined, { run }: Report): Insert {
  if (startedAt === undefined) return '';
  const afterMs = Date.parse(startedAt) - Date.parse(run.triggeredAt);
  const shown = `${afterMs < 0 ? '−' : '+'}${showMs(Math.abs(afterMs))}`;
  return html`<time datetime="${startedAt}" title="${showTime(startedAt)}">${shown}</time>`;
}

function counts(report: Report): Markup {
  const columns = [
    { label: 'Step' },
    { label: 'Class', words: true },
    { label: 'Expected', numeric: true },
    { label: 'Done', numeric: true },
    { label: 'Skipped' },
    { label: 'Failed' },
    { label: 'Adds up', words: true },
    { label: 'In recovery point', numeric: true },
  ];
  const row = (each: CountsRow): Insert[] => [
    each.title,
    each.class,
    each.expected,
    each.done,
    shortened(showParts(each.skipped)),
    shortened(showParts(each.failed)),
    addsUp(each.reconciled),
    each.inRecoveryPoint ?? unknown,
  ];
  const groups = countGroups(report.counts).map(({ kind, phase, rows, total }) => ({
    heading: phase === undefined ? kind : `${kind}: ${phase}`,
    rows: [...rows.map(row), ...(total ? [totalRow(total, rows.length)] : [])],
  }));
  return table('Expected = done + skipped + failed, for each step that counts, by kind and phase', columns, groups);
}

function totalRow({ expected, done, skipped, failed, reconciled }: CountsTotal, steps: number): Insert[] {
  return [
    html`<strong>Total of ${steps} steps</strong>`,
    '',
    html`<strong>${expected}</strong>`,
    html`<strong>${done}</strong>`,
    html`<strong>${skipped}</strong>`,
    html`<strong>${failed}</strong>`,
    addsUp(reconciled),
    '',
  ];
}

function addsUp(reconciled: boolean): Markup {
  return reconciled ? tag('good', '✓ yes') : tag('bad', '✗ no');
}

function undo(report: Report): Markup {
  const tones = { undone: 'good', 'undo-failed': 'bad', stays: 'warn' } as const;
  const rows = report.undo.map((each): Insert[] => [
    each.title,
    tag(tones[each.outcome], each.outcome),
    shortened(each.reason),
  ]);
  return table(
    'What was undone and what stays, newest first',
    [{ label: 'Step' }, { label: 'Outcome' }, { label: 'Reason' }],
    [{ rows }],
  );
}

function sources(report: Report): Markup {
  const { run, recoveryPoint } = report;
  const rows: Insert[][] = [
    ['Plan', html`<code>plans/${run.plan}.json</code>, made in epoch ${run.madeInEpoch}`],
    ['Bundle', html`<code>bundles/${run.bundle}.json</code>`],
    ...(recoveryPoint
      ? [
          [
            'Recovery point',
            html`<code>${recoveryPoint.id}</code>, listed from ${showTime(recoveryPoint.startedAt)}, digest
              <code>${recoveryPoint.digest}</code>`,
          ],
        ]
      : []),
    ...report.evidence.map((each): Insert[] => [
      `Evidence of ${each.step}`,
      html`${each.kind}: <code>${each.blob}</code>, digest <code>${each.digest}</code>`,
    ]),
  ];
  return html`<p>
      Made at ${showTime(report.generatedAt)} from the run’s journal in the control store, where these are:
    </p>
    ${table('What this report was made from', [{ label: 'Source' }, { label: 'Where' }], [{ rows }])}`;
}
