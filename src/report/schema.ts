/**
 * The report of a run, as in `report.json`; HTML and text are made from it. It says what was planned, what happened,
 * how it compares with the objectives, and what was lost. Whatever is unknown is absent, never guessed. Times are ISO
 * 8601. Durations are milliseconds (`…Ms`) or seconds (`…Seconds`).
 */
import { z } from 'zod';
import { operationNames } from '../plan/operations.ts';
import { phases, resourceClasses, strategies } from '../topology/words.ts';
import { ConfigEvidence, Finding, JobEvidence } from './evidence.ts';

const Time = z.iso.datetime({ offset: true });
const Milliseconds = z.number().nonnegative();
const Count = z.int().nonnegative();
const Line = z.string();

/** `pending`: it has no record in the journal, so it was not begun. `cancelled`: a cancel interrupted it. */
export const stepStates = [
  'completed',
  'skipped',
  'owed',
  'failed',
  'cancelled',
  'running',
  'pending',
  'undone',
  'undo-failed',
] as const;
export type StepState = (typeof stepStates)[number];

const Part = z.strictObject({ reason: Line, count: Count });

export const CountsRow = z.strictObject({
  step: z.string(),
  title: Line,
  class: z.enum(resourceClasses),
  phase: z.enum(phases).optional(),
  kind: z.string(),
  expected: Count,
  done: Count,
  skipped: z.array(Part),
  failed: z.array(Part),
  /** expected = done + skipped + failed. */
  reconciled: z.boolean(),
  /** How many of the kind the recovery point has, if it says so. */
  inRecoveryPoint: Count.optional(),
});
export type CountsRow = z.infer<typeof CountsRow>;

/** How many steps are in each state. They add up to `total`. */
export const StepTally = z.strictObject({
  total: Count,
  ...(Object.fromEntries(stepStates.map((state) => [state, Count])) as Record<StepState, typeof Count>),
});
export type StepTally = z.infer<typeof StepTally>;

export const StepReport = z.strictObject({
  id: z.string(),
  class: z.enum(resourceClasses),
  title: Line,
  state: z.enum(stepStates),
  attempts: Count,
  startedAt: Time.optional(),
  endedAt: Time.optional(),
  durationMs: Milliseconds.optional(),
  /** The part of `durationMs` that was spent waiting for a person. */
  waitedForPersonMs: Milliseconds,
  expectedSeconds: z.number().optional(),
  detail: Line.optional(),
  error: z.strictObject({ code: z.string(), message: Line, next: Line.optional() }).optional(),
});
export type StepReport = z.infer<typeof StepReport>;

const span = {
  state: z.enum(stepStates),
  tally: StepTally,
  startedAt: Time.optional(),
  /** Absent while any of its steps is unfinished. */
  endedAt: Time.optional(),
  durationMs: Milliseconds.optional(),
};
export const ClassReport = z.strictObject({
  class: z.enum(resourceClasses),
  ...span,
  steps: z.array(StepReport),
});
export type ClassReport = z.infer<typeof ClassReport>;

export const PhaseReport = z.strictObject({
  /** Absent in operations without phases. */
  phase: z.enum(phases).optional(),
  ...span,
  classes: z.array(ClassReport),
});
export type PhaseReport = z.infer<typeof PhaseReport>;

const verdicts = ['met', 'missed', 'not measured', 'no objective'] as const;
export type Verdict = (typeof verdicts)[number];

const judged = {
  objectiveSeconds: z.number().optional(),
  verdict: z.enum(verdicts),
  /** Why it is not measured, which assumptions were made, what the figure omits. */
  why: Line.optional(),
  /** What the verdict counts from: the outage, or the trigger if the outage's beginning is unknown. */
  countedFrom: z.enum(['outage', 'trigger']),
};
export const Rto = z.strictObject({
  ...judged,
  /** The least: since the outage showed. */
  sinceOutageMs: Milliseconds.optional(),
  /** The most: since the region last answered. Absent if the beginning of the outage was told, or no answer is known. */
  sinceOutageAtMostMs: Milliseconds.optional(),
  sinceTriggerMs: Milliseconds.optional(),
  /** Time spent waiting for a person in steps that this class needed. Both figures include it. */
  waitedForPersonMs: Milliseconds,
  /** When the class's last switch step (for training: resume step) ended, and which step it was. */
  endedAt: Time.optional(),
  endedBy: z.string().optional(),
});
export type Rto = z.infer<typeof Rto>;
/** The interrupted job that loses most. */
const WorstJob = z.strictObject({
  /** Example: "job "train-17" of ana". */
  job: Line,
  /** Absent if not known. */
  lostMs: Milliseconds.optional(),
  /**
   * Start of the lost work: the job's last complete copied checkpoint, its submission, or when a job that had not begun
   * was last seen.
   */
  since: Time.optional(),
  from: z.enum(['checkpoint', 'submission', 'last look']),
  /** GPUs that it used. Absent if not known. */
  gpus: z.number().nonnegative().optional(),
  gpuHours: z.number().nonnegative().optional(),
});
export const Rpo = z.strictObject({
  ...judged,
  measuredMs: Milliseconds.optional(),
  /** For training, which counts by jobs. */
  worst: WorstJob.optional(),
});
export type Rpo = z.infer<typeof Rpo>;

