/** Highlighted words, marked by a sign as well as by color; and what to do next. */
import { html, type Markup } from './markup.ts';
import type { StepState, Verdict } from '../schema.ts';
import { stateMarks, stateWords } from '../wording.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'quiet';

/** A word in the colour of its tone. */
export function tag(tone: Tone, text: string): Markup {
  return html`<span class="tag ${tone}">${text}</span>`;
}

const stateTones = {
  completed: 'good',
  skipped: 'quiet',
  owed: 'warn',
  failed: 'bad',
  cancelled: 'warn',
  running: 'warn',
  pending: 'quiet',
  undone: 'warn',
  'undo-failed': 'bad',
} as const satisfies Record<StepState, Tone>;

export const verdictTones = {
  met: ['good', '✓'],
  missed: ['bad', '✗'],
  'not measured': ['warn', '?'],
  'no objective': ['quiet', '–'],
} as const satisfies Record<Verdict, [Tone, string]>;

/** The state of a step, coloured. */
export function stateTag(state: StepState): Markup {
  return tag(stateTones[state], `${stateMarks[state]} ${stateWords[state]}`);
}

/** What a person should do next. False if there is nothing to say. */
export function next(text: string | undefined): Markup | false {
  return text !== undefined && html` <span class="next">Next: ${text}</span>`;
}
