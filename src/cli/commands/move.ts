import type { Command } from 'commander';
import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import { UnderstudyError } from '../../errors/error.ts';
import { MoveOutcome } from '../../operations/documents/run.ts';
import { askForMove, checkOutageBegan, startMove, type Asked } from '../../operations/move.ts';
import { requireHealthy, requireOutage, type Health } from '../../operations/health.ts';
import type { MoveOperation } from '../../operations/plans/plan-operation.ts';
import type { StartedRun } from '../../operations/runs/open-run.ts';
import { requireReason } from '../../operations/runs/retry-run.ts';
import type { Session } from '../../operations/session.ts';
import { needsBothRegions, type Operation } from '../../plan/operations.ts';
import { describeRun } from '../../run/describe-run.ts';
import { ask, askReason, requireWord } from '../ask.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows, tellIfSlow, type Output, type Shown } from '../output.ts';
import { seeThrough } from '../see-through.ts';
import { showConfigs } from '../show-configs.ts';
import { acceptLossOption, showPlan, slowLook, unattendedOption } from './plan.ts';

/** The options of a move, as they were typed. */
export interface MoveOptions {
  to?: string;
  yes?: boolean;
  reason?: string;
  evenIfHealthy?: boolean;
  outageBegan?: string;
  recoveryPoint?: string;
  acceptLoss?: string[];
  unattended?: boolean;
  decide?: string[];
}

/** `understudy failover` and `understudy switchover`: show the plan, ask, start the run, and watch it. */
export function moveCommands(): Command[] {
  return [switchoverCommand(), failoverCommand()];
}

function failoverCommand(): Command {
  const failover = command(
    'failover',
    'move the workspace to the standby region now, and watch the run to its end',
    'understudy failover --reason "eastus is down"\nunderstudy failover --to westus3 --yes --reason "INC-4711" --outage-began 2026-11-21T02:58:00Z',
  );
  return moves(failover, 'failover')
    .option('--even-if-healthy', 'fail over even if the active region is, or may be, healthy')
    .option(
      '--outage-began <time>',
      'when the outage began, ISO 8601; default: between the last answer and the first failed health check',
    )
    .option('--recovery-point <id>', 'restore this recovery point instead of the newest');
}

function switchoverCommand(): Command {
  const switchover = command(
    'switchover',
    'move the workspace to the standby region as planned work: both regions answer, and nothing is lost',
    'understudy switchover --reason "maintenance of eastus"\nunderstudy switchover --to westus3 --yes --reason "CHG-1234"',
  );
  return moves(switchover, 'switchover');
}

function moves(of: Command, operation: MoveOperation): Command {
  return shows(withMoveOptions(of), MoveOutcome, (output, options: MoveOptions, self: Command) =>
    move(output, self, operation, options),
  );
}

/** Adds the options that every move has. */
export function withMoveOptions(of: Command): Command {
  return of
    .option('--to <region>', 'the region to move to; required with --yes, or without a terminal')
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--reason <text>', 'why; recorded in the report; required with --accept-loss')
    .addOption(acceptLossOption())
    .addOption(unattendedOption());
}

/** What must be done before the move is planned. Returns how it ended, if the move must not begin. */
export type BeforeMove = (opened: Session, client: Client) => Promise<Shown<z.input<typeof MoveOutcome>> | undefined>;

/** Shows the plan of a move, asks, starts the run, and watches it. */
export async function move(
  output: Output,
  self: Command,
  operation: MoveOperation,
  { before, ...options }: MoveOptions & { before?: BeforeMove },
): Promise<Shown<z.input<typeof MoveOutcome>>> {
  const triggeredAt = new Date();
  checkOutageBegan(options.outageBegan, triggeredAt);
  requireTarget(options);
  if (!mayAsk(options)) requireReason(options.acceptLoss, options.reason);
  const opened = await session(self);
  return withTemporal(async (client) => {
    const ended = await before?.(opened, client);
    if (ended) return ended;
    const asked = await tellIfSlow(output, slowLook, askForMove(opened, client, operation, options));
    if (asked.found === 'moved') return nothingToMove(asked);
    const begin = await confirmed(output, opened, client, asked, { ...options, triggeredAt });
    return seeThrough(output, opened, begin);
  });
}

function mayAsk({ yes }: MoveOptions): boolean {
  return yes !== true && process.stdin.isTTY;
}

/** The same command typed again must not move the workspace back: if no question can be asked, `--to` is required. */
function requireTarget(options: MoveOptions): void {
  if (options.to !== undefined || mayAsk(options)) return;
  throw new UnderstudyError(
    'UsageError',
    options.yes === true
      ? '--yes: expected --to REGION with it, the region to move to'
      : 'nobody can be asked (no terminal): expected --to REGION, and --yes',
    { next: 'See which region is active with "understudy status".' },
  );
}

function nothingToMove({ region, epoch }: Extract<Asked, { found: 'moved' }>) {
  return {
    document: { state: 'nothing to move' as const, region, epoch },
    text: `${region} is the active region already (epoch ${epoch}): there is nothing to move, and nothing was changed`,
  };
}

/** Shows what would be done, and asks. Returns the function that starts the run. */
async function confirmed(
  output: Output,
  opened: Session,
  client: Client,
  asked: Exclude<Asked, { found: 'moved' }>,
  options: MoveOptions & { triggeredAt: Date },
): Promise<() => Promise<StartedRun>> {
  if (asked.found === 'running') {
    output.say(`${asked.run.runId} runs already: watching it; no second one is started`);
    return () => Promise.resolve(asked.run);
  }
  const { made, health, configs, ends } = asked;
  const { plan } = made;
  for (const { region, checks } of health)
    for (const { what, state, detail } of checks) output.say(`${region} ${what}: ${shown[state]}${detail}`);
  requireFit(health, plan.operation, options);
  output.say(`${[showPlan(made, output.paint), ...showConfigs(configs)].join('\n')}\n`);
  if (ends) output.say(`this ends run ${describeRun(ends)}\n`);
  const reason = options.yes === true ? (options.reason ?? '') : await confirm(output, plan, options);
  return async () => {
    const run = await startMove(opened, client, { ...options, plan, reason });
    if (!run.started) output.say(`${run.runId} was started first: watching it; no second one is started`);
    return run;
  };
}

/** A failover leaves a region that is out; planned work needs both. */
function requireFit(health: readonly Health[], operation: Operation, { evenIfHealthy }: MoveOptions): void {
  if (needsBothRegions(operation)) health.forEach(requireHealthy);
  else if (evenIfHealthy !== true) health.forEach(requireOutage);
}

const shown = { ok: 'ok: ', failed: 'FAILED: ', unknown: 'cannot tell: ' } as const;

const questions: Record<string, string> = { failover: 'Fail over', switchover: 'Switch over', failback: 'Fail back' };

/** Returns the reason. Throws Declined if the person does not name the region. */
async function confirm(
  output: Output,
  { operation, from, to }: { operation: string; from: string; to: string },
  { reason = '', acceptLoss }: MoveOptions,
): Promise<string> {
  return ask(output, async (terminal) => {
    const obligatory = acceptLoss !== undefined;
    const given = reason.trim() === '' ? await askReason(terminal, { obligatory }) : reason;
    const question = `${questions[operation]} from ${from} to ${to}? Type the name of the region to move to: `;
    await requireWord(terminal, question, to);
    return given;
  });
}
