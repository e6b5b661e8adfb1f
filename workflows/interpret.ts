/**
 * The interpreter: starts every step of a plan as soon as what it needs is done, each as an activity. It decides no
 * outcome: the journal has an outcome before the workflow does.
 */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { PlanStep } from '../src/run/begin-run.ts';

/** How the steps of a plan are executed: forward, or each undone. */
export interface Execution {
  /** Resolves once a further step may start; false: no further step starts. */
  mayStart(): Promise<boolean>;
  /** How the step ends. Never throws: a failure stops only steps that need this one. */
  execute(step: PlanStep): Promise<Ended>;
  /**
   * What the step needs is not done, or no step may start any more: it is not run. Returns whether steps that need it
   * continue all the same.
   */
  heldUp(step: PlanStep, missing: string[]): boolean;
}

/** How a step ends: steps that need it may begin (`owed`: those that accept that it is owed), or not. */
export type Ended = 'done' | 'owed' | 'not done';

/** Returns when every step has ended, or will not be run. */
export async function interpretPlan(steps: PlanStep[], execution: Execution): Promise<void> {
  const finished = new Map<string, Promise<Ended>>();
  const heldUp = (step: PlanStep, missing: string[]): Ended => (execution.heldUp(step, missing) ? 'done' : 'not done');
  const run = async (step: PlanStep): Promise<Ended> => {
    const needs = await Promise.all(step.needs.map((id) => finished.get(id) ?? Promise.resolve('not done' as const)));
    const missing = step.needs.filter((id, index) => {
      const ended = needs[index];
      return ended === 'owed' ? step.unowed?.includes(id) : ended !== 'done';
    });
    if (missing.length > 0) return heldUp(step, missing);
    if (!(await execution.mayStart())) return heldUp(step, []);
    return execution.execute(step);
  };
  for (const step of steps) finished.set(step.id, run(step));
  await Promise.all(finished.values());
}

/** Whether an activity was refused because somebody has cancelled the run without Temporal being told. */
export function isOfCancelledRun(error: unknown): boolean {
  return (
    error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === 'CancelledRun'
  );
}

/** One line for a person. */
export function causeOf(error: unknown, host?: string): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (host !== undefined && cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START') {
    return `no worker polls for ${host}: run "understudy worker --host ${host}" there`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
