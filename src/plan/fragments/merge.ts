/**
 * Fragment of a failback: what the region to return to has, and the writer lacks or has otherwise, comes over to the
 * writer, before anything is stopped there. The last recovery point then has both.
 */
import type { RecoveryPointRef } from '../plan.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

const draft = draftsOf('fence', 'platform');

/** What a merge is made from. */
export interface MergeSides {
  /** The region that writes, and the one to return to. */
  writer: string;
  returning: string;
  /** What the writer went on from; what the other region had when it was found; what the writer has. */
  base: RecoveryPointRef;
  divergence: RecoveryPointRef;
  newest: RecoveryPointRef;
  /** What a person has decided. */
  decisions: readonly { items: string; take: 'writer' | 'returning' | 'both' }[];
}

/** What the fence of a failback waits for. */
export const merged = ['merged'] as const;

/** Brings over what was decided. */
export function bringOver({ writer, returning, base, divergence, newest, decisions }: MergeSides): StepDraft[] {
  const options = { sides: { from: returning, to: writer }, input: { recoveryPoint: divergence } };
  return [
    draft(
      ['merge', 'decideMerge', `Compare what ${returning} had when it was found with what ${writer} has, and decide`],
      ['debts.paid'],
      ['merge.decided'],
      { input: { base, divergence, newest, decisions } },
    ),
    draft(
      ['bring-blobs', 'restoreBlobs', `Bring the files that ${writer} lacks of ${returning}`],
      ['merge.decided'],
      ['merge.blobs'],
      options,
    ),
    draft(
      [
        'bring-assets',
        'restoreAssets',
        `Register what ${returning} made, under new versions where ${writer} has the same`,
      ],
      ['merge.blobs'],
      ['merge.assets'],
      options,
    ),
    draft(
      ['bring-connections', 'configureConnections', `Bring the connections that ${writer} lacks of ${returning}`],
      ['merge.assets'],
      ['merge.connections'],
      options,
    ),
    draft(
      [
        'bring-endpoints',
        'configureEndpoints',
        `Bring the endpoints and deployments that ${writer} lacks of ${returning}`,
      ],
      ['merge.connections'],
      ['merge.endpoints'],
      options,
    ),
    draft(
      ['bring-schedules', 'configureSchedules', `Bring the schedules that ${writer} lacks of ${returning}, disabled`],
      ['merge.assets'],
      ['merge.schedules'],
      options,
    ),
    draft(
      ['bring-changes', 'applyMerge', `Change in ${writer} what was changed in ${returning}`],
      ['merge.endpoints', 'merge.schedules'],
      merged,
      options,
    ),
  ];
}

/** In the region to return to: what its own settings would keep, and what only it had. */
export function settle(to: string): StepDraft[] {
  return [
    draftsOf('configure', 'inference')(
      ['merge', 'applyMerge', `Change in ${to} what the merge decided otherwise`],
      ['target.endpoints'],
      ['target.merged'],
    ),
    draftsOf('resume', 'training')(
      ['found', 'resubmitFound', `Resubmit in ${to} the jobs that only ${to} had`],
      ['class.switched(training)', 'target.assets(inference)'],
      ['jobs.resubmitted'],
    ),
  ];
}
