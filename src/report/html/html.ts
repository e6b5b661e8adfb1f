/**
 * The report as one self-contained HTML file: no scripts and no requests, so that it can be mailed, archived and opened
 * years later. What people must do comes first.
 */
import { rowOf } from '../../plan/operations.ts';
import { sectionsOf, type Section } from './sections.ts';
import { tag, verdictTones, type Tone } from './tags.ts';
import { tasks } from './tasks.ts';
import { style } from './style.ts';
import { html, Markup, type Insert } from './markup.ts';
import type { Report } from '../schema.ts';
import { owedByRegion, showClass, showMs, showOutage, showRange, showRecoveryPoint, showTime } from '../wording.ts';
import { worstMeasures } from '../worst.ts';

/** Renders the report as a complete HTML document. */
export function renderHtml(report: Report): string {
  const { run } = report;
  const operation = run.operation.charAt(0).toUpperCase() + run.operation.slice(1);
  const sections = sectionsOf(report);
  return html`<!doctype html>
    <html lang="en">
      ${head(`${operation} of ${run.topology}: ${run.from} → ${run.to} (${run.runId})`)}
      <body>
        <a class="skip" href="#report">To the report</a>
        <div class="page">
          <header>
            <p class="eyebrow">Understudy · report of run <code>${run.runId}</code></p>
            <div class="title">
              <h1>
                ${operation} of <span>${run.topology}:</span> <span>${run.from}</span> →
                <span>${run.to}</span>
              </h1>
              ${measures(report)}
            </div>
            <p class="lead">${runTag(report)} ${report.headline}</p>
          </header>
          <main id="report" tabindex="-1">
            ${notices(report)} ${facts(report)} ${contents(sections)} ${sections.map(sectionMarkup)}
          </main>
        </div>
      </body>
    </html> `.text;
}

function head(title: string): Markup {
  return html`<head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta
      http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    />
    <meta name="generator" content="Understudy" />
    <title>${title}</title>
    <style>
      ${new Markup(style)}
    </style>
  </head>`;
}

/** The first questions, answered in the title's line: how long it took, and how much is lost. */
function measures({ objectives }: Report): Markup | false {
  const worst = worstMeasures(objectives);
  return (
    worst.length > 0 &&
    html`<dl class="measures">
      ${worst.map((each) => {
        const [tone, mark] = verdictTones[each.verdict];
        const why = each.verdict === 'not measured' ? each.why : undefined;
        return html`<div class="${tone}">
          <dt>${each.name} <span class="note">${showClass(each)}</span></dt>
          <dd>
            <strong>${showRange(each.measuredMs, each.atMostMs)}</strong> ${
              each.objectiveSeconds !== undefined && html`<span>of ${showMs(each.objectiveSeconds * 1000)}</span>`
            }
            ${tag(tone, `${mark} ${each.verdict}`)} ${why !== undefined && html`<span class="note">${why}</span>`}
          </dd>
        </div>`;
      })}
    </dl>`
  );
}

/** What nobody may overlook: shown before everything else. */
function notices(report: Report): Insert[] {
  return [
    tasks(report),
    notice('bad', 'problems', 'What this report cannot vouch for', report.problems),
    owedByRegion(report.owed).map(({ region, lines }) =>
      notice('warn', `owed-${region}`, `Owed to ${region}, paid when it answers`, lines),
    ),
  ];
}

function contents(sections: Section[]): Markup {
  return html`<nav aria-label="Sections">
    <ul>
      ${sections.map((each) => html`<li><a href="#${each.id}">${each.title}</a></li>`)}
    </ul>
  </nav>`;
}

function sectionMarkup({ id, title, content }: Section): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section> `;
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

/** A replication says nothing about an outage. */
function outageRow(run: Report['run']): [string, Insert][] {
  if (run.outageBeganAt === undefined && rowOf(run.operation).recoveryPoint === 'makes one') return [];
  return [['Outage began', showOutage(run)]];
}

function facts({ run, recoveryPoint }: Report): Markup {
  const rows: [string, Insert][] = [
    ...outageRow(run),
    ['Triggered', `${showTime(run.triggeredAt)} by ${run.triggeredBy}`],
    [
      'Ended',
      run.endedAt === undefined ? 'not yet' : `${showTime(run.endedAt)}, ${showMs(run.durationMs)} after the trigger`,
    ],
    ['Reason given', run.reason],
    ['Recovery point', showRecoveryPoint(recoveryPoint)],
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
