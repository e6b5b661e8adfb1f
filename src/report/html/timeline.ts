/**
 * The timeline of a run: a row for each phase and each step, in seconds since the trigger. Labels are text that wraps;
 * bars are SVG, placed in percent. The chart therefore fits a phone and a sheet of paper without a script, with whole
 * labels.
 */
import { showDuration } from '../../topology/duration.ts';
import { html, type Markup } from './markup.ts';
import type { PhaseReport, Report, StepReport } from '../schema.ts';
import { showMs, showTime, stateMarks, stateWords } from '../wording.ts';

const tickSeconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
const mostTicks = 6;

interface Scale {
  startMs: number;
  endMs: number;
  triggerMs: number;
  outageMs?: number;
  /** When the region last answered: the outage began after it. */
  answeredMs?: number;
  /** The outage began too long before the trigger to be drawn to scale. */
  outageOutside: boolean;
}

interface Bar {
  label: string;
  className: string;
  state: StepReport['state'];
  startMs: number;
  endMs: number;
  length: string;
}

/** Undefined if nothing in the run has a time yet. */
export function timeline(report: Report): Markup | undefined {
  const bars = report.phases.flatMap((phase) => barsOf(phase, report));
  if (bars.length === 0) return undefined;
  const scale = scaleOf(report, bars);
  const summary = report.phases.map((each) => `${each.phase ?? 'steps'} ${showMs(each.durationMs)}`).join(', ');
  return html`<div class="gantt" role="img" aria-labelledby="gantt-title" aria-describedby="gantt-summary">
      <p class="visually-hidden" id="gantt-title">Timeline of ${report.run.runId}</p>
      <p class="visually-hidden" id="gantt-summary">
        Bars for each phase and step from ${showMs(scale.endMs - scale.startMs)} of the run: ${summary}. The same
        figures are in the table of steps below.
      </p>
      <svg class="axis">${patterns} ${uncertain(scale)} ${markers(scale)} ${ticks(scale)}</svg>
      ${bars.map((bar) => rowOf(bar, scale))}
    </div>
    ${scale.outageOutside && html`<p class="note">The outage began ${showDuration(scale.triggerMs - (scale.outageMs ?? 0))} before the trigger: too long before it to be drawn to scale.</p>`}`;
}

function barsOf(phase: PhaseReport, report: Report): Bar[] {
  const now = report.run.endedAt ?? report.generatedAt;
  const bar = (of: PhaseReport | StepReport, label: string, className: string): Bar[] =>
    of.startedAt === undefined
      ? []
      : [
          {
            label,
            className,
            state: of.state,
            startMs: Date.parse(of.startedAt),
            endMs: Math.max(Date.parse(of.startedAt), Date.parse(of.endedAt ?? now)),
            length: of.endedAt === undefined ? 'not ended' : showMs(of.durationMs),
          },
        ];
  return [
    ...(phase.phase === undefined ? [] : bar(phase, phase.phase, 'phase')),
    ...phase.classes.flatMap((each) =>
      each.steps.flatMap((step) => bar(step, `${each.class} · ${step.title}`, each.class)),
    ),
  ];
}

function scaleOf(report: Report, bars: Bar[]): Scale {
  const triggerMs = Date.parse(report.run.triggeredAt);
  const endMs = Math.max(...bars.map((bar) => bar.endMs), triggerMs + 1000);
  const firstMs = Math.min(triggerMs, ...bars.map((bar) => bar.startMs));
  if (report.run.outageBeganAt === undefined) return { startMs: firstMs, endMs, triggerMs, outageOutside: false };
  const outageMs = Date.parse(report.run.outageBeganAt);
  const isOutside = (atMs: number) => triggerMs - atMs > endMs - triggerMs;
  const outageOutside = isOutside(outageMs);
  const { answeredAt } = report.run;
  const answeredMs = answeredAt === undefined ? undefined : Date.parse(answeredAt);
  const drawn = [outageMs, ...(answeredMs === undefined ? [] : [answeredMs])].filter((atMs) => !isOutside(atMs));
  return {
    startMs: Math.min(firstMs, ...drawn),
    endMs,
    triggerMs,
    outageMs,
    ...(answeredMs === undefined ? {} : { answeredMs }),
    outageOutside,
  };
}

function percent(atMs: number, { startMs, endMs }: Scale): number {
  return Math.round(((atMs - startMs) / (endMs - startMs)) * 10_000) / 100;
}

