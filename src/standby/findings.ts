/** Findings about a standby before a failover, and which of them prevent it. Pure. */
import { UnderstudyError } from '../errors/error.ts';
import type { AcceptedLoss } from '../plan/plan.ts';

/** A problem with the standby. */
export interface StandbyFinding extends AcceptedLoss {
  kind: 'workspace' | 'storage' | 'vault' | 'secrets' | 'secret' | 'registry' | 'insights' | 'roles';
  /**
   * `refused`: the failover would fail, or lose this. `warning`: a smaller problem, or an unknown one, which does not
   * prevent a failover.
   */
  severity: 'refused' | 'warning';
  /** Whether a person may accept it. False if nothing at all could be restored. */
  acceptable: boolean;
}

/** Findings that prevent a failover, and those that a person accepted. */
export interface Sorted {
  /** Refused and not accepted. */
  refused: StandbyFinding[];
  /** Refused and accepted by name. */
  accepted: AcceptedLoss[];
  warnings: StandbyFinding[];
}

/** Sorts the refused findings by whether they were accepted. */
export function sortFindings(findings: readonly StandbyFinding[], acceptedIds: readonly string[]): Sorted {
  const isAccepted = ({ acceptable, id }: StandbyFinding) => acceptable && acceptedIds.includes(id);
  const refused = findings.filter(({ severity }) => severity === 'refused');
  return {
    refused: refused.filter((each) => !isAccepted(each)),
    accepted: refused
      .filter(isAccepted)
      .map(({ id, kind, name, classes, what }) => ({ id, kind, name, classes, what }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    warnings: findings.filter(({ severity }) => severity === 'warning'),
  };
}

/** Describes a finding for people: what, for which classes, and by which name it can be accepted. */
export function showRefusal({ what, classes, id, acceptable }: StandbyFinding): string {
  const way = acceptable ? `: fix it, or go without it: --accept-loss ${id}` : '';
  return `${classes.join(', ')}: ${what}${way}`;
}

/**
 * Does nothing if no finding is refused. `accepted`: names that the plan accepts already.
 * Errors: PreconditionError otherwise.
 */
export function requireNone(
  refused: readonly StandbyFinding[],
  { region, accepted }: { region: string; accepted: readonly string[] },
): void {
  if (refused.length === 0) return;
  throw new UnderstudyError(
    'PreconditionError',
    `${region} cannot take over, and nothing has been moved:\n${refused.map((each) => `  - ${showRefusal(each)}`).join('\n')}`,
    { next: adviceOn(refused, accepted) },
  );
}

/** The plan is sealed, so a further loss can only be accepted in the next plan. Names all of them for it. */
function adviceOn(refused: readonly StandbyFinding[], accepted: readonly string[]): string {
  const names = refused.filter(({ acceptable }) => acceptable).map(({ id }) => id);
  const command = `understudy failover --accept-loss ${[...accepted, ...names].join(' ')} --reason "…"`;
  if (names.length === 0) return 'Fix it and "understudy retry" this run, or "understudy cancel" it.';
  if (names.length === refused.length)
    return `Fix it and "understudy retry" this run; or "understudy cancel" it, and go without: ${command}`;
  return `Fix it and "understudy retry" this run; or "understudy cancel" it, fix what has no name, and go without the rest: ${command}`;
}
