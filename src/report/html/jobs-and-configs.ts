/** The evidence of steps, item by item: every job old → new, and every config file's diff. */
import { showLostWork } from '../../jobs/lost-work.ts';
import type { JobEvidence } from '../evidence.ts';
import { table, type Column } from './table.ts';
import { html, type Insert, type Markup } from './markup.ts';
import { tag } from './tags.ts';
import type { Report } from '../schema.ts';
import { showFates } from '../wording.ts';
import { showCount } from '../../topology/figures.ts';

/** Renders the table of jobs. */
export function jobs(report: Report): Markup {
  const columns: Column[] = [
    { label: 'Job', name: true },
    { label: 'Successor', name: true },
    { label: 'Class', words: true },
    { label: 'Priority', words: true },
    { label: 'Owner', name: true },
    { label: 'Reason' },
  ];
  const rows = report.jobs.map((job): Insert[] => [
    [
      html`<code>${job.old}</code>`,
      job.submittedAs !== undefined && html`<span class="note">submitted as <code>${job.submittedAs}</code></span>`,
    ],
    job.new === undefined ? 'none' : html`<code>${job.new}</code>`,
    [job.class, job.outcome === 'failed' && html` <span class="tag bad">✗ failed</span>`],
    job.priority ?? '',
    job.owner ?? '',
    [
      job.reason,
      job.status !== undefined && html` <span class="note">(was ${job.status})</span>`,
      job.lost !== undefined && job.lost.ms !== 0 && html` <span class="note">lost: ${showLostWork(job.lost)}</span>`,
      (job.warnings ?? []).map((each) => html`<p>${tag('warn', '! warning')} ${each.place}: ${each.reason}</p>`),
      (job.unmapped ?? []).map((each) => html`<p>${each.place}: <code>${each.value}</code>: ${each.reason}</p>`),
      (job.differences ?? []).map(
        (each) => html`<p>${each.place}: sent ${valueOf(each.sent)}, held ${valueOf(each.held)}</p>`,
      ),
      changes(job),
    ],
  ]);
  return table(`Every job, old → new (${showFates(report.jobs)})`, columns, [{ rows }]);
}

/** Long addresses, for readers who need them. */
function changes({ checkpoint, changes: list = [] }: JobEvidence): Markup | '' {
  if (list.length === 0 && checkpoint === undefined) return '';
  const read = checkpoint === undefined ? '' : `${list.length > 0 ? ', ' : ''}its checkpoint`;
  return html`<details>
    <summary>${list.length > 0 && `${list.length} changed`}${read}</summary>
    <ul>
      ${checkpoint !== undefined && html`<li>reads its checkpoint from <code>${checkpoint}</code></li>`}
      ${list.map((each) => html`<li>${each.place}: ${valueOf(each.from)} → ${valueOf(each.to)}</li>`)}
    </ul>
  </details>`;
}

function valueOf(text: string): Markup | string {
  return text === '' ? 'none' : html`<code>${text}</code>`;
}

/** Renders the diffs of config files. */
export function configs(report: Report): Markup {
  return html`${report.configs.map(
    (config, index) =>
      html`<article aria-labelledby="config-${index}">
        <h3 id="config-${index}"><code>${config.host}:${config.file}</code></h3>
        <p>
          ${config.status}${config.reason !== undefined && html` (${config.reason})`};
          ${showCount(config.changes.length, 'value')}
          rewritten${config.commit !== undefined && html`; commit <code>${config.commit}</code>`}
        </p>
        ${config.warnings.map((each) => html`<p class="note">${each.place}: ${each.text}</p>`)}
        ${config.diff !== '' && html`<pre class="diff" tabindex="0" role="region" aria-label="Diff of ${config.file}">${diffLines(config.diff)}</pre>`}
      </article> `,
  )}`;
}

function diffLines(diff: string): Markup[] {
  let inHunk = false;
  return diff
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      if (line.startsWith('@@')) inHunk = true;
      const name = inHunk ? (kinds[line.charAt(0)] ?? 'same') : 'hunk';
      // The line break is part of the line, so that a copied diff is a valid diff.
      const whole = `${line}\n`;
      return html`<span class="${name}">${whole}</span>`;
    });
}

/** The class of a line by its sign. Before the first `@@`, a line names the files, whatever it begins with. */
const kinds: Record<string, string> = { '+': 'add', '-': 'del', '@': 'hunk', '\\': 'hunk' };
