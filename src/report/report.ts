/**
 * Makes the report of a run from its plan and its journal. Pure: the same input gives the same report, so it can be
 * made again from the control store alone.
 *
 *     const report = buildReport(await loadReportInput(store, runId, new Date()));
 *     await writeReport(store, runId, report);
 */
import { cutReason } from '../plan/failure-reason.ts';
import type { Plan, RecoveryPointRef } from '../plan/plan.ts';
import { rowOf } from '../plan/operations.ts';
import { isOver, type RunState } from '../plan/run-states.ts';
import { kindOfLeftBehind, showLeftBehind } from '../recovery-point/drafts.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import type { Overtaken } from '../run/overtaken.ts';
import type { RunHeader } from '../run/run-document.ts';
import { showDuration } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import type { Topology } from '../topology/topology.ts';
import { showJob } from '../workspace/jobs/job.ts';
import type { TouchedJob } from '../fence/left-cancelled.ts';
import {
  reportCounts,
  reportLeftOver,
  reportLost,
  reportNotUndone,
  reportOwed,
  reportUndo,
  type Executed,
} from './counts.ts';
import { ConfigEvidence, findingsOf, itemsOf, JobEvidence, type EvidenceDocument } from './evidence.ts';
import { measureObjectives } from './objectives.ts';
import type { ClassObjectives, Report } from './schema.ts';
import { elapsedMs, reportPhases, reportStep, tallyOf } from './steps.ts';
import { countTasks, tasksOf } from './tasks.ts';

export { Report } from './schema.ts';

/** What a report is made from. */
export interface ReportInput {
  header: RunHeader;
  plan: Plan;
  records: StepRecord[];
  state: RunState;
  /** Why it waits, failed or was cancelled. */
  stateReason?: string;
  /** When the run ended (ISO 8601). Absent while it is running. */
  endedAt?: string;
  topology: Topology;
  evidence: EvidenceDocument[];
  /** The recovery point that it restored or sealed; and its content and omissions, if its manifest could be read. */
  recoveryPoint?: RecoveryPointRef & Pick<NonNullable<Report['recoveryPoint']>, 'made' | 'counts' | 'leftBehind'>;
  /** Jobs that a cancelled run left in another state than before. */
  touched?: TouchedJob[];
  /** The writer and its epoch, if a move has overtaken a replication that failed. */
  overtaken?: Overtaken;
  /** What the run lost beyond what its steps recorded. */
  lost?: string[];
  /** What the loader could not verify. */
  problems?: string[];
  /** When the report is made. What has not ended is measured up to this time. */
  now: Date;
}

/** Makes the report. */
export function buildReport(input: ReportInput): Report {
  const { header, plan, topology } = input;
  const generatedAt = input.now.toISOString();
  const records = new Map(input.records.map((record) => [record.step, givenUp(record, input.state)]));
  const executed: Executed[] = plan.steps.map((step) => ({ step, record: records.get(step.id) }));
  const steps = executed.map(({ step, record }) => reportStep(step, record));
  const planned = plan.recoveryPoint && { ...plan.recoveryPoint, made: false };
  const recoveryPoint = input.recoveryPoint ?? planned;
  const counts = reportCounts(executed, input.recoveryPoint?.counts);
  const jobs = itemsOf(input.evidence, 'jobs', JobEvidence);
  const findings = findingsOf(input.evidence);
  const configs = itemsOf(input.evidence, 'configs', ConfigEvidence);
  const lost = lostOf(executed, input);
  const notUndone = reportNotUndone(executed);
  const owed = reportOwed(executed);
  const leftOver = reportLeftOver(executed, isOver(input.state));
  const ofEvidence = untouched(jobs.items, input.touched);
  const stepsById = new Map(plan.steps.map((step) => [step.id, step]));
  const tasks = tasksOf({
    run: header.runId,
    from: header.from,
    to: header.to,
    cancelled: isCancelled(input),
    ...(input.overtaken && { overtaken: { ...input.overtaken, only: isFenced(executed) } }),
    again: rowOf(plan.operation).lease === 'run' ? `retry ${header.runId}` : plan.operation,
    lost: input.touched ? lost.slice(linesOfTouched(input.touched).length) : lost,
    notUndone,
    failed: input.state === 'failed' ? leftOver.filter(({ state, what }) => state === 'failed' && !what) : [],
    owed,
    jobs: ofEvidence,
    ...(input.touched && { touched: input.touched }),
    actionOf: (step) => stepsById.get(step)?.action,
    targetOf: (step) => stepsById.get(step)?.to,
  });
  const objectives = measureObjectives({
    header,
    plan,
    records,
    topology,
    ...(recoveryPoint && { recoveryPoint }),
    jobs,
    until: input.endedAt ?? generatedAt,
  });
  const run = runOf(input);
  return {
    version: 1,
    generatedAt,
    headline: headlineOf(run, { toDo: countTasks(tasks), owed: owed.length }, objectives),
    run,
    tasks,
    lost: [...notUndone, ...lost],
    owed,
    problems: [
      ...(input.problems ?? []),
      ...strayRecords(plan, input.records),
      ...counts.problems,
      ...jobs.problems,
      ...configs.problems,
      ...findings.problems,
    ],
    ...(recoveryPoint && { recoveryPoint }),
    objectives,
    tally: tallyOf(steps),
    phases: reportPhases(plan, steps),
    counts: counts.rows,
    leftOver,
    findings: findings.items,
    moreFindings: findings.more,
    jobs: [...(input.touched ?? []).map(evidenceOf), ...ofEvidence],
    configs: configs.items,
    undo: reportUndo(executed, input.state === 'cancelled'),
    evidence: input.evidence.map(({ step, kind, blob, digest }) => ({ step, kind, blob, digest })),
    notes: plan.notes,
  };
}

