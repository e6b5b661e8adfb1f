/** What was not done, and what the recovery point lacks. */
import { table } from './table.ts';
import { next, stateTag } from './tags.ts';
import { html, type Insert, type Markup } from './markup.ts';
import type { Report } from '../schema.ts';
import { shortened } from '../wording.ts';

/** Renders what was not done. */
export function leftOver(report: Report): Markup {
  const columns = [{ label: 'Step' }, { label: 'State', words: true }, { label: 'What' }, { label: 'Reason' }];
  const rows = report.leftOver.map((each): Insert[] => [
    each.title,
    stateTag(each.state),
    each.what ?? '',
    [shortened(each.reason), next(each.next)],
  ]);
  const found = report.findings.map((each): Insert[] => [
    html`<code>${each.what}</code>`,
    stateTag(each.state),
    html`<code>${each.step}</code>`,
    shortened(each.reason),
  ]);
  const more = report.moreFindings.reduce((sum, { count }) => sum + count, 0);
  const listed = more === 0 ? String(found.length) : `the first ${found.length} of ${found.length + more}`;
  return html`${table('Everything that was not done, and why', columns, [{ rows }])}
  ${
    found.length > 0 &&
    html`<details>
      <summary>Each of them, as the steps listed them (${listed})</summary>
      ${report.moreFindings.map(
        ({ step, count, blob }) =>
          html`<p><code>${step}</code> listed ${count} more: <code>${blob}</code> in the control store.</p>`,
      )}
      ${table('Item by item', [{ label: 'Item' }, { label: 'State', words: true }, { label: 'Step' }, { label: 'Reason' }], [{ rows: found }])}
    </details>`
  }`;
}

/** Renders what the recovery point lacks. */
export function leftBehind({ recoveryPoint }: Report): Markup {
  const rows = (recoveryPoint?.leftBehind ?? []).map((each): Insert[] => [
    each.kind,
    each.count,
    [each.reason, each.chosen === true && html` <span class="note">(the topology asks for it)</span>`],
    [
      each.examples.map((example) => html`<code class="line">${example}</code>`),
      each.count > each.examples.length && '…',
    ],
  ]);
  return table(
    'What the workspace had and the recovery point has not, so that no standby made from it has it either',
    [{ label: 'Kind', words: true }, { label: 'Count', numeric: true }, { label: 'Reason' }, { label: 'Such as' }],
    [{ rows }],
  );
}
