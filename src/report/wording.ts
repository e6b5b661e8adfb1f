/** How reports word figures, states and times. HTML and text use the same words. */
import { showDuration } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import type { ClassObjectives, Report, StepState, Urgency } from './schema.ts';
import type { WorstMeasure } from './worst.ts';

/** Shown if nothing is known. */
export const unknown = '–';

/** Formats milliseconds. Unknown values get a placeholder. */
export function showMs(milliseconds: number | undefined): string {
  return milliseconds === undefined ? unknown : showDuration(milliseconds);
}

/** Example: `37.3s to 2m 05s`; one figure if both are shown alike. */
export function showRange(leastMs: number | undefined, mostMs: number | undefined): string {
  const [least, most] = [showMs(leastMs), showMs(mostMs ?? leastMs)];
  return least === most ? least : `${least} to ${most}`;
}

/** Example: `37.3s and 2m 05s`, after "between". */
export function showBetween(leastMs: number, mostMs = leastMs): string {
  return `${showMs(leastMs)} and ${showMs(mostMs)}`;
}

/**
 * When the outage began, and how that is known: `between 2026-11-21 03:00:03 UTC (eastus answered) and 2026-11-21
 * 03:01:00 UTC (first failed health check)`.
 */
export function showOutage({ outageBeganAt, outageSource, answeredAt, from }: Report['run']): string {
  if (outageBeganAt === undefined) return answeredAt === undefined ? 'not known' : 'planned: counted from the trigger';
  if (answeredAt !== undefined) {
    const source = outageSource === undefined ? '' : ` (${outageSource})`;
    return `between ${showTime(answeredAt)} (${from} answered) and ${showTime(outageBeganAt)}${source}`;
  }
  // A source of an earlier release may have parentheses in it.
  return `${showTime(outageBeganAt)}${outageSource === undefined ? '' : `, ${outageSource}`}`;
}