export const ClassObjectives = z.strictObject({
  class: z.enum(resourceClasses),
  strategy: z.enum(strategies),
  rto: Rto,
  rpo: Rpo,
});
export type ClassObjectives = z.infer<typeof ClassObjectives>;

export const LeftOver = z.strictObject({
  state: z.enum(['failed', 'cancelled', 'running', 'pending', 'skipped']),
  step: z.string(),
  title: Line,
  /** Example: "3 of 212 blobs". Absent for the step itself. */
  what: Line.optional(),
  reason: Line,
  next: Line.optional(),
});
export type LeftOver = z.infer<typeof LeftOver>;

export const UndoOutcome = z.strictObject({
  step: z.string(),
  title: Line,
  outcome: z.enum(['undone', 'undo-failed', 'stays']),
  reason: Line,
});
export type UndoOutcome = z.infer<typeof UndoOutcome>;

/** The most urgent first. `check`: somebody has to look at it. `know`: nobody has to act. */
export const urgencies = ['urgent', 'broken', 'lost', 'check', 'again', 'know'] as const;
export type Urgency = (typeof urgencies)[number];

export const Task = z.strictObject({
  urgency: z.enum(urgencies),
  /** The situation. */
  what: Line,
  /** What to do about it. */
  action: Line.optional(),
  step: z.string().optional(),
});
export type Task = z.infer<typeof Task>;

export const TaskGroup = z.strictObject({
  /** Absent for the operators of the workspace. */
  owner: z.string().optional(),
  /** How many of the tasks require action. */
  toDo: Count,
  /** The first tasks, the most urgent first. */
  tasks: z.array(Task),
  /** How many more there are. */
  more: Count,
});
export type TaskGroup = z.infer<typeof TaskGroup>;

/** Things of one kind that are not in a recovery point, for one reason. */
export const LeftBehindReport = z.object({
  kind: z.string(),
  reason: Line,
  count: Count,
  /** A few examples. */
  examples: z.array(Line),
  /** The topology asks to leave them behind, so they are not a loss. */
  chosen: z.literal(true).optional(),
});
export type LeftBehindReport = z.infer<typeof LeftBehindReport>;

export const Report = z.strictObject({
  version: z.literal(1),
  generatedAt: Time,
  /** One line: what ran, how it ended, what it lost. */
  headline: Line,
  run: z.strictObject({
    runId: z.string(),
    topology: z.string(),
    operation: z.enum(operationNames),
    from: z.string(),
    to: z.string(),
    reason: Line,
    triggeredBy: z.string(),
    triggeredAt: Time,
    outageBeganAt: Time.optional(),
    outageSource: Line.optional(),
    /** When the region last answered before the outage; without an outage: when it was checked for the move. */
    answeredAt: Time.optional(),
    state: z.enum(['pending', 'running', 'waiting', 'undoing', 'completed', 'failed', 'cancelled']),
    stateReason: Line.optional(),
    endedAt: Time.optional(),
    durationMs: Milliseconds.optional(),
    /** Digests in the control store. */
    plan: z.string(),
    bundle: z.string(),
    madeInEpoch: z.number(),
  }),
  /** What people must do, by owner. */
  tasks: z.array(TaskGroup),
  lost: z.array(
    z.strictObject({
      step: z.string().optional(),
      /** For what the recovery point does not have: of which kind it is. */
      kind: z.string().optional(),
      text: Line,
    }),
  ),
  owed: z.array(z.strictObject({ kind: z.string(), region: z.string(), what: Line, reason: Line, step: z.string() })),
  /** What this report cannot verify: evidence that is altered or missing, counts that do not add up. */
  problems: z.array(Line),
  recoveryPoint: z
    .strictObject({
      id: z.string(),
      digest: z.string(),
      startedAt: Time,
      /** Whether this run sealed it. Otherwise this run restored it. */
      made: z.boolean(),
      counts: z.record(z.string(), Count).optional(),
      /** What it lacks of the workspace. Absent if its manifest could not be read. */
      leftBehind: z.array(LeftBehindReport).optional(),
    })
    .optional(),
  objectives: z.array(ClassObjectives),
  tally: StepTally,
  phases: z.array(PhaseReport),
  counts: z.array(CountsRow),
  leftOver: z.array(LeftOver),
  /** The first items that steps listed as skipped or failed. */
  findings: z.array(z.strictObject({ step: z.string(), ...Finding.shape })),
  /** How many more a step listed, and the list in the control store that names all of them, or the parts of it. */
  moreFindings: z.array(z.strictObject({ step: z.string(), count: Count, blob: z.string() })),
  jobs: z.array(JobEvidence),
  configs: z.array(ConfigEvidence),
  undo: z.array(UndoOutcome),
  evidence: z.array(z.strictObject({ step: z.string(), kind: z.string(), blob: z.string(), digest: z.string() })),
  notes: z.array(Line),
});
export type Report = z.infer<typeof Report>;
