/**
 * The report as one self-contained HTML file: no script, no request to anywhere, so that it can be mailed, archived and
 * opened years later. What was lost stands before everything else.
 */
import { sectionsOf, tag, type Tone } from './html-sections.ts';
import { style } from './html-style.ts';
import { html, Markup, type Insert } from './markup.ts';
import type { Report } from './schema.ts';
import { showMs, showTime } from './wording.ts';

export function renderHtml(report: Report): string {
  const { run } = report;
  const sections = sectionsOf(report);
  const title = `${run.operation.charAt(0).toUpperCase()}${run.operation.slice(1)} of ${run.topology}: ${run.from} → ${run.to}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="generator" content="Understudy" />
        <title>${title} (${run.runId})</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#report">To the report</a>
        <div class="page">
          <header>
            <p class="eyebrow">Understudy · report of run <code>${run.runId}</code></p>
            <h1>${title}</h1>
            <p class="lead">${runTag(report)} ${report.headline}</p>
          </header>
          <main id="report">
            ${notice(
              'bad',
              'lost',
              'Lost or left for a person',
              report.lost.map((line) => [
                line.text,
                line.step !== undefined && html` <code>${line.step}</code>`,
              ]),
            )}
            ${notice('bad', 'problems', 'What this report cannot vouch for', report.problems)}
            ${notice(
              'warn',
              'owed',
              `Owed to ${run.from}, paid when it answers`,
              report.owed.map((debt) => [
                `${debt.kind}: ${debt.what} `,
                html`<span class="note">(${debt.reason})</span>`,
              ]),
            )}
            ${facts(report)}
            <nav aria-label="Sections">
              <ul>
                ${sections.map((each) => html`<li><a href="#${each.id}">${each.title}</a></li>`)}
              </ul>
            </nav>
            ${sections.map(
              (each) =>
                html`<section id="${each.id}" aria-labelledby="${each.id}-title">
                  <h2 id="${each.id}-title">${each.title}</h2>
                  ${each.content}
                </section> `,
            )}
          </main>
        </div>
      </body>
    </html> `.text;
}

const runTones = {
  pending: 'quiet',
  running: 'warn',
  waiting: 'warn',
  undoing: 'warn',
  completed: 'good',
  failed: 'bad',
  cancelled: 'warn',
} as const satisfies Record<Report['run']['state'], Tone>;

function runTag({ run }: Report): Markup {
  return tag(runTones[run.state], run.state);
}

function notice(tone: 'bad' | 'warn', id: string, title: string, items: Insert[]): Markup | false {
  return (
    items.length > 0 &&
    html`<section class="notice ${tone}" aria-labelledby="${id}-title">
      <h2 id="${id}-title">${title} (${items.length})</h2>
      <ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>
    </section>`
  );
}

function facts({ run, recoveryPoint }: Report): Markup {
  const rows: [string, Insert][] = [
    ['Outage began', run.outageBeganAt === undefined ? 'not known' : showTime(run.outageBeganAt)],
    ['Triggered', `${showTime(run.triggeredAt)} by ${run.triggeredBy}`],
    [
      'Ended',
      run.endedAt === undefined
        ? 'not yet'
        : `${showTime(run.endedAt)}, ${showMs(run.durationMs)} after the trigger`,
    ],
    ['Reason given', run.reason],
    ['Recovery point', recoveryPoint ? `listed from ${showTime(recoveryPoint.startedAt)}` : 'none'],
  ];
  return html`<dl class="facts">
    ${rows.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
