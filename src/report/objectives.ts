/**
 * Measures RTO and RPO of each resource class against its objectives.
 *
 * RTO ends with the class's last `switch` step (its serving has moved and probes pass), for training with the end of
 * `resume`. It is given both since the outage began (the least and the most, if that is known only between two times)
 * and since the trigger. RPO is the time from the start of the recovery point's listing to the outage; nothing, if the
 * run has sealed that recovery point itself and then found that nothing had come since. For training it is the time
 * since the last complete checkpoint of the interrupted job that loses most, if that is longer.
 */
import { provides } from '../plan/facts.ts';
import type { Plan, RecoveryPointRef, Step } from '../plan/plan.ts';
import type { StepRecord } from '../run/work/outcome.ts';
import type { RunHeader } from '../run/run-document.ts';
import { isDone } from '../plan/run-states.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { rowOf } from '../plan/operations.ts';
import { resourceClasses, type Phase, type ResourceClass } from '../topology/words.ts';
import type { ClassObjectives, Rpo, Rto, Verdict } from './schema.ts';
import type { JobEvidence } from './evidence.ts';
import { measureJobs } from './lost-jobs.ts';
import { showBetween } from './wording.ts';
import { elapsedMs } from './steps.ts';

/** What is measured. */
export interface Measured {
  header: RunHeader;
  plan: Plan;
  records: Map<string, StepRecord>;
  topology: Topology;
  /** What the run restores: the plan's recovery point, or the one that the run has sealed itself. */
  recoveryPoint?: RecoveryPointRef & { made: boolean };
  /** What happened to the jobs, and why some of that cannot be read. */
  jobs: { items: JobEvidence[]; problems: string[] };
  /** The time up to which an objective that was not reached is measured (ISO 8601): the run's end, or now. */
  until: string;
}

/** The phases that end the failover of a class. */
function endingPhases(name: ResourceClass): Phase[] {
  return name === 'training' ? ['switch', 'resume'] : ['switch'];
}

/** Returns RTO and RPO of each class. */
export function measureObjectives(measured: Measured): ClassObjectives[] {
  // An operation that moves nothing has no objectives to measure.
  if (!rowOf(measured.plan.operation).movesWriter) return [];
  const { plan, topology } = measured;
  const concerned = (name: ResourceClass) =>
    topology.objectives[name] !== undefined || plan.steps.some((step) => step.class === name);
  return resourceClasses.filter(concerned).map((name) => ({
    class: name,
    strategy: topology.strategies[name],
    rto: measureRto(measured, name, endingPhases(name)),
    rpo: measureRpo(measured, name, endingPhases(name)),
  }));
}

function measureRto(measured: Measured, name: ResourceClass, ending: Phase[]): Rto {
  const { header, plan, records, until } = measured;
  const objective = objectiveOf(measured.topology, name, 'rto');
  const began = beginning(header);
  const steps = plan.steps.filter((step) => step.class === name && step.phase && ending.includes(step.phase));
  const waitedForPersonMs = waited(steps, measured);
  const base = { ...objective, countedFrom: began.countedFrom, waitedForPersonMs };
  if (header.cancelled) return { ...base, ...unmeasured(objective, becauseCancelled) };

  const obstacle = obstacleOf(steps, records, `the plan has no step in ${ending.join(' or ')} for this class`);
  if (obstacle !== undefined) {
    const overdueMs = elapsedMs(began.at, until);
    const late = objective.objectiveSeconds !== undefined && overdueMs > objective.objectiveSeconds * 1000;
    // Not reached, and the time for it is over: the verdict is known, even if the figure is not.
    return late && steps.length > 0
      ? { ...base, verdict: 'missed', why: `${obstacle}; by then ${showDuration(overdueMs)} had passed` }
      : { ...base, ...unmeasured(objective, obstacle) };
  }
  const last = latest(steps, records);
  const sinceTriggerMs = elapsedMs(header.triggeredAt, last.endedAt);
  const sinceOutageMs = header.outageBeganAt === undefined ? undefined : elapsedMs(header.outageBeganAt, last.endedAt);
  const sinceOutageAtMostMs =
    header.answeredAt === undefined || sinceOutageMs === undefined
      ? undefined
      : elapsedMs(header.answeredAt, last.endedAt);
  const verdict = judgeBetween(objective.objectiveSeconds, sinceOutageMs ?? sinceTriggerMs, sinceOutageAtMostMs);
  const whys = [
    verdict === 'not measured'
      ? `between ${showBetween(sinceOutageMs ?? 0, sinceOutageAtMostMs)}: the beginning of the outage is not known more exactly; run "understudy status" each minute`
      : undefined,
    began.why,
  ];
  if (name === 'training' && ending.includes('switch') && !steps.some((step) => step.phase === 'resume')) {
    whys.push('the plan resumes no jobs');
  }
  return {
    ...base,
    ...(sinceOutageMs !== undefined && { sinceOutageMs }),
    ...(sinceOutageAtMostMs !== undefined && { sinceOutageAtMostMs }),
    sinceTriggerMs,
    endedAt: last.endedAt,
    endedBy: last.id,
    verdict,
    ...because(whys),
  };
}

