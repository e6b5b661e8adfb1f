/** Makes the plan of an operation: reads what the compiler needs, checks the preconditions of the run, compiles. */
import { epochOf } from '../../recovery-point/manifest.ts';
import { readManifest, sealedName } from '../../recovery-point/sealed-manifest.ts';
import { listRecoveryPoints } from '../../recovery-point/list-points.ts';
import { summarise } from '../../recovery-point/read-seal.ts';
import { openRecoveryPoint } from '../../recovery-point/recovery-point.ts';
import { readPointer } from '../../control-store/region-pointer.ts';
import type { ControlStore } from '../../control-store/store.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../../errors/error.ts';
import {
  compileFailback,
  compileFailover,
  compileReplicate,
  compileReprotect,
  compileSwitchover,
  type CompileMove,
} from '../../plan/compile.ts';
import type { Plan } from '../../plan/plan.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import type { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import type { MakePlan } from '../../run/begin-run.ts';
import { unprotected, type Unprotected } from '../../fence/departures.ts';
import { howToEnd } from '../../run/describe-run.ts';
import { findOpenRun, type OpenRun } from '../../run/lease.ts';
import { isTakenBy, type RegionPointer } from '../../topology/pointer.ts';
import { declaredActive, otherRegion, sideOf } from '../../topology/sides.ts';
import { aboutUndecided } from '../../merge/decide-merge.ts';
import { leaveBehind } from '../../merge/selection.ts';
import { showCount } from '../../topology/figures.ts';
import { decidedMerge } from '../merge.ts';
import { aboutDeparted } from './about-departed.ts';
import { checkQuota } from './quota.ts';
import { foreseenLosses } from './foreseen-losses.ts';
import { warnOfTemplate } from './warn-of-template.ts';
import type { Session } from '../session.ts';
import { planningOf, type MadePlan, type Planning, type PlanRequest } from './planning.ts';
import { planResubmit } from './plan-resubmit.ts';
import { inspectBeforeFailover, inspectBeforeReplicate } from '../sharing.ts';

/**
 * Makes the plan of a run for which nobody has confirmed one, from the bundle that the run names. PreconditionError if
 * it would fail.
 */
export const makePlan: MakePlan = async ({ azure, store, bundle, run, now }) => {
  const planning = { azure, store, topology: bundle.topology, bundle: run.bundle, now };
  const made = await planners[run.operation](planning, {});
  if (made.problems.length === 0) return made.plan;
  throw new UnderstudyError('PreconditionError', `this ${run.operation} would fail: ${made.problems.join('; ')}`);
};

const planners: Record<Operation, (planning: Planning, request: PlanRequest) => Promise<MadePlan>> = {
  replicate: (planning) => planReplicate(planning),
  resubmit: (planning) => planResubmit(planning),
  reprotect: (planning) => planReprotect(planning),
  switchover: (planning, request) => planMove(planning, 'switchover', request),
  failback: (planning, request) => planMove(planning, 'failback', request),
  failover: (planning, request) => planMove(planning, 'failover', request),
};

/** What an operation would do, by the topology of the session; changes nothing. */
export async function planOperation(session: Session, operation: Operation, request: PlanRequest): Promise<MadePlan> {
  return planners[operation](await planningOf(session), request);
}

