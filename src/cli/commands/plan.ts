import { Option, type Command } from 'commander';
import { PlanDocument } from '../../operations/documents/plan.ts';
import { lookAtConfigsAlone } from '../../operations/look-at-configs.ts';
import { planOperation, requireNoProblem } from '../../operations/plans/plan-operation.ts';
import { type MadePlan } from '../../operations/plans/planning.ts';
import { operationNames, type Operation } from '../../plan/operations.ts';
import type { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import { showCount } from '../../topology/figures.ts';
import { showDuration } from '../../topology/duration.ts';
import { phases, resourceClasses } from '../../topology/words.ts';
import { showThing } from '../../workspace/sharing.ts';
import { command, session } from '../command.ts';
import { failureOf, shows, tellIfSlow } from '../output.ts';
import { showConfigs } from '../show-configs.ts';
import type { Paint } from '../view/colour.ts';

interface Options {
  operation: Operation;
  to?: string;
  recoveryPoint?: string;
  acceptLoss?: string[];
  unattended?: boolean;
}

/** `understudy plan`. */
export function planCommand(): Command {
  const plan = command(
    'plan',
    'show what an operation would do, phase by phase; changes nothing',
    'understudy plan\nunderstudy plan --operation failover --output json',
  )
    .addOption(
      new Option('--operation <operation>', 'the operation to plan')
        .choices(operationNames.toReversed())
        .default('failover'),
    )
    .option('--to <region>', 'the region to move to; default: the one that is not active')
    .option('--recovery-point <id>', 'restore this recovery point instead of the newest')
    .addOption(acceptLossOption())
    .addOption(unattendedOption());
  return shows(plan, PlanDocument, async (output, options: Options, self: Command) => {
    const opened = await session(self);
    const made = await planOperation(opened, options.operation, options);
    const configs = await tellIfSlow(output, slowLook, lookAtConfigsAlone(opened.topology, made));
    const { problems, warnings, sharing, findings, losses } = made;
    return {
      document: { ...made.plan, problems, warnings, sharing, findings, losses, configs },
      text: [showPlan(made, output.paint), ...showConfigs(configs)].join('\n'),
      ...failureOf(() => requireNoProblem(made)),
    };
  });
}

/** Said where a plan takes long to make. */
export const slowLook =
  'still looking: at what Azure has, and at the config files by way of their workers (a worker that is gone costs a few seconds)';

/** `--accept-loss NAME…`, as `plan` and the moves have it. */
export function acceptLossOption(): Option {
  return new Option('--accept-loss <name...>', 'continue without these items, named as in the plan');
}

/** `--unattended`, as `plan` and the moves have it. */
export function unattendedOption(): Option {
  return new Option(
    '--unattended',
    'nobody watches: wait for an approval before what cannot be taken back, if no gate is declared',
  );
}

/** The plan as a person reads it: phases from top to bottom, classes within, one line per step. */
export function showPlan(made: MadePlan, paint: Paint): string {
  const { plan, recoveryPoint, warnings, sharing, losses, isReturn } = made;
  const title = `${plan.operation} of ${plan.topology}: ${plan.from} → ${plan.to} (epoch ${plan.madeInEpoch})`;
  const lines = [paint.bold(`${title}${isReturn ? `: a return to ${plan.to}` : ''}`)];
  if (recoveryPoint) lines.push(...recoveryPointLines(recoveryPoint, plan));
  lines.push(...stepLines(made, paint));
  if (sharing.length > 0) lines.push('', 'shared by both workspaces', ...sharing.map((each) => `  ${showThing(each)}`));
  if (losses.length > 0)
    lines.push('', `would be lost, or left for people${since(made)}`, ...losses.map((each) => `  ${each}`));
  const notes = [...warnings, ...plan.notes];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `${paint.yellow('note:')} ${note}`));
  return lines.join('\n');
}

/** A switchover seals another recovery point: what is in that one may differ. */
function since({ plan, recoveryPoint }: MadePlan): string {
  return plan.recoveryPoint || !recoveryPoint ? '' : `, as recovery point ${recoveryPoint.ref.id} has it`;
}

function recoveryPointLines(
  { ref, counts, blobs, bytes }: RecoveryPointSummary,
  { from, recoveryPoint }: MadePlan['plan'],
): string[] {
  const there = Object.entries(counts).filter(([, number]) => number > 0);
  const kinds = there.map(([kind, number]) => showCount(number, oneOf(kind), kind));
  const age = showDuration(Date.now() - Date.parse(ref.startedAt));
  return [
    `recovery point ${ref.id}: ${kinds.join(', ')}; ${showCount(blobs, 'blob')}, ${(bytes / 1e6).toFixed(1)} MB`,
    recoveryPoint
      ? `  listed ${age} ago: what ${from} did since then would be lost`
      : `  listed ${age} ago: the run copies what ${from} did since then, while its schedules are stopped and its jobs drained`,
  ];
}

/** The singular of a kind's name; `data` is its own singular. */
function oneOf(kind: string): string {
  return kind.replace(/ies$/, 'y').replace(/s$/, '');
}

function stepLines({ plan: { steps } }: MadePlan, paint: Paint): string[] {
  const lines: string[] = [];
  for (const phase of phases) {
    const ofPhase = steps.filter((step) => step.phase === phase);
    if (ofPhase.length > 0) lines.push('', paint.bold(phase));
    for (const resourceClass of resourceClasses) {
      for (const step of ofPhase.filter((each) => each.class === resourceClass)) {
        const time = step.expectedSeconds === undefined ? '' : `  (about ${step.expectedSeconds}s)`;
        const host = step.host === undefined ? '' : `  [on ${step.host}]`;
        lines.push(`  ${paint.dim(resourceClass.padEnd(10))} ${step.title}${host}${time}`);
      }
    }
  }
  const unphased = steps.filter((step) => step.phase === undefined);
  if (unphased.length > 0) lines.push('', ...unphased.map((step, index) => `  ${index + 1}. ${step.title}`));
  return lines;
}
