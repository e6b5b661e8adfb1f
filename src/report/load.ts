/** Reads back what a report is made from: the journal and what it refers to, nothing else. */
import { z } from 'zod';
import { leftBehindUncounted } from '../artifacts/drafts.ts';
import { epochOf, folderOf, type LeftBehind } from '../artifacts/manifest.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';
import { listSteps, readRun } from '../run/journal.ts';
import type { Bundle } from '../run/step-context.ts';
import { loadEvidence } from './evidence.ts';
import type { ReportInput } from './report.ts';

/**
 * Everything `buildReport` needs of a run, from the control store alone. UsageError if there is no such run;
 * ControlStoreError if its plan or bundle is missing or altered; AzureUnavailable if the store cannot be read.
 */
export async function loadReportInput(store: ControlStore, runId: string, now: Date): Promise<ReportInput> {
  const run = await readRun(store, runId);
  if (!run) {
    throw new UnderstudyError('UsageError', `there is no run "${runId}" in the control store`, {
      next: 'List the runs there are with "understudy runs".',
    });
  }
  const { state, stateReason, lost, startedAt: _startedAt, endedAt, ...header } = run;
  const plan = await store.open<Plan>('plans', header.plan);
  const bundle = await store.open<Bundle>('bundles', header.bundle);
  const records = await listSteps(store, runId);
  const held = plan.recoveryPoint && (await readHeld(store, plan.recoveryPoint.id));
  return {
    header,
    plan,
    records,
    state,
    ...(stateReason !== undefined && { stateReason }),
    ...(endedAt !== undefined && { endedAt }),
    lost: [...(lost ?? []), ...(held?.lost ?? [])],
    topology: bundle.topology,
    evidence: await loadEvidence(store, records),
    ...(plan.recoveryPoint && {
      recoveryPoint: { ...plan.recoveryPoint, ...(held && { counts: held.counts }) },
    }),
    now,
  };
}

/** Only the counts and what was left behind, and only where they are plain: the report does without them where they are not. */
const Count = z.int().nonnegative();
const Sealed = z.looseObject({
  summary: z.looseObject({ counts: z.record(z.string(), Count), blobs: Count }),
  leftBehind: z
    .array(
      z.looseObject({
        kind: z.string(),
        reason: z.string(),
        count: Count,
        examples: z.array(z.string()),
        chosen: z.literal(true).optional(),
      }),
    )
    .default([]),
});

/** `lost`: what the recovery point says it left behind, and no step counts. */
async function readHeld(
  store: ControlStore,
  id: string,
): Promise<{ counts: Record<string, number>; lost: string[] } | undefined> {
  const epoch = epochOf(id);
  if (epoch === undefined) return undefined;
  const document = await store.read<unknown>(`${folderOf(epoch, id)}/sealed.json`);
  const sealed = Sealed.safeParse(document?.value).data;
  if (!sealed) return undefined;
  const { counts, blobs } = sealed.summary;
  return { counts: { ...counts, blobs }, lost: leftBehindUncounted(sealed.leftBehind as LeftBehind[]) };
}
