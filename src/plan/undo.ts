/**
 * Compiles the plan that undoes a run: what its journal says was done, newest first. Pure. It is compiled once, before
 * the first undo, and sealed like any plan. A retry continues with it.
 */
import type { Plan, Step } from './plan.ts';

/** The fields of a step's record that are read here. */
export interface DoneStep {
  step: string;
  state: string;
  /** ISO 8601. Absent if the step was interrupted. */
  endedAt?: string | undefined;
  /** What its undo needs, if that was recorded. */
  undo?: unknown;
}

const done = new Set(['completed', 'owed', 'undo-failed']);
/** Of these, what their undo needs tells whether they have changed anything: a person may have skipped one half-way. */
const brokenOff = new Set(['running', 'failed', 'skipped']);

/** Compiles the undo plan. `digest`: of the plan to undo. */
export function compileUndo(plan: Plan, digest: string, records: readonly DoneStep[]): Plan {
  const recordOf = new Map(records.map((record) => [record.step, record]));
  const touched = plan.steps
    .filter((step) => step.undoable && mayHaveChanged(recordOf.get(step.id)))
    // Steps later in the plan come first, then those that ended later. An interrupted step is the newest.
    .toReversed()
    .toSorted((a, b) => endOf(recordOf.get(b.id)).localeCompare(endOf(recordOf.get(a.id))));
  return {
    ...plan,
    undoes: digest,
    steps: touched.map((step, index): Step => {
      const before = touched[index - 1];
      const { expectedSeconds: _, ...rest } = step;
      return { ...rest, title: `Undo: ${step.title}`, needs: before ? [before.id] : [] };
    }),
    notes: [],
  };
}

/** An interrupted step may have changed things once it has recorded what its undo needs. */
export function mayHaveChanged(record: Omit<DoneStep, 'step'> | undefined): boolean {
  if (!record) return false;
  return done.has(record.state) || (brokenOff.has(record.state) && record.undo !== undefined);
}

function endOf(record: DoneStep | undefined): string {
  return record?.endedAt ?? '9';
}
