/** Evidence of restoring and reconciling: lists in the control store, named by their digest. */
import { z } from 'zod';
import { documentKind } from '../../control-store/document.ts';
import type { ActionName } from '../../plan/actions.ts';
import type { Evidence } from './outcome.ts';
import type { StepContext } from './step-context.ts';
import type { Heartbeat } from './heartbeat.ts';

const LostBlob = z.strictObject({
  account: z.string(),
  container: z.string(),
  path: z.string(),
  replica: z.string(),
});
export type LostBlob = z.infer<typeof LostBlob>;

/** One thing that was not simply done, or that differs. */
export const Finding = z.strictObject({
  /** `container/path` of a blob, `models/fraud/4` of an asset, the name of anything else. */
  what: z.string(),
  state: z.enum(['skipped', 'failed']),
  reason: z.string(),
  /** A lost blob, as the recovery point has it. */
  lost: LostBlob.optional(),
});
export type Finding = z.infer<typeof Finding>;

/** A part of a long list, in a document of its own. */
export const PartOfFindings = z.strictObject({ digest: z.string(), count: z.int().positive() });
export type PartOfFindings = z.infer<typeof PartOfFindings>;

const Findings = z.strictObject({
  step: z.string(),
  findings: z.array(Finding),
  /** For a long list: the other parts, in order. */
  parts: z.array(PartOfFindings).optional(),
});

const findingLists = documentKind('findings of a step', 1, Findings);

/** How many there are, and the first of them. */
export interface SomeFindings {
  count: number;
  first: Finding[];
}

const folderOf = ({ run }: Pick<StepContext, 'run'>) => `runs/${run.runId}/evidence`;

/** Writes a short list as evidence; none if nothing was found. `addFinding` is for lists that may be long. */
export async function writeFindings(
  context: StepContext,
  kind: Evidence['kind'],
  findings: Finding[],
): Promise<Evidence[]> {
  return findings.length === 0 ? [] : sealFindings(context, kind, { first: findings, parts: [] });
}

/** Writes a part under its digest; writing it twice makes one part. */
export async function sealPart(context: StepContext, findings: Finding[]): Promise<PartOfFindings> {
  const digest = await findingLists.seal(context.store, folderOf(context), {
    step: context.step.id,
    findings,
  });
  return { digest, count: findings.length };
}

/** Writes the list that names the parts. */
export async function sealFindings(
  context: StepContext,
  kind: Evidence['kind'],
  { first, parts }: { first: Finding[]; parts: PartOfFindings[] },
): Promise<Evidence[]> {
  const folder = folderOf(context);
  const list = { step: context.step.id, findings: first, ...(parts.length > 0 ? { parts } : {}) };
  const digest = await findingLists.seal(context.store, folder, list);
  return [{ kind, blob: `${folder}/${digest}.json`, digest }];
}

/**
 * What the steps of this run that carried out `action` in the same direction did not do, one by one. ControlStoreError
 * if it cannot be read.
 */
export async function* findingsBy(context: StepContext, action: ActionName): AsyncGenerator<Finding> {
  const { from, to } = context.step;
  const steps = context.plan.steps.filter((each) => each.action === action && each.from === from && each.to === to);
  for (const step of steps) {
    const outcome = await context.outcomeOf(step);
    for (const { kind, blob, digest } of outcome?.evidence ?? []) {
      if (kind !== 'list') continue;
      const folder = blob.slice(0, blob.lastIndexOf('/'));
      const { findings, parts = [] } = await findingLists.open(context.store, folder, digest);
      yield* findings;
      for (const part of parts) yield* (await findingLists.open(context.store, folder, part.digest)).findings;
    }
  }
}

/** As `findingsBy`, keyed by the thing; for actions on things that fit into memory. */
export async function notDoneBy(context: StepContext, action: ActionName): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  for await (const finding of findingsBy(context, action)) found.set(finding.what, finding);
  return found;
}

/** How often progress is written, so that the next attempt continues from there. */
const saveMs = 10_000;

/** The progress of a step through a long list, in the control store: heartbeats have only its digest. */
export interface KeptProgress<T> {
  state: T;
  /**
   * Call between two items, when everything before is done for good; `before` makes it so, if that is not done for each
   * item.
   */
  save(heartbeat: Heartbeat, before?: () => Promise<void>): Promise<void>;
}

/** ControlStoreError if what an earlier attempt wrote cannot be read. */
export async function resumeProgress<T extends object>(
  context: StepContext,
  schema: z.ZodType<T>,
  initial: T,
): Promise<KeptProgress<T>> {
  const kept = documentKind('progress of a step', 1, schema);
  const folder = `runs/${context.run.runId}/progress`;
  const { progress } = (context.cursor ?? {}) as { progress?: unknown };
  const state = typeof progress === 'string' ? await kept.open(context.store, folder, progress) : initial;
  let savedAt = performance.now();
  return {
    state,
    async save(heartbeat, before) {
      if (performance.now() - savedAt < saveMs) return;
      await before?.();
      await heartbeat.save({ progress: await kept.seal(context.store, folder, state) });
      savedAt = performance.now();
    },
  };
}

/** The first few, for a report or a message. */
export function showFindings(findings: readonly Finding[] | SomeFindings, longest = 20): string[] {
  const { count, first } = 'first' in findings ? findings : { count: findings.length, first: findings };
  const lines = first.slice(0, longest).map(({ what, reason }) => `${what}: ${reason}`);
  return count > lines.length ? [...lines, `and ${count - lines.length} more`] : lines;
}
