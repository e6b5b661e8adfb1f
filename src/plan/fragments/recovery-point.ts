/**
 * Fragments around recovery points: to read old copies again, to take a point, to keep it twice, to say what is lost.
 */
import type { Requirement } from '../facts.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

/** Without a phase: in an operation that has none. */
const draft = draftsOf(undefined, 'data');

/** Before the listing: damaged copies are not reused, and the time for reading does not count towards the RPO. */
export function scrub(): StepDraft[] {
  return [
    draft(
      ['scrub', 'scrubReplicas', 'Read a share of the copies, and repair what is damaged'],
      [],
      ['replicas.scrubbed'],
    ),
  ];
}

/** A recovery point to take. */
export interface TakeRecoveryPoint {
  from: string;
  to: string;
  /** What must hold before the listing begins. */
  after: readonly Requirement[];
  /** Makes the drafts: of a phase, or of an operation without phases. */
  make?: ReturnType<typeof draftsOf>;
}

/** Takes a recovery point of `from`, with its copies in `to`. */
export function takeRecoveryPoint({ from, to, after, make = draft }: TakeRecoveryPoint): StepDraft[] {
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
      ['point.listed', 'point.copied', 'point.escrowed'],
      ['recovery-point'],
    ),
  ];
}

/** Takes a divergence point: of the region `old` as it is found, with its copies in the writer's region. */
export function takeDivergencePoint({ old, writer }: { old: string; writer: string }): StepDraft[] {
  const options = { input: { point: 'divergence' }, sides: { from: old, to: writer } };
  return [
    draft(
      ['found-list', 'listActive', `List the workspace in ${old} as it is found`],
      [],
      ['divergence.listed'],
      options,
    ),
    draft(
      ['found-copy', 'copyBlobs', `Copy the blobs that ${writer} lacks of it`],
      ['divergence.listed'],
      ['divergence.copied'],
      options,
    ),
    draft(
      ['found-escrow', 'escrowSecrets', `Put its secrets into ${writer}'s escrow vault`],
      ['divergence.copied'],
      ['divergence.escrowed'],
      options,
    ),
    draft(
      ['found-seal', 'sealRecoveryPoint', `Seal what ${old} had as its divergence point`],
      ['divergence.listed', 'divergence.copied', 'divergence.escrowed'],
      ['divergence-point'],
      options,
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