function measureRpo(measured: Measured, name: ResourceClass, ending: Phase[]): Rpo {
  const { header, plan, records } = measured;
  const objective = objectiveOf(measured.topology, name, 'rpo');
  const began = beginning(header);
  const base = { ...objective, countedFrom: began.countedFrom };
  if (header.cancelled) return { ...base, ...unmeasured(objective, becauseCancelled) };
  const { recoveryPoint } = measured;
  if (!recoveryPoint) return { ...base, ...unmeasured(objective, 'the run restores from no recovery point') };
  // Steps that restore the recovery point in the standby. A class that was not restored, or not switched, does not have
  // its state.
  const ofPhases = (wanted: Phase[]) =>
    plan.steps.filter((step) => step.class === name && step.phase && wanted.includes(step.phase));
  const steps = ofPhases(['restore', 'resume']);
  const needed = ofPhases(['restore', 'resume', ...ending]);
  const obstacle = needed.length === 0 ? undefined : obstacleOf(needed, records, '');
  if (obstacle !== undefined) return { ...base, ...unmeasured(objective, obstacle) };
  const came = recoveryPoint.made ? cameSince(plan, records) : undefined;
  if (came !== undefined) return { ...base, ...unmeasured(objective, came) };
  const age = recoveryPoint.made ? 0 : elapsedMs(recoveryPoint.startedAt, began.at);
  const ofJobs = name === 'training' ? measureJobs(measured.jobs) : undefined;
  const measuredMs = Math.max(age, ofJobs?.worst?.lostMs ?? 0);
  const verdict = judge(objective.objectiveSeconds, measuredMs);
  const late = !recoveryPoint.made && Date.parse(recoveryPoint.startedAt) > Date.parse(began.at);
  const left = leftBehind(steps, records);
  return {
    ...base,
    measuredMs,
    // An unknown loss may be greater than the known one.
    verdict: verdict === 'met' && ofJobs?.unknown !== undefined ? 'not measured' : verdict,
    ...(ofJobs?.worst && { worst: ofJobs.worst }),
    ...because([
      ofJobs?.unknown,
      ofJobs?.why,
      recoveryPoint.made ? 'nothing had come since the recovery point when the region pointer was taken' : began.why,
      late ? `the recovery point was listed after the ${began.countedFrom}` : undefined,
      steps.length === 0 ? 'the class has no step in restore or resume' : undefined,
      left > 0 ? `leaves out ${left} that failed to restore or to resume` : undefined,
    ]),
  };
}

/** Why the age of a recovery point that the run has sealed itself is not known to be nothing. */
function cameSince(plan: Plan, records: Map<string, StepRecord>): string | undefined {
  const checks = plan.steps.filter((step) => provides(step, 'old.unchanged'));
  const obstacle = obstacleOf(checks, records, 'the plan does not list the old side again');
  if (obstacle !== undefined) return obstacle;
  const accepted = checks.some(({ id }) => (records.get(id)?.lost ?? []).length > 0);
  return accepted ? 'what came after the recovery point was accepted as lost' : undefined;
}

