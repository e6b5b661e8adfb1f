/**
 * What it means for a move that its target was never reprotected, or that its recovery point is from before the last
 * move. Pure.
 */
import type { Unprotected } from '../../fence/departures.ts';
import { rowOf, type Operation } from '../../plan/operations.ts';
import type { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import type { RegionPointer } from '../../topology/pointer.ts';
import type { MadePlan } from './planning.ts';

interface Move {
  operation: Operation;
  to: string;
  /** Why the target is no standby; undefined: it is one. */
  left: Unprotected | undefined;
  pointer: RegionPointer;
  recoveryPoint: RecoveryPointSummary;
}

/**
 * A move that seals its own recovery point has time to make the target a standby first. One that restores what is
 * sealed may be all that is left: it is only warned of.
 */
export function aboutDeparted(move: Move): Pick<MadePlan, 'problems' | 'warnings'> {
  const { operation, to, left } = move;
  if (rowOf(operation).recoveryPoint === 'makes one')
    return {
      problems: left ? [`${left.why}. Make it a standby again once it answers: "understudy reprotect"`] : [],
      warnings: [],
    };
  const target = left
    ? [
        `${left.why}: what only ${to} has is in no recovery point, and its workspace may still be shut out of its storage. If there is time, and it answers: "understudy reprotect" first`,
      ]
    : [];
  return { problems: [], warnings: [...target, ...beforeLastMove(move)] };
}

function beforeLastMove({ pointer: { takenBy, writer }, recoveryPoint: { ref, epoch } }: Move): string[] {
  if (!takenBy || epoch >= takenBy.epoch) return [];
  return [
    `recovery point ${ref.id} is from before the last move (run "${takenBy.run}"): it restores what was there then, and nothing of what ${writer} did since`,
  ];
}
