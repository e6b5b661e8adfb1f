import type { Client } from '@temporalio/client';
import { Option, type Command } from 'commander';
import { connectTemporal } from '../../client/connect.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { lookAtConfigs } from '../../operations/look-at-configs.ts';
import { planFailover, planningOf, planReplicate, type MadePlan } from '../../operations/plan-operation.ts';
import type { Session } from '../../operations/session.ts';
import type { TargetLook } from '../../switch/look-at-configs.ts';
import { showThing } from '../../workspace/sharing.ts';
import { showDuration } from '../../topology/duration.ts';
import { phases, resourceClasses } from '../../topology/words.ts';
import { command, session } from '../command.ts';
import { showConfigs } from '../show-configs.ts';

interface Options {
  operation: string;
  output: string;
  to?: string;
  recoveryPoint?: string;
  acceptLoss?: string[];
}

export function planCommand(): Command {
  return command(
    'plan',
    'show what an operation would do, phase by phase; changes nothing',
    'understudy plan\nunderstudy plan --operation failover --output json',
  )
    .addOption(
      new Option('--operation <operation>', 'which').choices(['failover', 'replicate']).default('failover'),
    )
    .addOption(new Option('--output <form>', 'how to print it').choices(['text', 'json']).default('text'))
    .option('--to <region>', 'plan a move to this region; default: the one that is not active')
    .option('--recovery-point <id>', 'plan with this recovery point rather than the newest')
    .addOption(acceptLossOption())
    .action(async (options: Options, self: Command) => {
      const opened = await session(self);
      const made =
        options.operation === 'replicate'
          ? await planReplicate(await planningOf(opened))
          : await planFailover(await planningOf(opened), options);
      const configs = await lookThroughTemporal(opened, made);
      console.log(
        options.output === 'json'
          ? asJson(made, configs)
          : [showPlan(made), ...showConfigs(configs)].join('\n'),
      );
      if (made.problems.length > 0) throw refusal(made);
    });
}

/** Connects only if a config file is declared, and soon gives up: a plan needs no Temporal. */
async function lookThroughTemporal({ topology }: Session, { plan }: MadePlan): Promise<TargetLook[]> {
  let client: Client | undefined;
  try {
    return await lookAtConfigs(topology, plan, async () => (client = await connectTemporal(2000)));
  } finally {
    await client?.connection.close();
  }
}

export function acceptLossOption(): Option {
  return new Option(
    '--accept-loss <name...>',
    'go without what cannot be had, by the name that the plan gives it',
  );
}

export function refusal({ plan, problems }: MadePlan): UnderstudyError {
  return new UnderstudyError(
    'PreconditionError',
    `this ${plan.operation} would fail:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    {
      next: 'Fix it, or have the quota raised, and plan again.',
    },
  );
}

function asJson({ plan, problems, warnings, sharing, findings }: MadePlan, configs: TargetLook[]): string {
  return JSON.stringify({ ...plan, problems, warnings, sharing, findings, configs }, null, 2);
}

/** The plan as a person reads it: phases downward, classes within, one line a step. */
export function showPlan({ plan, recoveryPoint, warnings, sharing, isReturn }: MadePlan): string {
  const lines = [
    `${plan.operation} of ${plan.topology}: ${plan.from} → ${plan.to} (epoch ${plan.madeInEpoch})${isReturn ? `: a return to ${plan.to}` : ''}`,
  ];
  if (recoveryPoint) {
    const counts = Object.entries(recoveryPoint.counts).filter(([, number]) => number > 0);
    lines.push(
      `recovery point ${recoveryPoint.ref.id}: ${counts.map(([kind, number]) => `${number} ${kind}`).join(', ')}; ` +
        `${recoveryPoint.blobs} blobs, ${(recoveryPoint.bytes / 1e6).toFixed(1)} MB`,
      `  listed ${showDuration(Date.now() - Date.parse(recoveryPoint.ref.startedAt))} ago: what ${plan.from} did since then would be lost`,
    );
  }
  for (const phase of phases) {
    const steps = plan.steps.filter((step) => step.phase === phase);
    if (steps.length === 0) continue;
    lines.push('', phase);
    for (const resourceClass of resourceClasses) {
      for (const step of steps.filter((each) => each.class === resourceClass)) {
        const time = step.expectedSeconds === undefined ? '' : `  (about ${step.expectedSeconds}s)`;
        const host = step.host === undefined ? '' : `  [on ${step.host}]`;
        lines.push(`  ${resourceClass.padEnd(10)} ${step.title}${host}${time}`);
      }
    }
  }
  const unphased = plan.steps.filter((step) => step.phase === undefined);
  if (unphased.length > 0) lines.push('', ...unphased.map((step, index) => `  ${index + 1}. ${step.title}`));
  if (sharing.length > 0)
    lines.push('', 'shared by both workspaces', ...sharing.map((each) => `  ${showThing(each)}`));
  const notes = [...warnings, ...plan.notes];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `note: ${note}`));
  return lines.join('\n');
}
