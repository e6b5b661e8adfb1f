/**
 * A run as plain lines, for logs, pipes and screen readers: one line per change of a state, in the order of the
 * changes, with the time since the trigger. No line is printed twice.
 */
import { visible } from '../../report/text-layout.ts';
import type { RunProgress, StepProgress } from '../../run/progress.ts';
import { showDuration } from '../../topology/duration.ts';

interface Line {
  /** Milliseconds since 1970. */
  at: number;
  text: string;
}

/**
 * Returns the lines for what changed since the last call. `now` is when the change was seen: it replaces times that
 * were not recorded.
 */
export type DescribeChanges = (progress: RunProgress, now: Date) => string[];

/** Makes a describer that remembers which lines it has returned. */
export function changeDescriber(): DescribeChanges {
  const said = new Set<string>();
  let runState = '';
  return (progress, now) => {
    const lines: Line[] = [];
    const say = (key: string, at: number, text: string): void => {
      if (said.has(key)) return;
      said.add(key);
      lines.push({ at, text });
    };
    const first = runState === '';
    const state = `${progress.paused === true ? 'paused, ' : ''}${progress.state}`;
    const reason = progress.reason === undefined ? '' : `: ${progress.reason}`;
    const over = progress.endedAt !== undefined;
    const changed = runState !== state + reason;
    runState = state + reason;
    const runLine = `${progress.operation} of ${progress.topology}${progress.from === undefined ? '' : `, ${progress.from} → ${progress.to}`}: ${state}${reason}`;
    const runAt = over ? Date.parse(progress.endedAt ?? '') : now.getTime();
    if (first) lines.push({ at: Number.NEGATIVE_INFINITY, text: `run ${progress.runId}` });
    if (first && !over) lines.push({ at: Number.NEGATIVE_INFINITY, text: runLine });
    for (const step of progress.steps) describeStep(step, now, say);
    const sorted = lines.toSorted((left, right) => left.at - right.at);
    // The run's own end comes after everything that led to it, whatever the clocks say.
    if (changed && (!first || over)) sorted.push({ at: runAt, text: runLine });
    const started = Date.parse(progress.startedAt);
    return sorted.map(
      ({ at, text }) => `${since(at === Number.NEGATIVE_INFINITY ? started : at, started)}  ${visible(text)}`,
    );
  };
}

function describeStep(step: StepProgress, now: Date, say: (key: string, at: number, text: string) => void): void {
  const { id, state } = step;
  if (state === 'pending') {
    // The detail says why it will not run.
    if (step.detail !== undefined)
      say(`${id} pending ${step.detail}`, now.getTime(), `${id}: ${step.title}: ${step.detail}`);
    return;
  }
  const startedAt = step.startedAt === undefined ? now.getTime() : Date.parse(step.startedAt);
  const what = `${id}: ${step.title}`;
  const ended = state === 'completed' || state === 'skipped' || state === 'failed';
  // A skipped step did nothing between its start and its end. The others get a line for their beginning even if nobody
  // saw it.
  if (state !== 'skipped') say(`${id} began`, startedAt, `${what}: running`);
  if (!ended && (step.attempt ?? 1) > 1) {
    const why = step.lastError === undefined ? '' : ` after: ${step.lastError}`;
    say(`${id} attempt ${step.attempt}`, now.getTime(), `${what}: attempt ${step.attempt}${why}`);
  }
  // What a step waits for is a change that people want to see; how far it is changes all the time.
  const { waitsFor, done, total, unit } = step.progress ?? {};
  if (state === 'running' && waitsFor !== undefined)
    say(`${id} waits ${waitsFor}`, now.getTime(), `${what}: ${done} of ${total ?? '?'} ${unit}; waits ${waitsFor}`);
  if (state === 'running') return;
  const endedAt = ended && step.endedAt !== undefined ? Date.parse(step.endedAt) : now.getTime();
  const took =
    ended && state !== 'skipped' && step.startedAt !== undefined
      ? ` in ${showDuration(Math.max(0, endedAt - startedAt))}`
      : '';
  const detail = step.detail === undefined ? '' : `: ${step.detail}`;
  const left = [
    ...((step.lost ?? 0) > 0 ? [`${step.lost} lost`] : []),
    ...((step.owed ?? 0) > 0 ? [`${step.owed} owed`] : []),
  ];
  const alarms = left.length === 0 ? '' : ` [${left.join(', ')}]`;
  // A step may wait several times, each time for something else.
  const key = state === 'waiting' ? `${id} ${state} ${step.detail ?? ''}` : `${id} ${state} ${step.attempt ?? 1}`;
  say(key, endedAt, `${what}: ${state}${took}${detail}${alarms}`);
}

/** `+1m 05s`, padded so that lines are aligned. */
function since(at: number, started: number): string {
  const sign = at < started ? '−' : '+';
  return `${sign}${showDuration(Math.abs(at - started))}`.padStart(8);
}
