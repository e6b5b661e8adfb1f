/**
 * The first step of a move, before anything changes: checks what the standby needs in order to serve. This may have
 * changed since the move was planned, and the worker may lack rights that the person has. A switchover checks once more
 * by the recovery point that it has sealed itself.
 */
import { openPointOfRun } from './standby.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { requireNone, sortFindings } from './findings.ts';
import { inspectStandby } from './inspect-standby.ts';

/**
 * Errors: PreconditionError if the standby cannot serve, or not without a loss that nobody has accepted;
 * RecoveryPointError.
 */
export async function checkStandby(context: StepContext): Promise<StepResult> {
  const { azure, topology, from, to, run, plan, bundle, signal } = context;
  const { sealed } = await openPointOfRun(context);
  const hasTemplate = bundle.templates[to.region] !== undefined;
  const asked = { azure, topology, from, to, sealed, hasTemplate, asWorker: true, signal };
  const planned = plan.acceptedLosses ?? [];
  const accepted = planned.map(({ id }) => id);
  const { refused, warnings } = sortFindings(await inspectStandby(asked), accepted);
  requireNone(refused, { region: to.region, accepted });
  const open = warnings.map(({ what }) => what);
  return {
    state: 'completed',
    detail: [
      warnings.length === 0 ? `${to.region} has what it needs` : `nothing keeps ${to.region} from taking over`,
      ...open,
    ].join('; '),
    // The plan goes without it, even if it has just come back.
    ...(planned.length > 0
      ? { lost: planned.map(({ what }) => `${what}: accepted as lost by ${run.triggeredBy}: ${run.reason}`) }
      : {}),
  };
}
