/** Reads what a report is made from: only the journal and what it refers to. */
import { sealedBy } from '../run/work/recovery-point-of.ts';
import { leftBehindUncounted } from '../recovery-point/drafts.ts';
import { epochOf } from '../recovery-point/manifest.ts';
import { readManifest, sealedName } from '../recovery-point/sealed-manifest.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { jobsTouched } from '../fence/left-cancelled.ts';
import { rowOf } from '../plan/operations.ts';
import type { Plan } from '../plan/plan.ts';
import { isDone } from '../plan/run-states.ts';
import { listSteps, readRun } from '../run/journal.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import { bundleFolder, bundles } from '../run/bundle.ts';
import { planFolder, plans } from '../run/plan-document.ts';
import { withPlan } from '../run/run-document.ts';
import { overtakenBy } from '../run/overtaken.ts';
import { loadEvidence } from './evidence.ts';
import type { ReportInput } from './report.ts';
import type { LeftBehindReport } from './schema.ts';

/**
 * Returns everything that `buildReport` needs about a run, from the control store alone.
 * Errors: UsageError if there is no such run; ControlStoreError if its plan or bundle is missing or altered;
 * AzureUnavailable if the store cannot be read.
 */
export async function loadReportInput(store: ControlStore, runId: string, now: Date): Promise<ReportInput> {
  const run = await readRun(store, runId);
  if (!run) {
    throw new UnderstudyError('UsageError', `there is no run "${runId}" in the control store`, {
      next: 'List the runs there are with "understudy runs".',
    });
  }
  const header = withPlan(run);
  const { state, stateReason, endedAt } = run;
  const plan = await plans.open(store, planFolder, header.plan);
  const bundle = await bundles.open(store, bundleFolder, header.bundle);
  const records = await listSteps(store, runId);
  const made = sealedBy(plan, records);
  const point = plan.recoveryPoint ? { ...plan.recoveryPoint, made: false } : made && { ...made, made: true };
  const { held, problems } = point ? await readHeld(store, point.id) : { problems: [] };
  // One that could not be fully undone has failed.
  const cancelled = state === 'cancelled' || run.cancelled !== undefined;
  // What has moved instead of it accounts for the jobs.
  const undone = cancelled && rowOf(plan.operation).cancel === 'undo' && run.supersededBy === undefined;
  const touched = undone ? await readTouched(store, { runId, plan, point }, records) : {};
  const overtaken = state === 'failed' ? await overtakenBy(store, run) : undefined;
  return {
    header,
    plan,
    records,
    state,
    ...(stateReason !== undefined && { stateReason }),
    ...(endedAt !== undefined && { endedAt }),
    // If this run sealed the recovery point, its steps have reported these. Nothing is lost where nothing has moved.
    lost: held && !point?.made && !cancelled && hasMoved(plan, records) ? leftBehindUncounted(held.leftBehind) : [],
    ...(overtaken && { overtaken }),
    topology: bundle.topology,
    evidence: await loadEvidence(store, records),
    ...(point && { recoveryPoint: { ...point, ...held } }),
    ...touched,
    problems: [...problems, ...(touched.problems ?? [])],
    now,
  };
}

/** Whether the run has made its target the writer. */
function hasMoved(plan: Plan, records: StepRecord[]): boolean {
  const taking = new Set(plan.steps.flatMap(({ id, action }) => (action === 'takePointer' ? [id] : [])));
  return records.some((record) => taking.has(record.step) && isDone(record));
}

/** A damaged recovery point or job ledger does not prevent the rest of the report. */
async function readTouched(
  store: ControlStore,
  run: { runId: string; plan: Plan; point: ReportInput['recoveryPoint'] },
  records: StepRecord[],
): Promise<Pick<ReportInput, 'touched' | 'problems'>> {
  try {
    return { touched: await jobsTouched(store, { ...run, resumed: hasBegun(run.plan, records) }) };
  } catch (error) {
    const damaged = isUnderstudyError(error, 'RecoveryPointError') || isUnderstudyError(error, 'ControlStoreError');
    if (!damaged) throw error;
    return { problems: [`which jobs the run has stopped or submitted: ${error.message}`] };
  }
}

function hasBegun(plan: Plan, records: StepRecord[]): boolean {
  const begun = new Set(records.map(({ step }) => step));
  return plan.steps.some(({ action, id }) => action === 'resubmitJobs' && begun.has(id));
}

interface Held {
  counts: Record<string, number>;
  leftBehind: LeftBehindReport[];
}

/**
 * Returns what the recovery point has and what it says was left behind. Omitted if the recovery point is damaged or
 * gone.
 */
async function readHeld(store: ControlStore, id: string): Promise<{ held?: Held; problems: string[] }> {
  const epoch = epochOf(id);
  if (epoch === undefined) return { problems: [] };
  try {
    const sealed = await readManifest(store, sealedName(epoch, id));
    if (!sealed) return { problems: [] };
    const { counts, blobs } = sealed.summary;
    return { held: { counts: { ...counts, blobs }, leftBehind: sealed.leftBehind }, problems: [] };
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    return { problems: [`what the recovery point holds: ${error.message}`] };
  }
}