function ticks(scale: Scale): Markup[] {
  const lengthSeconds = (scale.endMs - scale.startMs) / 1000;
  const every = tickSeconds.find((seconds) => lengthSeconds / seconds <= mostTicks) ?? lengthSeconds / mostTicks;
  const marks: Markup[] = [];
  const first = Math.ceil((scale.startMs - scale.triggerMs) / 1000 / every);
  for (let index = first; index * every * 1000 + scale.triggerMs <= scale.endMs; index += 1) {
    const x = percent(index * every * 1000 + scale.triggerMs, scale);
    const sign = index < 0 ? '−' : '+';
    marks.push(
      html`<line class="tick" x1="${x}%" x2="${x}%" y1="40" y2="100%" />
        <text class="tick-label" x="${x}%" y="36" text-anchor="${anchorAt(x)}"
          >${index !== 0 && sign + short(Math.abs(index * every))}</text
        >`,
    );
  }
  return marks;
}

/** The outage began somewhere in this band, which may begin before the chart does. */
function uncertain(scale: Scale): Markup | false {
  const { outageMs, answeredMs, outageOutside, startMs } = scale;
  if (outageMs === undefined || answeredMs === undefined || outageOutside) return false;
  const from = percent(Math.max(answeredMs, startMs), scale);
  return html`<rect class="uncertain" x="${from}%" width="${percent(outageMs, scale) - from}%" y="2" height="12">
    <title>The outage began between ${showTime(new Date(answeredMs).toISOString())} and the mark</title>
  </rect>`;
}

function markers(scale: Scale): Markup[] {
  const inside = scale.outageMs !== undefined && !scale.outageOutside;
  const marked = [
    ...(inside ? [{ name: 'outage began', atMs: scale.outageMs ?? 0, y: 10 }] : []),
    { name: 'trigger', atMs: scale.triggerMs, y: 22 },
  ];
  return marked.map(({ name, atMs, y }) => {
    const x = percent(atMs, scale);
    return html`<line class="marker" x1="${x}%" x2="${x}%" y1="${y - 8}" y2="100%" />
      <text class="marker-label" x="${x}%" dx="${x > 75 ? -4 : 4}" y="${y}" text-anchor="${x > 75 ? 'end' : 'start'}"
        >${name}</text
      >`;
  });
}

function rowOf(bar: Bar, scale: Scale): Markup {
  const from = percent(bar.startMs, scale);
  const to = percent(bar.endMs, scale);
  const place = to <= 84 ? { x: to, dx: 6, anchor: 'start' } : { x: from, dx: -6, anchor: 'end' };
  // A bar across the whole width leaves no room for its duration, which is in the table.
  const hasRoom = to <= 84 || from >= 16;
  return html`<div class="row ${bar.className}" title="${`${bar.label}: ${stateWords[bar.state]}, ${bar.length}`}">
    <span class="label">${stateMarks[bar.state]} ${bar.label}</span>
    <svg class="track">
      <rect class="bar ${bar.state}" x="${from}%" width="${Math.max(0.15, to - from)}%" height="12" rx="2" />
      ${
        hasRoom &&
        html`<text class="length" x="${place.x}%" dx="${place.dx}" y="11" text-anchor="${place.anchor}"
          >${bar.length}</text
        >`
      }
    </svg>
  </div>`;
}

/** States are distinguished by pattern as well as by color. */
const patterns = html`<defs>
  <pattern id="hatch-failed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"
    ><rect width="6" height="6" class="hatch-ground" /><rect width="3" height="6" class="hatch-bad"
  /></pattern>
  <pattern id="hatch-running" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"
    ><rect width="8" height="8" class="hatch-ground" /><rect width="4" height="8" class="hatch-quiet"
  /></pattern>
  <pattern id="dots-undone" width="5" height="5" patternUnits="userSpaceOnUse"
    ><rect width="5" height="5" class="hatch-ground" /><circle cx="2.5" cy="2.5" r="1.3" class="hatch-quiet"
  /></pattern>
</defs>`;

function anchorAt(x: number): string {
  if (x < 2) return 'start';
  return x > 98 ? 'end' : 'middle';
}

function short(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)}s`;
  if (seconds < 3600) return seconds % 60 === 0 ? `${seconds / 60}m` : `${(seconds / 60).toFixed(1)}m`;
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${(seconds / 3600).toFixed(1)}h`;
}
