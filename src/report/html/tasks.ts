/** What people must do after a run, by owner, the most urgent first. */
import type { Report, Task, Urgency } from '../schema.ts';
import { countTasks } from '../tasks.ts';
import { shortened, showOwner, urgencyMarks, urgencyWords } from '../wording.ts';
import { html, type Markup } from './markup.ts';
import { tag, type Tone } from './tags.ts';

const tones = {
  urgent: 'bad',
  broken: 'bad',
  lost: 'bad',
  again: 'warn',
  know: 'quiet',
} as const satisfies Record<Urgency, Tone>;

/** The first section of a report. Nothing if nobody has anything to do or to know. */
export function tasks({ tasks: groups, run }: Report): Markup | false {
  const toDo = countTasks(groups);
  const title = toDo === 0 ? 'Good to know' : `What people must do (${toDo}), the most urgent first`;
  return (
    groups.length > 0 &&
    html`<section class="notice ${toDo === 0 ? 'warn' : 'bad'}" aria-labelledby="tasks-title">
      <h2 id="tasks-title">${title}</h2>
      ${groups.map(
        ({ owner, tasks: list, more }) =>
          html`<h3>${showOwner(owner, run.topology)}</h3>
            <ul class="tasks">
              ${list.map(item)} ${more > 0 && html`<li>and ${more} more: see the lists below</li>`}
            </ul>`,
      )}
    </section>`
  );
}

function item({ urgency, what, action }: Task): Markup {
  return html`<li>
    ${tag(tones[urgency], `${urgencyMarks[urgency]} ${urgencyWords[urgency]}`)} ${shortened(what)}
    ${action !== undefined && html`<span class="action">→ ${action}</span>`}
  </li>`;
}
