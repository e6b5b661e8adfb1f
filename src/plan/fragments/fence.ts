/**
 * The fence: once, before all classes. Hard, in a failover: whether the standby can serve; what an earlier fence owes
 * in the region that becomes the writer; the pointer; then the old side is shut out where it answers, and the rest is
 * owed. By agreement, in a switchover: the old side takes no more work, its jobs are drained, and the last recovery
 * point is sealed, all before the pointer is taken.
 */
import { toSeconds } from '../../topology/duration.ts';
import type { RecoveryPointRef } from '../plan.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';
import { mirrorState, takeRecoveryPoint } from './recovery-point.ts';

/** What a fence is made from. */
export interface FenceInput {
  topology: Topology;
  from: string;
  to: string;
  /** Number of unfinished jobs on the old side. */
  unfinishedJobs: number;
}

/** What a failover accepts of the fence before clients depend on the standby: a region that is lost does not answer. */
export const fencedOrOwed: readonly Requirement[] = [
  { anyOf: ['old.intake-stopped', 'old.intake-owed'] },
  // The jobs delay nothing: a job's successor is submitted once the job has ended, which the `resume` phase checks.
  { anyOf: ['old.writers-shut-out', 'old.writers-owed'] },
];

/**
 * What a switchover accepts. It stops the intake before it takes the pointer, so that is never owed; a region that
 * falls silent once the pointer is taken must not keep clients waiting.
 */
export const fencedByAgreement: readonly Requirement[] = [
  'old.intake-stopped',
  { anyOf: ['old.writers-shut-out', 'old.writers-owed'] },
];

const draft = draftsOf('fence', 'platform');

/** A fence that takes the pointer first, and owes what the old side does not do. */
export function hardFence(input: FenceInput): StepDraft[] {
  const { from, to } = input;
  return [
    draft(['standby', 'checkStandby', `Look at what ${to} needs in order to serve`], [], ['standby.inspected']),
    ...payEarlierDebts(to),
    takePointer(to, ['debts.paid']),
    draft(
      ['intake', 'stopOldIntake', `Stop the schedules of ${from}, or later if it does not answer`],
      ['pointer.taken'],
      ['old.intake-stopped'],
      { providesOwed: ['old.intake-owed'] },
    ),
    ...shutOut(input),
  ];
}

/** What a fence by agreement is made from. */
export interface FenceByAgreement extends FenceInput {
  /** The newest recovery point before the run, by which the standby is inspected before anything is stopped. */
  earlier: RecoveryPointRef;
  /** What must hold before anything is stopped. */
  after?: readonly Requirement[];
}

/** A fence by agreement: nothing that the old side has is lost, and nothing is owed before the pointer is taken. */
export function fenceByAgreement(input: FenceByAgreement): StepDraft[] {
  const { topology, from, to, earlier, after = [] } = input;
  return [
    draft(['standby', 'checkStandby', `Look at what ${to} needs in order to serve`], [], ['standby.inspected'], {
      input: { recoveryPoint: earlier },
    }),
    ...payEarlierDebts(to),
    draft(
      ['intake', 'stopOldIntake', `Stop the schedules of ${from}`],
      ['debts.paid', ...after],
      ['old.intake-stopped'],
    ),
    draft(['drain', 'drainJobs', drainTitle(input)], ['old.intake-stopped'], ['old.drained'], {
      waitsSeconds: toSeconds(topology.jobs.drain.deadline),
    }),
    ...takeRecoveryPoint({ from, to, after: ['old.drained'], make: draft }),
    ...mirrorState(to, draft),
    draft(
      ['standby-again', 'checkStandby', `Look again at what ${to} needs, by the recovery point just sealed`],
      ['recovery-point'],
      ['standby.inspected-again'],
    ),
    draft(
      ['list-again', 'listAgain', `List ${from} again: nothing has come since the recovery point`],
      ['recovery-point'],
      ['old.unchanged'],
    ),
    takePointer(to, ['standby.inspected-again', 'old.unchanged']),
    ...shutOut(input),
  ];
}

function drainTitle({ topology, from }: FenceInput): string {
  const { policy, deadline } = topology.jobs.drain;
  switch (policy) {
    case 'checkpoint':
      return `Let the jobs of ${from} write a checkpoint, or end, within ${deadline}`;
    case 'wait':
      return `Let the jobs of ${from} end, within ${deadline}`;
    case 'cancel':
      return `Cancel the jobs of ${from}`;
  }
}

function payEarlierDebts(to: string): StepDraft[] {
  return [
    draft(
      ['debts', 'payDebtsOfTarget', `Do what an earlier failover left undone in ${to}`],
      ['standby.inspected'],
      ['debts.paid'],
    ),
  ];
}

function takePointer(to: string, after: readonly Requirement[]): StepDraft {
  const title = `Take the region pointer for ${to} with a new epoch`;
  return draft(['pointer', 'takePointer', title], after, ['pointer.taken']);
}

/** What still runs on the old side, and who can still write there, once the pointer is taken. */
function shutOut({ topology, from, unfinishedJobs }: FenceInput): StepDraft[] {
  return [
    draft(
      ['jobs', 'stopOldJobs', `Cancel the unfinished jobs of ${from}, or later if it does not answer`],
      ['pointer.taken'],
      ['old.jobs-stopped'],
      { providesOwed: ['old.jobs-owed'], expectedSeconds: secondsToStop(unfinishedJobs, topology) },
    ),
    draft(
      [
        'writers',
        'shutOutOldWriters',
        `Rotate keys and remove roles of ${from}'s writers, or later if it does not answer`,
      ],
      ['pointer.taken'],
      ['old.writers-shut-out'],
      { providesOwed: ['old.writers-owed'] },
    ),
  ];
}

/**
 * Restores what an earlier fence took from the region, once the pointer is taken and the region's template is deployed,
 * because that may recreate the workspace. Everything that is written there waits for this step.
 */
export function readmit(to: string): StepDraft[] {
  const title = `Give the workspace of ${to} back what an earlier fence took from it`;
  return [draft(['readmit', 'readmitWriters', title], ['pointer.taken', 'target.deployed'], ['target.readmitted'])];
}

/**
 * Azure allows ten writes a second for each principal in a subscription. If both workspaces are in one subscription,
 * resubmitting jobs uses half of them.
 */
export function secondsToStop(jobs: number, { regions }: Topology): number {
  const subscriptions = new Set(Object.values(regions).map(({ workspace }) => workspace.subscriptionId));
  const perSecond = subscriptions.size === 1 ? 9.5 / 2 : 9.5;
  return Math.ceil(jobs / perSecond);
}
