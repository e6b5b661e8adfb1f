/**
 * A plan: the ordered steps of one operation, compiled once by a pure function, stored by digest, then interpreted.
 * Nothing here does I/O, and nothing here knows Temporal: the workflow and the activities interpret these types.
 */
import { z } from 'zod';
import { phases, resourceClasses } from '../topology/words.ts';
import { actionNames } from './actions.ts';
import { operationNames } from './operations.ts';

/** How long a step may take, in seconds. */
const TimeLimits = z.strictObject({
  /** One attempt, from its start. */
  attemptSeconds: z.number(),
  /** All of its attempts. */
  stepSeconds: z.number(),
  /** Without any progress: the attempt is ended then, and the step is tried again. */
  silenceSeconds: z.number(),
});
export type TimeLimits = z.infer<typeof TimeLimits>;

export const Step = z.strictObject({
  /** `restore/data/blobs`: unique in the plan, stable between two compilations of the same input. */
  id: z.string(),
  /** Absent in operations without phases (`replicate`). */
  phase: z.enum(phases).optional(),
  class: z.enum(resourceClasses),
  action: z.enum(actionNames),
  /** What a person reads: "Copy 212 blobs into frauddrwest". */
  title: z.string(),
  /** Ids of the steps that must be completed (or skipped, or owed) before this one. */
  needs: z.array(z.string()),
  /** What the action needs beyond the plan's own fields: names, never values of secrets; small. */
  input: z.record(z.string(), z.unknown()),
  /** The host whose task queue must run it (config files on a named host). */
  host: z.string().optional(),
  /** The action can be undone when the run is cancelled. */
  undoable: z.boolean(),
  /** Predicted duration in seconds, where one can be predicted. */
  expectedSeconds: z.number().optional(),
  /** From the policies; absent in plans of older releases: then those of its profile. */
  timeLimits: TimeLimits.optional(),
});
export type Step = z.infer<typeof Step>;

export const RecoveryPointRef = z.strictObject({
  /** `2026-11-21T10-00-00.000Z-e1`: start of its listing, and its epoch. */
  id: z.string(),
  /** Digest of the sealed manifest: sha256 hex. */
  digest: z.string(),
  /** When its listing began (ISO 8601): RPO is measured from here. */
  startedAt: z.string(),
});
export type RecoveryPointRef = z.infer<typeof RecoveryPointRef>;

/** What a move cannot bring over, and a person goes without. */
export const AcceptedLoss = z.strictObject({
  /** `storage:lake`: what a person names it by. */
  id: z.string(),
  kind: z.string(),
  /** The name of what is lost. */
  name: z.string(),
  classes: z.array(z.enum(resourceClasses)),
  what: z.string(),
});
export type AcceptedLoss = z.infer<typeof AcceptedLoss>;

export const Plan = z.strictObject({
  operation: z.enum(operationNames),
  topology: z.string(),
  /** Digest of the bundle (topology, templates, parameters) in the control store. */
  bundle: z.string(),
  from: z.string(),
  to: z.string(),
  recoveryPoint: RecoveryPointRef.optional(),
  /** The epoch the plan was made in; the run refuses to start in another. */
  madeInEpoch: z.int().min(1),
  /** An undo plan: the digest of the plan whose steps it takes back. */
  undoes: z.string().optional(),
  /** What a person has accepted as lost, by name, before anything moves. */
  acceptedLosses: z.array(AcceptedLoss).optional(),
  steps: z.array(Step),
  /** What a person should know before it runs: nothing to restore for a class, an objective without a probe, … */
  notes: z.array(z.string()),
});
export type Plan = z.infer<typeof Plan>;
