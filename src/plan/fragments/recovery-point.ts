/** Fragments around recovery points: to pay debts first, to read old copies again, to take a point, to say what is lost. */
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

const draft = draftsOf(undefined, 'data');

/** Before the listing: no origin may run next to its successor. */
export function payDebts(to: string): StepDraft[] {
  return [draft(['pay-debt', 'payFenceDebt', `Do what an earlier failover left undone in ${to}`], [], ['debts.paid'])];
}

/** Before the listing: damaged copies are not reused, and the time for reading does not count towards the RPO. */
export function scrub(): StepDraft[] {
  return [
    draft(
      ['scrub', 'scrubReplicas', 'Read a share of the copies, and repair what is damaged'],
      ['debts.paid'],
      ['replicas.scrubbed'],
    ),
  ];
}

/** Takes a recovery point of `from` once `after` holds. */
export function takeRecoveryPoint({
  from,
  to,
  after,
}: {
  from: string;
  to: string;
  after: Requirement[];
}): StepDraft[] {
  return [
    draft(['list', 'listActive', `List the workspace in ${from}`], after, ['point.listed']),
    draft(['copy', 'copyBlobs', `Copy the blobs that ${to} lacks`], ['point.listed'], ['point.copied']),
    draft(
      ['escrow', 'escrowSecrets', `Put the secrets into ${to}'s escrow vault`],
      ['point.copied'],
      ['point.escrowed'],
    ),
    // The region may have come back meanwhile.
    draft(
      ['pay-rest', 'payFenceDebt', `Do what is still left undone in ${to}`],
      ['point.escrowed'],
      ['debts.rest-paid'],
      { providesOwed: ['debts.rest-owed'] },
    ),
    draft(
      ['seal', 'sealRecoveryPoint', 'Seal the recovery point'],
      ['point.listed', 'point.copied', 'point.escrowed', { anyOf: ['debts.rest-paid', 'debts.rest-owed'] }],
      ['recovery-point'],
    ),
  ];
}

/** What a move needs must outlive the control store too. */
export function mirrorState(to: string): StepDraft[] {
  return [
    draft(
      ['mirror', 'mirrorState', `Copy what a move needs of the control store into ${to}`],
      ['recovery-point'],
      ['state.mirrored'],
    ),
  ];
}

/** Last: a recovery point is made whatever the state of older ones. */
export function reportDamage(): StepDraft[] {
  return [draft(['damage', 'reportDamage', 'Check that no copy is damaged beyond repair'], ['recovery-point'], [])];
}
