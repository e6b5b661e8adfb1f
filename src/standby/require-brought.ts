/** What a merge brings to the writer must be there before the writer is left: otherwise it would be lost with the move. */
import { UnderstudyError } from '../errors/error.ts';
import { showFindings, type Finding, type SomeFindings } from '../run/work/findings.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showCount } from '../topology/figures.ts';
import type { Standby } from './standby.ts';

/** What a step says that finds none of a kind in the recovery point, or none that it is to bring. */
export function noneToRestore(
  { from, to }: StepContext,
  { selection }: Pick<Standby, 'selection'>,
  kind: 'connections' | 'endpoints' | 'schedules',
): StepResult {
  const detail = selection
    ? `${from.region} has no ${kind} to bring to ${to.region}`
    : `the recovery point of ${from.region} has no ${kind}`;
  return { state: 'skipped', detail };
}

/**
 * Does nothing if the step brings no selection, if all of it was brought, or if a person accepts that it was not.
 * Errors: ReconciliationError.
 */
export function requireBrought(
  { from, to, run, step, acceptedLoss }: StepContext,
  { selection }: Pick<Standby, 'selection'>,
  findings: readonly Finding[] | SomeFindings,
): void {
  const { count } = 'first' in findings ? findings : { count: findings.length };
  if (!selection || count === 0 || acceptedLoss) return;
  throw new UnderstudyError(
    'ReconciliationError',
    `${showCount(count, 'item')} of ${from.region} could not be brought to ${to.region}: ${showFindings(findings, 3).join('; ')}`,
    {
      next: `Repair what is named, then "understudy retry ${run.runId}". Or leave it in ${from.region}: understudy retry ${run.runId} --accept-loss ${step.id} --reason "…". If ${to.region} has made something of the same name since its last recovery point: cancel the run, "understudy replicate", and fail back again.`,
    },
  );
}