/** Example: `7: 1 from its checkpoint, 4 from the beginning, 2 for people`. */
export function showFates(jobs: Report['jobs']): string {
  const counted = fates.flatMap(([is, one, several]) => {
    const count = jobs.filter((job) => fates.find(([each]) => each(job))?.[0] === is).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`];
  });
  return [String(jobs.length), counted.join(', ')].filter((part) => part !== '').join(': ');
}

type Job = Report['jobs'][number];

/** What became of a job, the first that applies. */
const fates: [(job: Job) => boolean, string, string][] = [
  [({ outcome }) => outcome === 'failed', 'failed', 'failed'],
  [({ outcome }) => outcome === 'owed', 'owed', 'owed'],
  [({ class: name }) => name === 'resubmit', 'from its checkpoint', 'from their checkpoints'],
  [({ class: name }) => name === 'restart', 'from the beginning', 'from the beginning'],
  [({ class: name }) => name === 'skip', 'with nothing to do', 'with nothing to do'],
  [() => true, 'for people', 'for people'],
];

function showSeconds(seconds: number | undefined): string {
  return seconds === undefined ? unknown : showDuration(seconds * 1000);
}

/** Example: `2026-11-21 10:00:03 UTC`. */
export function showTime(iso: string | undefined): string {
  if (iso === undefined) return unknown;
  return `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** States in words for people. A step without a record was not begun. */
export const stateWords = {
  completed: 'completed',
  skipped: 'skipped',
  owed: 'owed',
  failed: 'failed',
  cancelled: 'cancelled',
  running: 'not ended',
  pending: 'not begun',
  undone: 'undone',
  'undo-failed': 'undo failed',
} as const satisfies Record<StepState, string>;

/** A sign for every state, so that no state is shown by color alone. */
export const stateMarks = {
  completed: '✓',
  skipped: '○',
  owed: '◐',
  failed: '✗',
  cancelled: '⊘',
  running: '…',
  pending: '·',
  undone: '↶',
  'undo-failed': '‼',
} as const satisfies Record<StepState, string>;

/** What the figures mean if the beginning of the outage is known only between two times. */
export const rangeNote =
  'RTO is given as the least and the most that it can be; RPO is the most, measured to the later time.';

/** Example: "3 (not readable), 1 (gone)". 0 if there are none. */
export function showParts(parts: { reason: string; count: number }[]): string {
  return parts.length === 0 ? '0' : parts.map((part) => `${part.count} (${part.reason})`).join(', ');
}

/**
 * Shortens messages for people: an address to its host, an ARM id to what follows its provider. The JSON has the whole
 * message.
 *
 *     GET /subscriptions/…/providers/Microsoft.MachineLearningServices/workspaces/w/jobs  →  GET …/workspaces/w/jobs
 */
export function shortened(text: string): string {
  return text
    .replaceAll(/https?:\/\/([^\s"')\],;]+)/g, (_, rest: string) => {
      const [end = ''] = /[.:]*$/.exec(rest) ?? [];
      return (rest.split(/[/?#]/)[0] ?? '').replace(/[.:]*$/, '') + end;
    })
    .replaceAll(/\/subscriptions\/([^\s"')\],;:?]+)(\?[^\s"')\],;:]*)?/g, (_, rest: string) => {
      const [, ofProvider] = rest.split(/\/providers\/[^/]+\//);
      return `…/${ofProvider ?? rest.split('/').slice(-2).join('/')}`;
    });
}

/** The urgency of a task, in words for people. */
export const urgencyWords = {
  urgent: 'urgent',
  broken: 'does not work',
  lost: 'lost',
  check: 'to check',
  again: 'do again',
  know: 'good to know',
} as const satisfies Record<Urgency, string>;

/** A sign for every urgency, so that none is shown by color alone. */
export const urgencyMarks = {
  urgent: '‼',
  broken: '✗',
  lost: '−',
  check: '?',
  again: '↻',
  know: '·',
} as const satisfies Record<Urgency, string>;

/** The owner of a task: `ana`, or the operators of the workspace. */
export function showOwner(owner: string | undefined, topology: string): string {
  return owner ?? `Those who run ${topology}`;
}

/** For the class that did worst: `23.7s of 15m 00s: training, nearest to its limit (met)`. */
export function showWorst(measure: WorstMeasure): string {
  const { measuredMs, atMostMs, objectiveSeconds, verdict, why } = measure;
  const of = objectiveSeconds === undefined ? '' : ` of ${showSeconds(objectiveSeconds)}`;
  const because = verdict === 'not measured' && why !== undefined ? `: ${why}` : '';
  return `${showRange(measuredMs, atMostMs)}${of}: ${showClass(measure)} (${verdict}${because})`;
}

/** The class of a measure, and why it is this one: another may have taken longer. */
export function showClass({ class: name, nearest }: WorstMeasure): string {
  return nearest ? `${name}, nearest to its limit` : name;
}

/** What is owed, grouped by region, each with a heading. */
export function owedByRegion(owed: Report['owed']): { region: string; lines: string[] }[] {
  return [...Map.groupBy(owed, ({ region }) => region)].map(([region, debts]) => ({
    region,
    lines: debts.map(({ kind, what, reason }) => `${kind}: ${what} (${shortened(reason)})`),
  }));
}

/** Example: `2026-11-21T10-00-00.000Z-e1, sealed by this run, listed from …`. */
export function showRecoveryPoint(point: Report['recoveryPoint']): string {
  if (!point) return 'none';
  const made = point.made ? ', sealed by this run' : '';
  return `${point.id}${made}, listed from ${showTime(point.startedAt)}`;
}

/** One row for each objective. HTML and text show the same rows. */
export interface ObjectiveRow {
  class: ClassObjectives['class'];
  strategy: ClassObjectives['strategy'];
  name: 'RTO' | 'RPO';
  objective: string;
  sinceOutage: string;
  sinceTrigger: string;
  waited: string;
  verdict: ClassObjectives['rto']['verdict'];
  why: string;
}

/** Measured RTO and RPO of each class against its objectives. */
export function objectiveRows(objectives: ClassObjectives[]): ObjectiveRow[] {
  return objectives.flatMap(({ class: name, strategy, rto, rpo }): ObjectiveRow[] => {
    const of = { class: name, strategy };
    // A recovery point's age is one figure, shown under what it was counted from.
    const age = showMs(rpo.measuredMs);
    return [
      {
        ...of,
        name: 'RTO',
        objective: showSeconds(rto.objectiveSeconds),
        sinceOutage: showRange(rto.sinceOutageMs, rto.sinceOutageAtMostMs),
        sinceTrigger: showMs(rto.sinceTriggerMs),
        waited: rto.waitedForPersonMs === 0 ? 'none' : showMs(rto.waitedForPersonMs),
        verdict: rto.verdict,
        why: rto.why ?? '',
      },
      {
        ...of,
        name: 'RPO',
        objective: showSeconds(rpo.objectiveSeconds),
        sinceOutage: rpo.countedFrom === 'outage' ? age : unknown,
        sinceTrigger: rpo.countedFrom === 'trigger' ? age : unknown,
        waited: unknown,
        verdict: rpo.verdict,
        why: rpo.why ?? '',
      },
    ];
  });
}

/** The states of a group's steps that are not simply completed: `1 of 12 skipped`, …. */
export function showTally(tally: Record<StepState | 'total', number>): string {
  const parts = (Object.keys(stateWords) as StepState[]).flatMap((state) =>
    tally[state] === 0 ? [] : [`${tally[state]} ${stateWords[state]}`],
  );
  return `${showCount(tally.total, 'step')}: ${parts.join(', ')}`;
}