const becauseCancelled = 'cancelled';

/**
 * The latest time at which the outage can have begun. It makes the RTO the least that it can be, and the RPO the most.
 */
function beginning(header: RunHeader): { at: string; countedFrom: 'outage' | 'trigger'; why?: string } {
  if (header.outageBeganAt !== undefined) return { at: header.outageBeganAt, countedFrom: 'outage' };
  const why =
    header.answeredAt === undefined
      ? 'counted from the trigger: when the outage began is not known'
      : `planned: counted from the trigger, since ${header.from} answered`;
  return { at: header.triggeredAt, countedFrom: 'trigger', why };
}

/** Returns why the steps have not done all their work. Undefined if they have. */
function obstacleOf(steps: Step[], records: Map<string, StepRecord>, none: string): string | undefined {
  if (steps.length === 0) return none;
  for (const step of steps) {
    const record = records.get(step.id);
    if (record && isDone(record)) continue;
    return `step "${step.id}" ${record ? said[record.state] : 'was not begun'}`;
  }
  return undefined;
}

const said = {
  completed: 'is completed',
  skipped: 'was skipped',
  owed: 'is owed',
  running: 'had not ended',
  failed: 'failed',
  undone: 'was undone',
  'undo-failed': 'was being undone, and that failed',
} as const satisfies Record<StepRecord['state'], string>;

function latest(steps: Step[], records: Map<string, StepRecord>): { id: string; endedAt: string } {
  let last: { id: string; endedAt: string } | undefined;
  for (const { id } of steps) {
    const record = records.get(id);
    const endedAt = record?.endedAt ?? record?.startedAt;
    if (endedAt === undefined) continue;
    if (!last || Date.parse(endedAt) > Date.parse(last.endedAt)) last = { id, endedAt };
  }
  if (!last) throw new RangeError('no step of a completed phase has a time');
  return last;
}

/** Returns the time that these steps, and all that they needed, spent waiting for a person. */
function waited(steps: Step[], { plan, records }: Measured): number {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const open = steps.map((step) => step.id);
  const needed = new Set<string>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (needed.has(id)) continue;
    needed.add(id);
    open.push(...(byId.get(id)?.needs ?? []));
  }
  return [...needed].reduce((total, id) => total + (records.get(id)?.waitedForPersonMs ?? 0), 0);
}

function leftBehind(steps: Step[], records: Map<string, StepRecord>): number {
  return steps
    .flatMap((step) => records.get(step.id)?.counts ?? [])
    .flatMap((counts) => counts.failed)
    .reduce((total, part) => total + part.count, 0);
}

function objectiveOf(topology: Topology, name: ResourceClass, which: 'rto' | 'rpo'): { objectiveSeconds?: number } {
  const declared = topology.objectives[name]?.[which];
  return declared === undefined ? {} : { objectiveSeconds: toSeconds(declared) };
}

function judge(objectiveSeconds: number | undefined, measuredMs: number): Verdict {
  if (objectiveSeconds === undefined) return 'no objective';
  return measuredMs <= objectiveSeconds * 1000 ? 'met' : 'missed';
}

/** Met only if even the most is within the objective, and missed only if even the least is not. */
function judgeBetween(objectiveSeconds: number | undefined, leastMs: number, mostMs = leastMs): Verdict {
  const least = judge(objectiveSeconds, leastMs);
  return least === 'met' && judge(objectiveSeconds, mostMs) === 'missed' ? 'not measured' : least;
}

function unmeasured(objective: { objectiveSeconds?: number }, why: string): { verdict: Verdict; why: string } {
  return { verdict: objective.objectiveSeconds === undefined ? 'no objective' : 'not measured', why };
}

function because(whys: (string | undefined)[]): { why?: string } {
  const given = whys.filter((why) => why !== undefined);
  return given.length === 0 ? {} : { why: given.join('; ') };
}
