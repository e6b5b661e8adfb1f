/** What is found of a standby before it is depended on, and what of it keeps a move from beginning. Pure. */
import { UnderstudyError } from '../errors/error.ts';
import type { AcceptedLoss } from '../plan/plan.ts';

export interface StandbyFinding extends AcceptedLoss {
  kind: 'workspace' | 'storage' | 'vault' | 'secrets' | 'secret' | 'registry' | 'insights' | 'roles';
  /** `refused`: the move would fail, or lose this. `warning`: true, or unknown, and keeps nobody from moving. */
  severity: 'refused' | 'warning';
  /** A person may go without it; not where nothing could be restored at all. */
  acceptable: boolean;
}

export interface Sorted {
  /** Refused, and not accepted. */
  refused: StandbyFinding[];
  /** Refused, and accepted by name. */
  accepted: AcceptedLoss[];
  warnings: StandbyFinding[];
}

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

/** As a person reads it: what, for whom, and by which name it can be accepted. */
export function showRefusal({ what, classes, id, acceptable }: StandbyFinding): string {
  const way = acceptable ? `: mend it, or go without it: --accept-loss ${id}` : '';
  return `${classes.join(', ')}: ${what}${way}`;
}

/** PreconditionError if anything is refused. `accepted`: names that the plan goes without already. */
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

/** The plan is sealed: what is gone without, beyond what it names, is named to the next one. */
function adviceOn(refused: readonly StandbyFinding[], accepted: readonly string[]): string {
  const names = refused.filter(({ acceptable }) => acceptable).map(({ id }) => id);
  const command = `understudy failover --accept-loss ${[...accepted, ...names].join(' ')} --reason "…"`;
  if (names.length === 0) return 'Mend it and "understudy retry" this run, or "understudy cancel" it.';
  if (names.length === refused.length)
    return `Mend it and "understudy retry" this run; or "understudy cancel" it, and go without: ${command}`;
  return `Mend it and "understudy retry" this run; or "understudy cancel" it, mend what has no name, and go without the rest: ${command}`;
}
