/** A run as the control store has it: what was requested, its plan, and its state. */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import { UnderstudyError } from '../errors/error.ts';
import { operationNames } from '../plan/operations.ts';
import { runStates } from '../plan/run-states.ts';

const Who = { by: z.string(), at: z.string() };

export const RunDocument = z.strictObject({
  runId: z.string(),
  topology: z.string(),
  operation: z.enum(operationNames),
  /** Digest of the topology and its templates, as the run uses them. */
  bundle: z.string(),
  /** Why it was started. */
  reason: z.string(),
  triggeredBy: z.string(),
  /** ISO 8601: when the command was given. */
  triggeredAt: z.string(),
  /** How long it may take in all, in seconds; absent: the topology's policy. */
  deadlineSeconds: z.number().positive().optional(),

  // Set once it has a plan: from the start if a person confirmed one, otherwise from its first activity on.
  /** Digest. */
  plan: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  recoveryPoint: z.string().optional(),
  /** ISO 8601: when the outage began, as far as is known (first failed probe, or what the person said). */
  outageBeganAt: z.string().optional(),
  /** How `outageBeganAt` is known. */
  outageSource: z.string().optional(),
  /**
   * ISO 8601: when the region last answered before the outage, which therefore began later; without `outageBeganAt`,
   * the health check of the command itself. Absent where a person has told when it began, or if no answer is known.
   */
  answeredAt: z.string().optional(),

  state: z.enum(runStates),
  stateReason: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** No new step starts. */
  paused: z.strictObject(Who).optional(),
  /** Somebody has cancelled it: from then on it is only undone, by any execution. */
  cancelled: z.strictObject(Who).optional(),
  /** ISO 8601: when it set out to take the region pointer. From then on no other run may end it. */
  committedAt: z.string().optional(),
  /** The run that has ended it, to move at once: nothing of it is undone. And of that run: which it has ended. */
  supersededBy: z.string().optional(),
  supersedes: z.string().optional(),
  /** Digest of the plan that undoes it. */
  undoPlan: z.string().optional(),
  /** By step: the loss that a person accepts, so that the run continues without what the step cannot have. */
  accepted: z.record(z.string(), z.strictObject({ ...Who, reason: z.string() })).optional(),
  /**
   * By the variable that names a webhook: which end of the run it was notified of (`endedAt`), and why it could not be.
   */
  notified: z.record(z.string(), z.strictObject({ of: z.string(), problem: z.string().optional() })).optional(),
  /**
   * The end of the run (`endedAt`) for which the report was last to be written, and why it could not be; absent: nobody
   * tried.
   */
  reported: z.strictObject({ of: z.string(), problem: z.string().optional() }).optional(),
});
export type RunDocument = z.infer<typeof RunDocument>;

export const runDocuments = documentKind('run', 2, RunDocument);

/** A run that has its plan. */
export interface RunHeader extends RunDocument {
  plan: string;
  from: string;
  to: string;
}

/** ControlStoreError if the run has no plan yet. */
export function withPlan(run: RunDocument): RunHeader {
  const { plan, from, to } = run;
  if (plan === undefined || from === undefined || to === undefined)
    throw new UnderstudyError('ControlStoreError', `run "${run.runId}" has no plan yet`);
  return { ...run, plan, from, to };
}
