/**
 * The plan that takes a run back: what its journal says was done, newest first. Pure, and compiled once, before the first undo: it is
 * sealed like any plan, and whoever takes the run up goes on with it.
 */
import type { Plan, Step } from './plan.ts';

/** What is read of a step's record. */
export interface DoneStep {
  step: string;
  state: string;
  /** ISO 8601; absent: it was broken off. */
  endedAt?: string | undefined;
  /** What its undo needs, if it was kept. */
  undo?: unknown;
}

const done = new Set(['completed', 'owed', 'undo-failed']);
const brokenOff = new Set(['running', 'failed']);

export function compileUndo(plan: Plan, digest: string, records: readonly DoneStep[]): Plan {
  const recordOf = new Map(records.map((record) => [record.step, record]));
  const touched = plan.steps
    .filter((step) => step.undoable && mayHaveChanged(recordOf.get(step.id)))
    // Later in the plan first, then by the time of ending; what was broken off is the newest.
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

/** A step that was broken off may have changed things once it has kept what its undo needs. */
export function mayHaveChanged(record: Omit<DoneStep, 'step'> | undefined): boolean {
  if (!record) return false;
  return done.has(record.state) || (brokenOff.has(record.state) && record.undo !== undefined);
}

function endOf(record: DoneStep | undefined): string {
  return record?.endedAt ?? '9';
}
