/** Checks that counts add up, and collects everything that was not done, with its reason. */
import { messageOf } from '../errors/error.ts';
import { reconcile, type StepRecord } from '../run/work/outcome.ts';
import { actionOf } from '../plan/actions.ts';
import type { Step } from '../plan/plan.ts';
import { stateOf } from './steps.ts';
import type { CountsRow, LeftOver, Report, UndoOutcome } from './schema.ts';

/** A step of the plan, and its record if it has one. */
export interface Executed {
  step: Step;
  record: StepRecord | undefined;
}

/**
 * Returns one row for each step and kind, sorted by kind. A row that does not add up is reported as a problem by name.
 */
export function reportCounts(
  executed: Executed[],
  inRecoveryPoint: Record<string, number> = {},
): { rows: CountsRow[]; problems: string[] } {
  const problems: string[] = [];
  const rows = executed.flatMap(({ step, record }) =>
    (record?.counts ?? []).map((counts): CountsRow => {
      let reconciled = true;
      try {
        reconcile(counts);
      } catch (error) {
        reconciled = false;
        problems.push(`step "${step.id}": ${messageOf(error)}`);
      }
      // A step that names a recovery point of its own counts another one's.
      const held = step.input.recoveryPoint === undefined ? inRecoveryPoint[counts.kind] : undefined;
      return {
        step: step.id,
        title: step.title,
        class: step.class,
        ...(step.phase && { phase: step.phase }),
        ...counts,
        reconciled,
        ...(held !== undefined && { inRecoveryPoint: held }),
      };
    }),
  );
  return { rows: [...Map.groupBy(rows, (row) => row.kind).values()].flat(), problems };
}

/**
 * Returns what is lost or left for a person: what the steps name, or what they counted as failed if they name nothing.
 */
export function reportLost(executed: Executed[]): Report['lost'] {
  return executed.flatMap(({ step, record }) => {
    if (!record) return [];
    const lines = (record.lost ?? []).map((text) => ({ step: step.id, text }));
    if (lines.length === 0) {
      for (const counts of record.counts ?? []) {
        for (const part of counts.failed) {
          lines.push({ step: step.id, text: `${part.count} ${counts.kind} failed: ${part.reason}` });
        }
      }
    }
    return lines;
  });
}

/** Returns what could not be undone. */
export function reportNotUndone(executed: Executed[]): Report['lost'] {
  return executed.flatMap(({ step, record }) =>
    record?.state === 'undo-failed'
      ? [{ step: step.id, text: `"${step.title}" could not be undone: ${reasonOf(record)}` }]
      : [],
  );
}

/**
 * Returns what is still owed at the end. Excludes what a later step has paid, and what no longer applies because the
 * run was cancelled and gave the pointer back.
 */
export function reportOwed(executed: Executed[]): Report['owed'] {
  const owed = new Map<string, Report['owed'][number]>();
  for (const { step, record } of executed) {
    if (step.action === 'takePointer' && record?.state === 'undone') return [];
    // This step checked all debts: those that it does not name are paid.
    if (step.action === 'payFenceDebt' && (record?.state === 'completed' || record?.state === 'skipped')) owed.clear();
    for (const { kind, region, what, reason, step: by } of record?.owed ?? [])
      owed.set(`${region}/${kind}`, { kind, region, what, reason, step: by });
  }
  return [...owed.values()];
}

/**
 * Returns everything that was not done: steps, and items that steps counted. Failures come first. Steps that have not
 * ended, or were not begun, are included once the run is over.
 */
export function reportLeftOver(executed: Executed[], over: boolean): LeftOver[] {
  const states = new Map(executed.map(({ step, record }) => [step.id, record?.state]));
  const all = executed.flatMap(({ step, record }): LeftOver[] => {
    const at = { step: step.id, title: step.title };
    if (!record) return over ? [{ state: 'pending', ...at, reason: whyNotBegun(step, states) }] : [];
    const state = stateOf(record);
    const itself = state === 'skipped' || state === 'failed' || state === 'cancelled' || (over && state === 'running');
    const next = record.error?.next;
    const own = { ...at, reason: reasonOf(record), ...(next !== undefined && { next }) };
    return [...(itself ? [{ state, ...own } as LeftOver] : []), ...countedLeftOver(at, record)];
  });
  const order = ['failed', 'cancelled', 'running', 'pending', 'skipped'] as const;
  return order.flatMap((state) => all.filter((each) => each.state === state));
}

function countedLeftOver(at: { step: string; title: string }, record: StepRecord): LeftOver[] {
  return (record.counts ?? []).flatMap((counts) =>
    (['failed', 'skipped'] as const).flatMap((state) =>
      counts[state].map((part) => ({
        state,
        ...at,
        what: `${part.count} of ${counts.expected} ${counts.kind}`,
        reason: part.reason,
      })),
    ),
  );
}

const held = new Set<StepRecord['state'] | undefined>(['completed', 'skipped', 'owed', 'undone', 'undo-failed']);

function whyNotBegun(step: Step, states: Map<string, StepRecord['state'] | undefined>): string {
  // A step that was undone had been done.
  const missing = step.needs.filter((id) => !held.has(states.get(id)));
  return missing.length === 0 ? 'the run ended before it began' : `it needs ${missing.join(', ')}`;
}

/**
 * For a cancelled run: what was undone, what could not be undone, and what stays because it has no undo. Newest first.
 */
export function reportUndo(executed: Executed[], cancelled: boolean): UndoOutcome[] {
  const undone = executed.flatMap(({ step, record }): (UndoOutcome & { at: string })[] => {
    if (!record) return [];
    const at = { step: step.id, title: step.title, at: record.startedAt };
    if (record.state === 'undone' || record.state === 'undo-failed') {
      return [{ ...at, outcome: record.state, reason: reasonOf(record) }];
    }
    if (!cancelled || record.state === 'skipped' || leftNothing({ step, record })) return [];
    const { undo } = actionOf(step.action);
    const reason =
      typeof undo === 'object' && 'stays' in undo
        ? `${undo.stays}: ${record.detail ?? record.error?.message ?? 'what it did is not recorded'}`
        : `was not undone; its state is ${stateOf(record)}`;
    return [{ ...at, outcome: 'stays', reason }];
  });
  return undone
    .toSorted((left, right) => Date.parse(right.at) - Date.parse(left.at))
    .map(({ at: _at, ...outcome }) => outcome);
}

/** Whether it only read, or what it had to do was owed. */
function leftNothing({ step, record }: Executed): boolean {
  return actionOf(step.action).undo === 'reads only' || (record?.owed?.length ?? 0) > 0;
}

function reasonOf(record: StepRecord): string {
  // If a step failed half-way and its undo then found nothing to do, `error` is still the step's own.
  if (record.state === 'undone' || record.state === 'undo-failed') return record.detail ?? 'no reason was recorded';
  return record.error?.message ?? record.detail ?? 'no reason was recorded';
}
