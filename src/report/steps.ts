/** What happened: the plan's steps with their records, as phases → classes → steps whose states add up. */
import type { Plan, Step } from '../plan/plan.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import { phases, resourceClasses } from '../topology/words.ts';
import { stepStates, type ClassReport, type PhaseReport, type StepReport, type StepTally } from './schema.ts';

/** Milliseconds between two ISO times. Never negative (two clocks may differ a little). */
export function elapsedMs(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

/** Reports one step. */
export function reportStep(step: Step, record: StepRecord | undefined): StepReport {
  const ended = record?.endedAt;
  return {
    id: step.id,
    class: step.class,
    title: step.title,
    state: stateOf(record),
    attempts: record?.attempts ?? 0,
    waitedForPersonMs: record?.waitedForPersonMs ?? 0,
    ...(record && { startedAt: record.startedAt }),
    ...(record && ended !== undefined && { endedAt: ended, durationMs: elapsedMs(record.startedAt, ended) }),
    ...(step.expectedSeconds !== undefined && { expectedSeconds: step.expectedSeconds }),
    ...(record?.detail !== undefined && { detail: record.detail }),
    ...(record?.error && { error: record.error }),
  };
}

/** Returns the state of a step. One that a cancel interrupted has not failed by itself. */
export function stateOf(record: StepRecord | undefined): StepReport['state'] {
  if (record?.state !== 'failed') return record?.state ?? 'pending';
  // Release 0.2.0 wrote the other code.
  return record.error?.code === 'CancelledRun' || record.error?.code === 'Declined' ? 'cancelled' : 'failed';
}

/** Groups by phase and class, in the design's order. Steps stay in the plan's order. */
export function reportPhases(plan: Plan, steps: StepReport[]): PhaseReport[] {
  const phaseOf = new Map(plan.steps.map((step) => [step.id, step.phase]));
  return [...phases, undefined].flatMap((phase) => {
    const mine = steps.filter((step) => phaseOf.get(step.id) === phase);
    if (mine.length === 0) return [];
    const classes = resourceClasses.flatMap((name): ClassReport[] => {
      const ofClass = mine.filter((step) => step.class === name);
      return ofClass.length === 0 ? [] : [{ class: name, ...spanOf(ofClass), steps: ofClass }];
    });
    return [{ ...(phase && { phase }), ...spanOf(mine), classes }];
  });
}

/** Counts steps by state. */
export function tallyOf(steps: { state: StepReport['state'] }[]): StepTally {
  const tally = {
    total: steps.length,
    ...Object.fromEntries(stepStates.map((state) => [state, 0])),
  } as StepTally;
  for (const step of steps) tally[step.state] += 1;
  return tally;
}

function spanOf(steps: StepReport[]): Omit<PhaseReport, 'phase' | 'classes'> {
  const starts = steps.flatMap((step) => step.startedAt ?? []);
  const ends = steps.flatMap((step) => step.endedAt ?? []);
  const tally = tallyOf(steps);
  const startedAt = starts.toSorted(byTime)[0];
  const over = tally.running === 0 && tally.pending === 0;
  const endedAt = over ? ends.toSorted(byTime).at(-1) : undefined;
  return {
    state: stateOfAll(tally),
    tally,
    ...(startedAt !== undefined && { startedAt }),
    ...(startedAt !== undefined && endedAt !== undefined && { endedAt, durationMs: elapsedMs(startedAt, endedAt) }),
  };
}

/** A group has the worst state of its steps, and is unfinished while any step is. */
function stateOfAll(tally: StepTally): StepReport['state'] {
  for (const state of ['undo-failed', 'failed', 'cancelled', 'undone', 'running'] as const) {
    if (tally[state] > 0) return state;
  }
  if (tally.pending === tally.total) return 'pending';
  if (tally.pending > 0) return 'running';
  if (tally.owed > 0) return 'owed';
  return tally.skipped === tally.total ? 'skipped' : 'completed';
}

function byTime(left: string, right: string): number {
  return Date.parse(left) - Date.parse(right);
}
