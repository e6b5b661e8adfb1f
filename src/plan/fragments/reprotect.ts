/** Fragments of `reprotect`: what makes a region that a move has left a standby again. */
import { toSeconds } from '../../topology/duration.ts';
import type { Topology } from '../../topology/topology.ts';
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

const draft = draftsOf(undefined, 'platform');

interface ReadmitInput {
  topology: Topology;
  old: string;
  after: readonly Requirement[];
}

/**
 * Ends what still runs in the region `old`, pays what the fence owes there, and gives its workspace back what the fence
 * took, once its divergence point is sealed.
 */
export function readmitAsStandby({ topology, old, after }: ReadmitInput): StepDraft[] {
  const { policy, deadline } = topology.jobs.zombies;
  return [
    draft(
      ['zombies', 'endZombies', `${policy === 'cancel' ? 'Cancel' : 'Let end'} the jobs that ran on unseen in ${old}`],
      after,
      ['zombies.ended'],
      policy === 'finish' ? { waitsSeconds: toSeconds(deadline) } : {},
    ),
    draft(['pay', 'payFenceDebt', `Do what the move left undone in ${old}`], ['zombies.ended'], ['debts.paid']),
    draft(
      ['readmit', 'readmitWriters', `Give the workspace of ${old} back what the fence took from it`],
      ['debts.paid'],
      ['target.readmitted'],
    ),
  ];
}

/** Uses the standby as its clients and jobs would, once there is a recovery point to restore into it. */
export function useStandby(to: string): StepDraft[] {
  const ready: Requirement[] = ['target.readmitted', 'recovery-point'];
  const used = ['target.used'] as const;
  return [
    draft(
      ['use-datastores', 'useDatastores', `Use each datastore of ${to} with the credentials that its workspace holds`],
      ready,
      used,
    ),
    draft(['use-computes', 'runSmokeJob', `Run a smoke job in ${to}`], ready, used),
    draft(['use-endpoints', 'scoreEndpoints', `Send a scoring request to each endpoint in ${to}`], ready, used),
  ];
}

/** From here on the region is a standby: replication goes on, and a move may go there. */
export function endReprotect(to: string): StepDraft[] {
  return [
    draft(['end', 'endReprotect', `Record that ${to} is a standby again`], ['recovery-point', 'target.used'], []),
  ];
}