/** PreconditionError if a plan would fail, with every reason. */
export function requireNoProblem({ plan, problems }: Pick<MadePlan, 'plan' | 'problems'>): void {
  if (problems.length === 0) return;
  throw new UnderstudyError(
    'PreconditionError',
    `this ${plan.operation} would fail:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    { next: 'Fix what is listed (a quota can be raised), then plan again.' },
  );
}

/** The plan of a recovery point of the writer's region; its problems are in the result, not thrown. */
export async function planReplicate(planning: Planning): Promise<MadePlan> {
  const { store, topology, bundle, now } = planning;
  const pointer = await readPointer(store, { topology, who: 'replicate', now });
  const looked = await inspectBeforeReplicate(planning, pointer.writer);
  const to = otherRegion(topology, pointer.writer);
  const left = await unprotected(store, to);
  const problems = [
    whileMoving(pointer, await findOpenRun(store, now)),
    left && `${left.why}. Make it a standby again: "understudy reprotect"`,
  ];
  return {
    plan: compileReplicate({ topology, pointer, to, bundle }),
    ...looked,
    losses: [],
    problems: [...problems.filter((each) => each !== undefined), ...looked.problems],
  };
}

/**
 * The plan that makes the region which the last move has left a standby again; its problems are in the result.
 * NothingToDo if it is one.
 */
export async function planReprotect(planning: Planning): Promise<MadePlan> {
  const { store, topology, bundle, now } = planning;
  const pointer = await readPointer(store, { topology, who: 'reprotect', now });
  const to = otherRegion(topology, pointer.writer);
  const left = await unprotected(store, to);
  if (!left) throw new UnderstudyError('NothingToDo', `${to} is the standby already: there is nothing to reprotect`);
  const looked = await inspectBeforeReplicate(planning, pointer.writer);
  const moving = whileMoving(pointer, await findOpenRun(store, now));
  return {
    plan: compileReprotect({ topology, pointer, to, bundle, isPinned: left.departure?.divergence !== undefined }),
    ...looked,
    losses: [],
    problems: [...(moving === undefined ? [] : [moving]), ...looked.problems],
  };
}

/**
 * A recovery point of a workspace that a move is still restoring into would have only what is there by now, and be the
 * newest. A switchover takes the last one itself.
 */
function whileMoving(pointer: RegionPointer, open: OpenRun | undefined): string | undefined {
  if (!open?.run) return undefined;
  if (isTakenBy(pointer, open.runId, pointer.writer))
    return `run "${open.runId}" still moves the workspace to ${pointer.writer}: a recovery point would lack what it has not restored. ${howToEnd(open.run)}`;
  const { movesWriter, recoveryPoint } = rowOf(open.run.operation);
  if (!movesWriter || recoveryPoint !== 'makes one' || open.run.state === 'failed') return undefined;
  return `run "${open.runId}" (${open.run.operation}) takes the last recovery point itself. ${howToEnd(open.run)}`;
}

/** A plan that is compiled, and what more was found for it. */
type Compiled = { plan: Plan } & Partial<Pick<MadePlan, 'problems' | 'warnings'>>;

/** The compiler of each operation that moves the writer. */
const compilers = {
  failover: (_planning: Planning, input: CompileMove): Promise<Compiled> =>
    Promise.resolve({ plan: compileFailover(input) }),
  switchover: (_planning: Planning, input: CompileMove): Promise<Compiled> =>
    Promise.resolve({ plan: compileSwitchover(input) }),
  failback: planFailback,
};

/** The plan of a failback, with what its merge would bring over. Errors: those of `decidedMerge`. */
async function planFailback(planning: Planning, input: CompileMove, { decide = [] }: PlanRequest): Promise<Compiled> {
  const { points, departure, decisions, items, undecided } = await decidedMerge(planning, decide);
  const problem = aboutUndecided(undecided);
  const over = items.filter((each) => !leaveBehind(each));
  const renumbered = over.filter(({ as }) => as !== undefined);
  const come = over.length === 1 ? 'comes' : 'come';
  return {
    plan: compileFailback({ ...input, merge: { ...points, decisions }, leftBy: departure.run }),
    problems: problem ? [`${problem.message}. ${problem.next}`] : [],
    warnings:
      over.length === 0
        ? []
        : [
            `${showCount(over.length, 'item')} of ${input.to} ${come} over to ${input.pointer.writer}, ${renumbered.length} under another version: "understudy failback --plan" names each`,
          ],
  };
}

/** An operation that moves the writer. */
export type MoveOperation = keyof typeof compilers;

/**
 * `to`: the region to move to; NothingToDo if it is the active one. `recoveryPoint`: an id other than the newest;
 * UsageError if there is none, RecoveryPointError if it is altered or cut short, naming the one before. A switchover
 * inspects the standby by it, and seals another one. `acceptLoss`: names of what may be lost (`storage:lake`).
 */
export async function planMove(
  planning: Planning,
  operation: MoveOperation,
  options: PlanRequest = {},
): Promise<MadePlan> {
  const { store, topology, bundle, now } = planning;
  const pointer = await readPointer(store, { topology, who: operation, now });
  const to = options.to === undefined ? otherRegion(topology, pointer.writer) : sideOf(topology, options.to).region;
  if (to === pointer.writer)
    throw new UnderstudyError('NothingToDo', `${to} is the active region already: there is nothing to move`);
  const left = await unprotected(store, to);
  if (options.recoveryPoint !== undefined) await requireSealed(store, options.recoveryPoint);
  const opened = await openRecoveryPoint(store, options.recoveryPoint ?? (await newest(planning, pointer, left)));
  const recoveryPoint = summarise(opened);
  if (recoveryPoint.region !== pointer.writer) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `the recovery point ${recoveryPoint.ref.id} is of ${recoveryPoint.region}, but the workspace is in ${pointer.writer}: it does not have what ${pointer.writer} did`,
      { next: `Name one of ${pointer.writer}, or leave --recovery-point out for the newest.` },
    );
  }
  const [standby, quota, taken, foreseen] = await Promise.all([
    inspectBeforeFailover(planning, opened.sealed, options.acceptLoss ?? []),
    lookAhead(planning, to, recoveryPoint),
    warnOfTemplate(planning, to),
    foreseenLosses(store, opened, { topology, now, drains: rowOf(operation).recoveryPoint === 'makes one' }),
  ]);
  const { acceptedLosses, ...looked } = standby;
  const departed = aboutDeparted({ operation, to, left, pointer, recoveryPoint });
  const compiled = await compilers[operation](
    planning,
    { topology, pointer, to, bundle, recoveryPoint, acceptedLosses, unattended: options.unattended === true },
    options,
  );
  const { problems = [], warnings = [] } = compiled;
  return {
    plan: compiled.plan,
    ...looked,
    problems: [...departed.problems, ...problems, ...looked.problems, ...quota.problems],
    warnings: [
      ...warnings,
      ...departed.warnings,
      ...looked.warnings,
      ...quota.warnings,
      ...taken,
      ...foreseen.warnings,
    ],
    recoveryPoint,
    losses: foreseen.losses,
    isReturn: to === declaredActive(topology),
  };
}

/** UsageError for a mistyped id: no recovery point was sealed under it. */
async function requireSealed(store: ControlStore, id: string): Promise<void> {
  const epoch = epochOf(id);
  if (epoch !== undefined && (await readManifest(store, sealedName(epoch, id)))) return;
  throw new UnderstudyError(
    'UsageError',
    `--recovery-point: expected the id of a recovery point, such as "2026-11-21T10-00-00.000Z-e1", got "${id}", which is none`,
    { next: 'Leave it out for the newest; "understudy plan" names that one.' },
  );
}

/**
 * Returns the newest even if it is damaged: opening it throws a RecoveryPointError that advises which one to use
 * instead.
 */
async function newest(
  { store, topology }: Planning,
  pointer: RegionPointer,
  left: Unprotected | undefined,
): Promise<string> {
  const region = pointer.writer;
  const other = otherRegion(topology, region);
  const list = await listRecoveryPoints(store, { region, limit: 1 });
  const [damaged] = list.damaged;
  if (damaged) return damaged.id;
  const found = list.sealed[0];
  if (found) return found.ref.id;
  throw new UnderstudyError(
    'PreconditionError',
    `the workspace is in ${region}, and there is no recovery point of ${region}: nothing could be restored in ${other}`,
    {
      next: left
        ? `${left.why}. Once both regions answer: "understudy reprotect", which takes a recovery point.`
        : `Take one with "understudy replicate" while ${region} answers.`,
    },
  );
}

/**
 * Only what Azure says of a quota blocks a move. If the quota cannot be read (no answer, or no right to read), nothing
 * follows for the run.
 */
async function lookAhead(
  planning: Planning,
  region: string,
  recoveryPoint: RecoveryPointSummary,
): Promise<Pick<MadePlan, 'problems' | 'warnings'>> {
  try {
    const { problems, notOffered } = await checkQuota(planning, region, recoveryPoint);
    const found = [
      ...problems.map(
        ({ family, needed, used, limit, users }) =>
          `quota of ${family} in ${region}: ${users.join(' and ')} would take ${needed} vCPUs more, and ${used} of ${limit} are in use`,
      ),
      ...notOffered.map(({ user, vmSize }) => `${region} does not offer ${vmSize}, which ${user} needs`),
    ];
    return { problems: found, warnings: [] };
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    const unread = `the quota of ${region} could not be read, and may be too small: ${messageOf(error)}`;
    return { problems: [], warnings: [unread] };
  }
}