/** A run that failed no longer retries: for its open steps the journal has only the last attempt's error. */
function givenUp(record: StepRecord, state: RunState): StepRecord {
  if (state !== 'failed' || record.state !== 'running') return record;
  const error = record.error ?? { code: 'Error', message: 'it had not ended when the run was given up' };
  return { ...record, state: 'failed', error };
}

function runOf({ header, plan, state, stateReason, endedAt }: ReportInput): Report['run'] {
  return {
    runId: header.runId,
    topology: header.topology,
    operation: header.operation,
    from: header.from,
    to: header.to,
    reason: header.reason,
    triggeredBy: header.triggeredBy,
    triggeredAt: header.triggeredAt,
    ...(header.outageBeganAt !== undefined && { outageBeganAt: header.outageBeganAt }),
    ...(header.outageSource !== undefined && { outageSource: header.outageSource }),
    ...(header.answeredAt !== undefined && { answeredAt: header.answeredAt }),
    state,
    ...(stateReason !== undefined && { stateReason }),
    ...(endedAt !== undefined && { endedAt, durationMs: elapsedMs(header.triggeredAt, endedAt) }),
    plan: header.plan,
    bundle: header.bundle,
    madeInEpoch: plan.madeInEpoch,
  };
}

/** Losses: what a cancelled run did to jobs, what the steps report, and what only the run reports. */
function lostOf(executed: Executed[], { lost = [], touched, recoveryPoint }: ReportInput): Report['lost'] {
  // Steps and the run say what was left behind in the line that `showLeftBehind` makes of it.
  const kinds = new Map(recoveryPoint?.leftBehind?.map((each) => [showLeftBehind(each), kindOfLeftBehind(each)]));
  // For a cancelled run, all jobs that its fence stopped are lost, whether or not the recovery point has them.
  const ofSteps = reportLost(
    touched ? executed.filter(({ step }) => step.action !== 'stopOldJobs' && step.action !== 'drainJobs') : executed,
  );
  const known = new Set(ofSteps.map((line) => line.text));
  const ofRun = lost.filter((text) => !known.has(text)).map((text) => ({ text }));
  const lines = [...ofSteps, ...ofRun].map((line) => {
    const kind = kinds.get(line.text);
    return kind === undefined ? line : { ...line, kind };
  });
  return [...linesOfTouched(touched ?? []), ...lines];
}

/** How many lines to show. The list of jobs has the rest. */
const longestList = 20;

function linesOfTouched(touched: readonly TouchedJob[]): Report['lost'] {
  const lines = touched.slice(0, longestList).map((job) => ({ text: `${showJob(job)}: ${job.reason}` }));
  const more = touched.length - lines.length;
  return more > 0 ? [...lines, { text: `and ${more} more jobs: see the list of jobs` }] : lines;
}

function untouched(jobs: JobEvidence[], touched: readonly TouchedJob[] = []): JobEvidence[] {
  const names = new Set(touched.map(({ name }) => name));
  return jobs.filter(({ old }) => !names.has(old));
}

function evidenceOf({ name, submittedAs, status, owner, successor, reason }: TouchedJob): JobEvidence {
  return {
    old: name,
    ...(successor === undefined ? {} : { new: successor }),
    ...(submittedAs === undefined ? {} : { submittedAs }),
    class: 'manual',
    status,
    ...(owner === undefined ? {} : { owner }),
    reason,
  };
}

/** One that could not be fully undone has failed; the workspace is served where it was all the same. */
function isCancelled({ state, header }: ReportInput): boolean {
  return state === 'cancelled' || header.cancelled !== undefined;
}

/** Whether each step that failed was only refused, since the region pointer has moved. */
function isFenced(executed: readonly Executed[]): boolean {
  return executed.every(({ record }) => record?.state !== 'failed' || record.error?.code === 'FencedError');
}

function strayRecords(plan: Plan, records: StepRecord[]): string[] {
  const planned = new Set(plan.steps.map((step) => step.id));
  return records
    .filter((record) => !planned.has(record.step))
    .map((record) => `the journal has a record of step "${record.step}", which is not in the plan`);
}

function headlineOf(
  run: Report['run'],
  { toDo, owed }: { toDo: number; owed: number },
  objectives: ClassObjectives[],
): string {
  const what = `${run.operation} of ${run.topology} from ${run.from} to ${run.to}`;
  const took = run.durationMs === undefined ? '' : ` after ${showDuration(run.durationMs)}`;
  const verdicts = objectives.flatMap(({ rto, rpo }) => [rto.verdict, rpo.verdict]);
  const tallied = (['met', 'missed', 'not measured'] as const).flatMap((verdict) => {
    const count = verdicts.filter((each) => each === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  const judged = tallied.length === 0 ? '' : `; objectives: ${tallied.join(', ')}`;
  const first = [
    ...(toDo === 0 ? [] : [`${showCount(toDo, 'thing')} for people to do. `]),
    ...(owed === 0 ? [] : [`${owed} owed. `]),
  ].join('');
  // For a completed run the reason is what is owed, which is shown elsewhere.
  const why = run.stateReason === undefined || run.state === 'completed' ? '' : ` (${cutReason(run.stateReason)})`;
  return `${first}The ${what} ${sentences[run.state]}${took}${why}${judged}.`;
}

const sentences = {
  pending: 'has not begun',
  running: 'is still running',
  waiting: 'is waiting',
  undoing: 'is being undone',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'was cancelled',
} as const satisfies Record<RunState, string>;
