/** What people must do after a run, by owner, the most urgent first; and what they only have to know. */
import type { Report, Task, Urgency } from '../schema.ts';
import { countTasks, splitTasks, type ShownTasks } from '../tasks.ts';
import { shortened, showOwner, urgencyMarks, urgencyWords } from '../wording.ts';
import { html, type Insert, type Markup } from './markup.ts';
import { tag, type Tone } from './tags.ts';

const tones = {
  urgent: 'bad',
  broken: 'bad',
  lost: 'bad',
  check: 'warn',
  again: 'warn',
  know: 'quiet',
} as const satisfies Record<Urgency, Tone>;

/** The first section of a report: what people must do, in red; below it, what they only have to know. */
export function tasks({ tasks: groups, run }: Report): Insert[] {
  const toDo = countTasks(groups);
  const { toDo: first, know } = splitTasks(groups);
  return [
    part(run, 'bad', 'tasks', `What people must do (${toDo}), the most urgent first`, first),
    part(run, 'quiet', 'know', 'Good to know', know),
  ];
}

function part(run: Report['run'], tone: Tone, id: string, title: string, groups: ShownTasks[]): Markup | false {
  return (
    groups.length > 0 &&
    html`<section class="notice ${tone}" aria-labelledby="${id}-title">
      <h2 id="${id}-title">${title}</h2>
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
    ${urgency !== 'know' && tag(tones[urgency], `${urgencyMarks[urgency]} ${urgencyWords[urgency]}`)} ${shortened(what)}
    ${action !== undefined && html`<span class="action">→ ${action}</span>`}
  </li>`;
}
