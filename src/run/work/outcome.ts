/** What a step leaves behind: its outcome, as the journal, the workflow, the terminal and the report read it. */
import { z } from 'zod';

const Part = z.strictObject({ reason: z.string(), count: z.int().nonnegative() });

/** expected = done + Σ skipped + Σ failed, always; see `reconcile`. */
export const Counts = z.strictObject({
  /** `blobs`, `models`, `data`, `environments`, `components`, `codes`, `jobs`, `config files`, … */
  kind: z.string(),
  expected: z.int().nonnegative(),
  done: z.int().nonnegative(),
  skipped: z.array(Part),
  failed: z.array(Part),
});
export type Counts = z.infer<typeof Counts>;

/** Something that the fence could not do because the old side did not answer; paid when it does. */
export const Debt = z.strictObject({
  /** Stable (`jobs`, `intake`, `writers`), so that paying twice is one payment. */
  kind: z.enum(['intake', 'jobs', 'writers']),
  region: z.string(),
  what: z.string(),
  reason: z.string(),
  /** The step that owes it. */
  step: z.string(),
});
export type Debt = z.infer<typeof Debt>;

/** Evidence in the control store: a blob's name below the container, and what it contains. */
export const Evidence = z.strictObject({
  kind: z.enum(['jobs', 'configs', 'reconciliation', 'probes', 'list']),
  blob: z.string(),
  digest: z.string(),
});
export type Evidence = z.infer<typeof Evidence>;

/** What an action returns. */
export interface StepResult {
  /** One line for a person, true and complete: "212 of 212 blobs copied (24.1 MB)". */
  detail: string;
  /**
   * `skipped`: there was nothing to do, and `detail` says why. `owed`: it could not be done on the old side, which did
   * not answer; steps that need it continue, and `owed` lists the debts.
   */
  state: 'completed' | 'skipped' | 'owed';
  counts?: Counts[] | undefined;
  owed?: Debt[] | undefined;
  evidence?: Evidence[] | undefined;
  /** What was lost or left for a person, one line each; the report lists them first. */
  lost?: string[] | undefined;
  /**
   * What the undo needs, instead of what the step recorded before it began (`recordUndo`): for what is known only once
   * the work is done. Plain JSON, no secrets.
   */
  undo?: unknown;
  /** Milliseconds of its time that it waited for people. */
  waitedForPersonMs?: number | undefined;
  /** Small facts for later steps (ids, names): never lists. */
  facts?: Record<string, string | number | boolean> | undefined;
}

/** A step as the journal has it: everything that it left behind. */
export const StepRecord = z.strictObject({
  step: z.string(),
  state: z.enum(['running', 'completed', 'skipped', 'owed', 'failed', 'undone', 'undo-failed']),
  /** Who executes the run: a late write of an earlier holder is refused. */
  holder: z.string(),
  attempts: z.int().nonnegative(),
  /** The part of `attempts` made by earlier executions of the run. */
  earlierAttempts: z.int().positive().optional(),
  /** ISO 8601. */
  startedAt: z.string(),
  endedAt: z.string().optional(),
  /** Milliseconds of `endedAt - startedAt` that were spent waiting for a person. */
  waitedForPersonMs: z.number().optional(),
  error: z.strictObject({ code: z.string(), message: z.string(), next: z.string().optional() }).optional(),
  detail: z.string().optional(),
  counts: z.array(Counts).optional(),
  owed: z.array(Debt).optional(),
  evidence: z.array(Evidence).optional(),
  lost: z.array(z.string()).optional(),
  undo: z.unknown().optional(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type StepRecord = z.infer<typeof StepRecord>;

/**
 * A step as the workflow knows it: small whatever the record contains, since Temporal limits what travels through it.
 */
export interface StepOutcome extends Pick<
  StepRecord,
  'step' | 'state' | 'attempts' | 'startedAt' | 'endedAt' | 'detail'
> {
  /** How many debts, and how many lines of loss. */
  owed?: number;
  lost?: number;
}

/** Maximum characters of a text that travels; the journal has all of it. */
const longestText = 600;

/** The text, cut to what may travel through Temporal. */
export function cutShort(text: string): string {
  return text.length <= longestText
    ? text
    : `${text.slice(0, longestText)} … (${text.length} letters; the whole is in the report)`;
}

/** What the workflow gets of a step's record. */
export function outcomeOf(record: StepRecord): StepOutcome {
  const { step, state, attempts, startedAt, endedAt, detail } = record;
  return {
    step,
    state,
    attempts,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(detail === undefined ? {} : { detail: cutShort(detail) }),
    ...(record.owed?.length ? { owed: record.owed.length } : {}),
    ...(record.lost?.length ? { lost: record.lost.length } : {}),
  };
}

/** Throws RangeError if the counts do not add up. The only place that checks this. */
export function reconcile(counts: Counts): Counts {
  const sum = (parts: { count: number }[]) => parts.reduce((total, part) => total + part.count, 0);
  const accounted = counts.done + sum(counts.skipped) + sum(counts.failed);
  if (accounted !== counts.expected) {
    throw new RangeError(
      `counts of ${counts.kind} do not reconcile: expected ${counts.expected}, accounted for ${accounted} ` +
        `(done ${counts.done}, skipped ${sum(counts.skipped)}, failed ${sum(counts.failed)})`,
    );
  }
  return counts;
}
