/** What restoring and reconciling leave behind as evidence: lists in the control store, named by their digest. */
import { z } from 'zod';
import { documentKind } from '../../control-store/document.ts';
import type { ControlStore } from '../../control-store/store.ts';
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
  /** A blob that is lost: as the recovery point has it. */
  lost: LostBlob.optional(),
});
export type Finding = z.infer<typeof Finding>;

const Findings = z.strictObject({ step: z.string(), findings: z.array(Finding) });
type Findings = z.infer<typeof Findings>;

const findingLists = documentKind('findings of a step', 1, Findings);

/** Answers nothing where there is nothing to say. */
export async function writeFindings(
  { store, run, step }: StepContext,
  kind: Evidence['kind'],
  findings: Finding[],
): Promise<Evidence[]> {
  if (findings.length === 0) return [];
  const folder = `runs/${run.runId}/evidence`;
  const digest = await findingLists.seal(store, folder, { step: step.id, findings });
  return [{ kind, blob: `${folder}/${digest}.json`, digest }];
}

/** What the steps of this run that carried out `action` did not do, by what it was. ControlStoreError where it cannot be read. */
export async function notDoneBy(context: StepContext, action: ActionName): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  for (const step of context.plan.steps.filter((each) => each.action === action)) {
    const outcome = await context.outcomeOf(step.id);
    for (const evidence of outcome?.evidence ?? []) {
      const document = await openFindings(context.store, evidence);
      for (const finding of document?.findings ?? []) found.set(finding.what, finding);
    }
  }
  return found;
}

async function openFindings(
  store: ControlStore,
  { kind, blob, digest }: Evidence,
): Promise<Findings | undefined> {
  if (kind !== 'list') return undefined;
  return findingLists.open(store, blob.slice(0, blob.lastIndexOf('/')), digest);
}

/** How often what is done is written down, so that an attempt cut short goes on from there. */
const settleMs = 10_000;

/** The progress of a step through a long list, kept in the control store: heartbeats carry its digest only. */
export interface Progress<T> {
  state: T;
  /** Call between two items, when everything before is done for good; `before` makes it so, where that is not done for each item. */
  settle(heartbeat: Heartbeat, before?: () => Promise<void>): Promise<void>;
}

/** ControlStoreError where what an attempt before has kept cannot be read. */
export async function resumeProgress<T extends object>(
  context: StepContext,
  schema: z.ZodType<T>,
  initial: T,
): Promise<Progress<T>> {
  const kept = documentKind('progress of a step', 1, schema);
  const folder = `runs/${context.run.runId}/progress`;
  const { progress } = (context.cursor ?? {}) as { progress?: unknown };
  const state = typeof progress === 'string' ? await kept.open(context.store, folder, progress) : initial;
  let settledAt = performance.now();
  return {
    state,
    async settle(heartbeat, before) {
      if (performance.now() - settledAt < settleMs) return;
      await before?.();
      await heartbeat.settle({ progress: await kept.seal(context.store, folder, state) });
      settledAt = performance.now();
    },
  };
}

/** The first few, for a report or a message. */
export function showFindings(findings: readonly Finding[], longest = 20): string[] {
  const lines = findings.slice(0, longest).map(({ what, reason }) => `${what}: ${reason}`);
  if (findings.length > longest) lines.push(`and ${findings.length - longest} more`);
  return lines;
}
