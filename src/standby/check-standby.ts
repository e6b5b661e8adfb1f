/**
 * The first step of a move, before anything changes: looks at what the standby needs in order to serve. What was found when the move was
 * planned may have changed since, and the worker may be refused what the person was not.
 */
import { openByRef } from '../recovery-point/recovery-point.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { requireNone, sortFindings } from './findings.ts';
import { inspectStandby } from './inspect-standby.ts';

/** Errors: PreconditionError where the standby cannot serve, or not without a loss that nobody has accepted; RecoveryPointError. */
export async function checkStandby(context: StepContext): Promise<StepResult> {
  const { azure, topology, from, to, run, plan, bundle, store, signal } = context;
  if (!plan.recoveryPoint) throw new UnderstudyError('ControlStoreError', 'the plan names no recovery point');
  const { sealed } = await openByRef(store, plan.recoveryPoint);
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
      warnings.length === 0
        ? `${to.region} has what it needs`
        : `nothing keeps ${to.region} from taking over`,
      ...open,
    ].join('; '),
    // Lost as far as the plan goes, which does without it, even if it has come back a moment ago.
    ...(planned.length > 0
      ? { lost: planned.map(({ what }) => `${what}: accepted as lost by ${run.triggeredBy}: ${run.reason}`) }
      : {}),
  };
}
