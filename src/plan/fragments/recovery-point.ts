/** Fragments around recovery points: to pay debts first, to read old copies again, to take a point, to say what is lost. */
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

/** Without a phase: in an operation that has none. */
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

/** A recovery point to take. */
export interface TakeRecoveryPoint {
  from: string;
  to: string;
  /** What must hold before the listing begins, and before the point is sealed. */
  after: readonly Requirement[];
  sealAfter?: readonly Requirement[];
  /** Makes the drafts: of a phase, or of an operation without phases. */
  make?: ReturnType<typeof draftsOf>;
}

/** Takes a recovery point of `from`, with its copies in `to`. */
export function takeRecoveryPoint({ from, to, after, sealAfter = [], make = draft }: TakeRecoveryPoint): StepDraft[] {
  return [
    make(['list', 'listActive', `List the workspace in ${from}`], after, ['point.listed']),
    make(['copy', 'copyBlobs', `Copy the blobs that ${to} lacks`], ['point.listed'], ['point.copied']),
    make(
      ['escrow', 'escrowSecrets', `Put the secrets into ${to}'s escrow vault`],
      ['point.copied'],
      ['point.escrowed'],
    ),
    make(
      ['seal', 'sealRecoveryPoint', 'Seal the recovery point'],
      ['point.listed', 'point.copied', 'point.escrowed', ...sealAfter],
      ['recovery-point'],
    ),
  ];
}

/** Before the seal: the region may have come back since the listing. */
export function payRestOfDebts(to: string): StepDraft[] {
  return [
    draft(
      ['pay-rest', 'payFenceDebt', `Do what is still left undone in ${to}`],
      ['point.escrowed'],
      ['debts.rest-paid'],
      { providesOwed: ['debts.rest-owed'] },
    ),
  ];
}

/** What a move needs must outlive the control store too. */
export function mirrorState(to: string, make: ReturnType<typeof draftsOf> = draft): StepDraft[] {
  return [
    make(['mirror', 'mirrorState', `Copy what a move needs of the control store into ${to}`], ['recovery-point'], []),
  ];
}

/** Last: a recovery point is made whatever the state of older ones. */
export function reportDamage(): StepDraft[] {
  return [draft(['damage', 'reportDamage', 'Check that no copy is damaged beyond repair'], ['recovery-point'], [])];
}
