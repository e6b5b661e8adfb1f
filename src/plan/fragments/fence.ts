/**
 * The fence: once, before all classes. Whether the standby can serve; what an earlier fence owes in the region that
 * becomes the writer; the pointer; then the old side is shut out where it answers, and the rest is owed.
 */
import type { Topology } from '../../topology/topology.ts';
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

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

/** A fence that takes the pointer first, and owes what the old side does not do. */
export function hardFence({ topology, from, to, unfinishedJobs }: FenceInput): StepDraft[] {
  const draft = draftsOf('fence', 'platform');
  return [
    draft(['standby', 'checkStandby', `Look at what ${to} needs in order to serve`], [], ['standby.inspected']),
    draft(
      ['debts', 'payDebtsOfTarget', `Do what an earlier failover left undone in ${to}`],
      ['standby.inspected'],
      ['debts.paid'],
    ),
    draft(
      ['pointer', 'takePointer', `Take the region pointer for ${to} with a new epoch`],
      ['debts.paid'],
      ['pointer.taken'],
    ),
    draft(
      ['intake', 'stopOldIntake', `Stop the schedules of ${from}, or later if it does not answer`],
      ['pointer.taken'],
      ['old.intake-stopped'],
      { providesOwed: ['old.intake-owed'] },
    ),
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
  const draft = draftsOf('fence', 'platform');
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
