/**
 * A plan: the ordered steps of one operation, compiled once by a pure function, stored by digest, then interpreted.
 * Nothing here does I/O or depends on Temporal: the workflow and the activities interpret these types.
 */
import { z } from 'zod';
import { phases, resourceClasses } from '../topology/words.ts';
import { actionNames } from './actions.ts';
import { operationNames } from './operations.ts';

/** How long a step may take, in seconds. */
const TimeLimits = z.strictObject({
  /** The longest time of one attempt, from its start. */
  attemptSeconds: z.number(),
  /** The longest time of all attempts together. */
  stepSeconds: z.number(),
  /** The longest time without progress. The attempt then ends, and the step is retried. */
  silenceSeconds: z.number(),
});
export type TimeLimits = z.infer<typeof TimeLimits>;

/** A gate: who decides whether a run may continue, how many, and until when. */
const Gate = z.strictObject({
  /** Unique in the plan. */
  name: z.string(),
  /** Who may decide; absent: anyone, except who started the run. */
  approvers: z.array(z.string()).readonly().optional(),
  /** How many must approve. One who declines is enough to decline. */
  approvals: z.int().min(1),
  /** Counted from the moment at which the gate asks. */
  deadlineSeconds: z.number(),
  /** What the end of that time means. */
  afterDeadline: z.enum(['approve', 'decline']),
});
export type Gate = z.infer<typeof Gate>;

/** What one person has decided at a gate. */
export const Decision = z.strictObject({
  by: z.string().describe('Who they say they are'),
  /** ISO 8601. */
  at: z.string(),
  approve: z.boolean(),
  reason: z.string(),
});
export type Decision = z.infer<typeof Decision>;

/** The smallest part of a plan that has a name and a state. */
export const Step = z.strictObject({
  /** Example: `restore/data/blobs`. Unique in the plan, and the same in every compilation of the same input. */
  id: z.string(),
  /** Absent in operations without phases (`replicate`). */
  phase: z.enum(phases).optional(),
  class: z.enum(resourceClasses),
  action: z.enum(actionNames),
  /** For people: "Copy 212 blobs into frauddrwest". */
  title: z.string(),
  /** Ids of the steps that must be completed (or skipped, or owed) before this one. */
  needs: z.array(z.string()),
  /** Of `needs`: those that must not be owed. */
  unowed: z.array(z.string()).optional(),
  /** What the old side does not do may be owed. In plans of older releases: whatever the step says. */
  mayOwe: z.literal(true).optional(),
  /** The facts that hold once it is done (see facts.ts). Absent in plans of older releases. */
  provides: z.array(z.string()).optional(),
  /**
   * Regions: the side that it reads or shuts out, and the side on which it works. Absent in plans of older releases:
   * the plan's.
   */
  from: z.string().optional(),
  to: z.string().optional(),
  /** What the action needs beyond the plan's own fields. Small, and only names, never values of secrets. */
  input: z.record(z.string(), z.unknown()),
  /** The host whose task queue must run it (config files on a named host). */
  host: z.string().optional(),
  /** Whether the action is undone when the run is cancelled. */
  undoable: z.boolean(),
  /** It is a gate: people decide whether the run continues. */
  gate: Gate.optional(),
  /** Predicted duration in seconds, if it can be predicted. */
  expectedSeconds: z.number().optional(),
  /** From the policies. Absent in plans of older releases, which use the profile's. */
  timeLimits: TimeLimits.optional(),
});
export type Step = z.infer<typeof Step>;

/** A reference to a sealed recovery point. */
export const RecoveryPointRef = z.strictObject({
  /** Start of its listing, and its epoch: `2026-11-21T10-00-00.000Z-e1`. */
  id: z.string(),
  /** Digest of the sealed manifest: sha256 hex. */
  digest: z.string(),
  /** When its listing began (ISO 8601): RPO is measured from here. */
  startedAt: z.string(),
});
export type RecoveryPointRef = z.infer<typeof RecoveryPointRef>;

/** What a failover cannot restore, and a person accepts as lost. */
export const AcceptedLoss = z.strictObject({
  /** The name by which a person accepts it: `storage:lake`. */
  id: z.string(),
  kind: z.string(),
  /** The name of the resource. */
  name: z.string(),
  classes: z.array(z.enum(resourceClasses)),
  what: z.string(),
});
export type AcceptedLoss = z.infer<typeof AcceptedLoss>;

/** The ordered steps of one operation. */
export const Plan = z.strictObject({
  operation: z.enum(operationNames),
  topology: z.string(),
  /** Digest of the bundle (topology, templates, parameters) in the control store. */
  bundle: z.string(),
  from: z.string(),
  to: z.string(),
  recoveryPoint: RecoveryPointRef.optional(),
  /** The epoch in which the plan was made. The run refuses to start in another. */
  madeInEpoch: z.int().min(1),
  /** For an undo plan: the digest of the plan that it undoes. */
  undoes: z.string().optional(),
  /** What a person has accepted as lost, by name, before anything changes. */
  acceptedLosses: z.array(AcceptedLoss).optional(),
  steps: z.array(Step),
  /** What a person should know before it runs: nothing to restore for a class, an objective without a probe, … */
  notes: z.array(z.string()),
});
export type Plan = z.infer<typeof Plan>;
