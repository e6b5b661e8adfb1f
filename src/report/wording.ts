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

export const phaseless = 'steps';

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

/** For the class that did worst: `23.7s of 15m 00s: training`. */
export function showWorst({ class: name, measuredMs, objectiveSeconds }: WorstMeasure): string {
  const of = objectiveSeconds === undefined ? '' : ` of ${showSeconds(objectiveSeconds)}`;
  return `${showMs(measuredMs)}${of}: ${name}`;
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
        sinceOutage: showMs(rto.sinceOutageMs),
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
