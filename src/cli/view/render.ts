/**
 * A run on the terminal as a tree: phase → class → step. Pure: the same progress at the same moment gives the same
 * text. Every line fits the width: on a narrow terminal, a step's title continues on the next line, or is cut in its
 * middle if the height is short too. If the height is short, what is finished or not begun is folded; what failed, was
 * lost or is owed never is. If even that is too tall, the lowest lines are cut and counted.
 */
import picocolors from 'picocolors';
import { cut, cutMiddle, padTo, visible, widthOf, wrap } from '../../report/text-layout.ts';
import type { RunProgress, StepProgress, StepProgressState } from '../../run/progress.ts';
import { showDuration } from '../../topology/duration.ts';
import { phases, resourceClasses, type Phase } from '../../topology/words.ts';
import { showProgress } from './progress-bar.ts';

/** Size, colour and time of one frame. */
export interface RenderOptions {
  /** Width of the terminal in cells. */
  columns: number;
  /** Maximum height in lines; absent: as many as it needs. */
  rows?: number;
  colour: boolean;
  now: Date;
}

type Paint = ReturnType<typeof picocolors.createColors>;
interface Drawing extends RenderOptions {
  paint: Paint;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;

const marks = {
  pending: '·',
  running: '⠋',
  waiting: '◷',
  completed: '✓',
  skipped: '○',
  owed: '◐',
  failed: '✗',
  cancelled: '⊘',
  undoing: '↶',
  undone: '↶',
  'undo-failed': '‼',
} as const satisfies Record<StepProgressState, string>;

const styles = {
  pending: 'dim',
  running: 'cyan',
  waiting: 'yellow',
  completed: 'green',
  skipped: 'dim',
  owed: 'yellow',
  failed: 'red',
  cancelled: 'yellow',
  undoing: 'yellow',
  undone: 'yellow',
  'undo-failed': 'red',
} as const satisfies Record<StepProgressState, keyof Paint>;

/** How much is folded: first finished phases, then finished steps, then steps that are not begun. */
const foldings = [0, 1, 2, 3] as const;
type Folding = (typeof foldings)[number];

/** The run as lines, joined by newlines: at most `rows` of them, none wider than `columns`. */
export function renderProgress(progress: RunProgress, options: RenderOptions): string {
  const drawing: Drawing = { ...options, paint: picocolors.createColors(options.colour) };
  const rows = options.rows ?? Number.POSITIVE_INFINITY;
  let lines: string[] = [];
  for (const folding of foldings) {
    lines = [...head(progress, drawing), ...tree(progress, folding, drawing)];
    if (lines.length <= rows) return lines.join('\n');
  }
  const kept = Math.max(0, rows - 1);
  const more = drawing.paint.dim(`  … ${lines.length - kept} more lines`);
  return [...lines.slice(0, kept), ...(rows >= 1 ? [more] : [])].join('\n');
}

function head(progress: RunProgress, drawing: Drawing): string[] {
  const { paint } = drawing;
  const where = progress.from === undefined ? '' : `: ${progress.from} → ${progress.to}`;
  const title = `${progress.operation} of ${progress.topology}${where}`;
  const state = progress.paused === true ? `${progress.state}, paused` : progress.state;
  const lost = sum(progress.steps, 'lost');
  const owed = sum(progress.steps, 'owed');
  const ended = progress.endedAt === undefined ? drawing.now.getTime() : Date.parse(progress.endedAt);
  const elapsed = showElapsed(ended - Date.parse(progress.startedAt));
  const standing = `${state} · ${elapsed}`;
  const inOneLine = widthOf(`${title} · ${standing}`) <= drawing.columns;
  const style = stateStyle(progress.state, paint);
  const heading: Part[][] = inOneLine
    ? [
        [
          [title, paint.bold],
          [` · ${standing}`, style],
        ],
      ]
    : [[[title, paint.bold]], [[`  ${standing}`, style]]];
  return [
    ...heading.map((parts) => fit(parts, drawing)),
    ...(progress.reason === undefined ? [] : [fit([[`  ${progress.reason}`, paint.yellow]], drawing)]),
    ...(lost > 0 ? [fit([[`  ${lost} lost or left for a person`, paint.red]], drawing)] : []),
    ...(owed > 0 ? [fit([[`  ${owed} owed to ${progress.from}`, paint.yellow]], drawing)] : []),
  ];
}

function tree(progress: RunProgress, folding: Folding, drawing: Drawing): string[] {
  const groups: (Phase | undefined)[] = [...phases, undefined];
  return groups.flatMap((phase) => {
    const steps = progress.steps.filter((step) => step.phase === phase);
    if (steps.length === 0) return [];
    const shown = steps.filter((step) => isShown(step, steps, folding));
    const title = phase === undefined ? [] : [phaseLine(phase, steps, drawing)];
    return [...title, ...classLines(shown, phase !== undefined, folding, drawing)];
  });
}

function isShown(step: StepProgress, ofPhase: StepProgress[], folding: Folding): boolean {
  if (isAlarming(step)) return true;
  if (ofPhase.every((each) => each.state === 'pending')) return false;
  if (isFinished(step)) return folding === 0 || (folding === 1 && !ofPhase.every(isFinished));
  return step.state !== 'pending' || folding < 3;
}

function classLines(steps: StepProgress[], inPhase: boolean, folding: Folding, drawing: Drawing): string[] {
  return resourceClasses.flatMap((name) => {
    const mine = steps.filter((step) => step.class === name);
    if (mine.length === 0) return [];
    // If lines are short, the class comes before each step, and not on a line of its own.
    const inline = folding > 0;
    const indent = inPhase ? 4 : 2;
    const title = inline ? [] : [fit([[`${' '.repeat(indent)}${name}`, drawing.paint.dim]], drawing)];
    const prefix = inline ? `${name}: ` : '';
    const at = { indent: inline ? indent : indent + 2, prefix, mayWrap: !inline };
    return [...title, ...mine.flatMap((step) => stepLines(step, at, drawing))];
  });
}

function phaseLine(phase: Phase, steps: StepProgress[], drawing: Drawing): string {
  const { paint } = drawing;
  const state = stateOfAll(steps);
  const finished = steps.filter(isFinished).length;
  const started = steps.flatMap((step) => (step.startedAt === undefined ? [] : [Date.parse(step.startedAt)]));
  const ended = steps.map((step) => (step.endedAt === undefined ? undefined : Date.parse(step.endedAt)));
  const until = ended.every((each) => each !== undefined) ? Math.max(...ended) : drawing.now.getTime();
  const time = started.length === 0 ? '' : `  ${showElapsed(until - Math.min(...started))}`;
  return fit(
    [
      [`  ${markOf(state, drawing)} `, paint[styles[state]]],
      [padTo(phase, 10), state === 'pending' ? paint.dim : paint.bold],
      [` ${finished} of ${steps.length}${time}`, paint.dim],
    ],
    drawing,
  );
}

interface Place {
  indent: number;
  prefix: string;
  /** Whether the title may take several lines. */
  mayWrap: boolean;
}

/**
 * One line, or more if the title is too long for one: the difference between two steps may be at the end of their
 * titles.
 */
function stepLines(step: StepProgress, { indent, prefix, mayWrap }: Place, drawing: Drawing): string[] {
  const { paint, columns } = drawing;
  const mark: Part = [`${' '.repeat(indent)}${markOf(step.state, drawing)} `, paint[styles[step.state]]];
  const style = step.state === 'pending' ? paint.dim : String;
  const time = timeOf(step, drawing);
  const rest = partsAfterTime(step, paint);
  const title = visible(`${prefix}${step.title}`);
  const room = columns - indent - 2;
  if (widthOf(title) + widthOf(time) <= room || !mayWrap)
    return [fit([mark, [cutMiddle(title, room - widthOf(time)), style], [time, paint.dim], ...rest], drawing)];
  const hanging = ' '.repeat(indent + 2);
  const [first = '', ...more] = wrap(`${title}${time.trimStart() === '' ? '' : ` (${time.trimStart()})`}`, room);
  return [
    fit([mark, [first, style]], drawing),
    ...more.map((line) => fit([[`${hanging}${line}`, style]], drawing)),
    ...rest
      .filter(([text]) => text !== '')
      .map(([text, paintRest]) => fit([[`${hanging}${text.trimStart()}`, paintRest]], drawing)),
  ];
}

function timeOf({ state, startedAt, endedAt }: StepProgress, { now }: Drawing): string {
  if (state === 'pending' || startedAt === undefined) return '';
  const until = endedAt === undefined ? now.getTime() : Date.parse(endedAt);
  return `  ${showElapsed(until - Date.parse(startedAt))}`;
}

/** Problems come before progress: the end of a line may be cut. */
function partsAfterTime(step: StepProgress, paint: Paint): Part[] {
  const work = step.state === 'running' && step.progress ? `  ${showProgress(step.progress)}` : '';
  const alarms = [
    ...((step.lost ?? 0) > 0 ? [`${step.lost} lost`] : []),
    ...((step.owed ?? 0) > 0 ? [`${step.owed} owed`] : []),
  ];
  const retried = (step.attempt ?? 1) > 1 && !isFinished(step) ? `attempt ${step.attempt}` : '';
  const trouble = [retried, isFinished(step) ? '' : (step.lastError ?? '')].filter((part) => part !== '').join(': ');
  return [
    [alarms.length === 0 ? '' : `  ${alarms.join(', ')}`, paint.red],
    [trouble === '' ? '' : `  ${trouble}`, paint.yellow],
    [work, paint.dim],
    [step.detail === undefined || step.detail === step.lastError ? '' : `  ${step.detail}`, paint.dim],
  ];
}

type Part = [text: string, style: (text: string) => string];

/** Joins parts on one line no wider than the terminal; each part is cut before it is coloured. */
function fit(parts: readonly Part[], { columns }: Drawing): string {
  let room = columns;
  let line = '';
  for (const [text, style] of parts) {
    const shown = cut(visible(text), room);
    if (shown !== '') line += style(shown);
    room -= widthOf(shown);
  }
  return line;
}

function markOf(state: StepProgressState, { now }: Drawing): string {
  if (state !== 'running' && state !== 'undoing') return marks[state];
  return spinner[Math.floor(now.getTime() / frameMs) % spinner.length] ?? marks.running;
}

function stateStyle(state: RunProgress['state'], paint: Paint): (text: string) => string {
  if (state === 'completed') return paint.green;
  if (state === 'failed') return paint.red;
  return state === 'pending' || state === 'running' ? paint.cyan : paint.yellow;
}

/** The state of a group that a person has to see first. */
function stateOfAll(steps: StepProgress[]): StepProgressState {
  const order = ['undo-failed', 'failed', 'undoing', 'undone', 'cancelled', 'waiting', 'running'] as const;
  const worst = order.find((state) => steps.some((step) => step.state === state));
  if (worst) return worst;
  if (steps.every((step) => step.state === 'pending')) return 'pending';
  if (!steps.every(isFinished)) return 'running';
  return steps.every((step) => step.state === 'skipped') ? 'skipped' : 'completed';
}

function isFinished(step: StepProgress): boolean {
  return step.state === 'completed' || step.state === 'skipped';
}

function isAlarming(step: StepProgress): boolean {
  return step.state === 'failed' || step.state === 'undo-failed' || (step.lost ?? 0) > 0 || (step.owed ?? 0) > 0;
}

function sum(steps: StepProgress[], what: 'lost' | 'owed'): number {
  return steps.reduce((total, step) => total + (step[what] ?? 0), 0);
}

/** The clocks of worker and terminal may differ a little: never below zero. */
function showElapsed(milliseconds: number): string {
  return showDuration(Math.max(0, milliseconds));
}
